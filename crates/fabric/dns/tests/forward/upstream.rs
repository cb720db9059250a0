//! A DNS server for names of others, with the manners of real ones and of those who lie.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, mpsc};

/// The address that only lies have.
pub(crate) const LIE: [u8; 4] = [6, 6, 6, 6];

/// What a server does with questions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// So many addresses. What is more than the client takes over UDP is there over TCP.
    Answers(u16),
    /// So many addresses over UDP, whatever the client takes.
    Floods(u16),
    /// An answer with this number and no address.
    Says(u8),
    /// Nothing.
    IsSilent,
    /// Nobody listens.
    IsGone,
    /// That there is more over TCP, where it hangs up.
    BreaksTcp,
    /// A lie under another number; then the truth, where there is one.
    LiesById { then: bool },
    /// A lie about another name; then the truth.
    LiesByName,
    /// A lie about another type; then the truth.
    LiesByType,
    /// A lie as a question; then the truth.
    LiesByAsking,
    /// A lie from another port; then the truth.
    LiesFromElsewhere,
    /// One address once it is let go.
    Waits,
}

/// A server, and what it was asked.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<Mutex<Vec<Seen>>>,
    pub(crate) let_go: mpsc::Sender<()>,
}

/// A question as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) way: &'static str,
    pub(crate) port: u16,
    pub(crate) packet: Vec<u8>,
}

impl Upstream {
    pub(crate) fn start(manner: Manner) -> Self {
        let (udp, tcp) = bind();
        let address = udp.local_addr().unwrap();
        let asked = Arc::default();
        let (let_go, gate) = mpsc::channel();
        if !matches!(manner, Manner::IsGone) {
            let (of_udp, of_tcp) = (Arc::clone(&asked), Arc::clone(&asked));
            std::thread::spawn(move || serve_udp(&udp, manner, &of_udp, &gate));
            std::thread::spawn(move || serve_tcp(&tcp, manner, &of_tcp));
        }
        Self { address, asked, let_go }
    }

    /// The ways by which it was asked.
    pub(crate) fn ways(&self) -> Vec<&'static str> {
        self.asked.lock().unwrap().iter().map(|seen| seen.way).collect()
    }
}

/// A port that is free for both.
fn bind() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        // What is free for UDP may be in use for TCP.
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for UDP and TCP")
}

fn serve_udp(socket: &UdpSocket, manner: Manner, asked: &Mutex<Vec<Seen>>, gate: &mpsc::Receiver<()>) {
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut packet = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut packet) {
        let packet = packet[..length].to_vec();
        asked.lock().unwrap().push(Seen { way: "udp", port: from.port(), packet: packet.clone() });
        let send = |reply: &[u8]| assert_eq!(socket.send_to(reply, from).unwrap(), reply.len());
        let (truth, lie) = (addresses(&packet, 1, [9, 9, 9, 9]), addresses(&packet, 1, LIE));
        match manner {
            Manner::Answers(count) => {
                let whole = addresses(&packet, count, [9, 9, 9, 9]);
                if whole.len() <= takes(&packet) { send(&whole) } else { send(&truncated(&packet)) }
            }
            Manner::Floods(count) => send(&addresses(&packet, count, [9, 9, 9, 9])),
            Manner::Says(code) => send(&with(addresses(&packet, 0, LIE), 3, |byte| byte | code)),
            Manner::BreaksTcp => send(&truncated(&packet)),
            Manner::IsSilent | Manner::IsGone => (),
            Manner::LiesById { then } => {
                send(&with(lie, 1, |byte| byte ^ 1));
                if then {
                    send(&truth);
                }
            }
            Manner::LiesByName => {
                [with(lie, 13, |byte| byte ^ 1), truth].iter().for_each(|reply| send(reply))
            }
            Manner::LiesByType => {
                let kind = question(&packet).len() + 12 - 3;
                [with(lie, kind, |byte| byte ^ 0x20), truth].iter().for_each(|reply| send(reply));
            }
            Manner::LiesByAsking => {
                [with(lie, 2, |byte| byte & 0x7f), truth].iter().for_each(|reply| send(reply))
            }
            Manner::LiesFromElsewhere => {
                elsewhere.send_to(&lie, from).unwrap();
                send(&truth);
            }
            Manner::Waits => {
                if gate.recv().is_ok() {
                    send(&truth);
                }
            }
        }
    }
}

fn serve_tcp(listener: &TcpListener, manner: Manner, asked: &Mutex<Vec<Seen>>) {
    for mut stream in listener.incoming().flatten() {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut packet).unwrap();
        let port = stream.peer_addr().unwrap().port();
        asked.lock().unwrap().push(Seen { way: "tcp", port, packet: packet.clone() });
        if let Manner::Answers(count) | Manner::Floods(count) = manner {
            let whole = addresses(&packet, count, [9, 9, 9, 9]);
            stream.write_all(&u16::try_from(whole.len()).unwrap().to_be_bytes()).unwrap();
            stream.write_all(&whole).unwrap();
        }
    }
}

/// The question of a packet, with its type and class.
pub(crate) fn question(packet: &[u8]) -> &[u8] {
    let name = packet[12..].iter().position(|byte| *byte == 0).unwrap();
    &packet[12..12 + name + 5]
}

/// Bytes of a reply over UDP that a client takes: what stands behind its question, if anything does.
fn takes(packet: &[u8]) -> usize {
    let rest = &packet[12 + question(packet).len()..];
    rest.get(3..5).map_or(512, |bytes| usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
}

/// A reply with one address so often. The question is told in small letters, as some servers do.
fn addresses(packet: &[u8], count: u16, address: [u8; 4]) -> Vec<u8> {
    let mut reply = packet[..2].to_vec();
    reply.extend_from_slice(&[0x81, 0x80, 0, 1]);
    reply.extend_from_slice(&count.to_be_bytes());
    reply.extend_from_slice(&[0, 0, 0, 0]);
    reply.extend_from_slice(&question(packet).to_ascii_lowercase());
    for _ in 0..count {
        reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        reply.extend_from_slice(&address);
    }
    reply
}

fn truncated(packet: &[u8]) -> Vec<u8> {
    with(addresses(packet, 0, LIE), 2, |byte| byte | 2)
}

fn with(mut packet: Vec<u8>, at: usize, change: impl Fn(u8) -> u8) -> Vec<u8> {
    packet[at] = change(packet[at]);
    packet
}
