//! Names of others, asked of servers that answer, lie, are silent or say too much.
#![allow(clippy::pedantic, clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod upstream;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use coreto_dns::Config;
use coreto_partition::Replica;
use tokio::sync::oneshot;

use upstream::{LIE, Manner, Upstream, question};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a server has that never answers.
const SHORT: Duration = Duration::from_millis(200);

/// Names that are served, without a catalog behind them.
struct Names {
    address: SocketAddr,
    drain: Option<oneshot::Sender<()>>,
    door: Option<JoinHandle<()>>,
}

impl Names {
    fn start(config: Config) -> Self {
        let config = Config { address: "127.0.0.1:0".parse().unwrap(), ..config };
        let service = config.build(Arc::new(Replica::new(Box::new(|_, _| ())))).unwrap();
        let (address, (drain, drained)) = (service.local_addr(), oneshot::channel());
        let door = std::thread::spawn(move || service.run(async { drop(drained.await) }).unwrap());
        Self { address, drain: Some(drain), door: Some(door) }
    }

    fn before(upstreams: &[&Upstream], wait_max: Duration) -> Self {
        let upstreams = upstreams.iter().map(|upstream| upstream.address).collect();
        Self::start(Config { upstreams, upstream_wait_max: wait_max, ..Config::default() })
    }

    fn ask(&self, client: Client, packet: &[u8]) -> Vec<u8> {
        match client {
            Client::Udp | Client::UdpTaking(_) => receive(&self.send(packet)),
            Client::Tcp => {
                let mut stream = TcpStream::connect(self.address).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.write_all(&u16::try_from(packet.len()).unwrap().to_be_bytes()).unwrap();
                stream.write_all(packet).unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut reply).unwrap();
                reply
            }
        }
    }

    fn send(&self, packet: &[u8]) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(packet, self.address).unwrap();
        socket
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        drop(self.drain.take());
        self.door.take().unwrap().join().unwrap();
    }
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut reply = vec![0; 65_535];
    let length = socket.recv(&mut reply).unwrap();
    reply.truncate(length);
    reply
}

/// How a client asks, and how much it takes.
#[derive(Clone, Copy, Debug)]
enum Client {
    Udp,
    UdpTaking(u16),
    Tcp,
}

const A: u16 = 1;
const ID: [u8; 2] = [0x12, 0x34];

/// A packet that asks for a name and wishes that others are asked.
fn packet(name: &str, kind: u16, client: Client) -> Vec<u8> {
    let mut packet = ID.to_vec();
    packet.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        packet.push(u8::try_from(label.len()).unwrap());
        packet.extend_from_slice(label.as_bytes());
    }
    packet.push(0);
    packet.extend_from_slice(&kind.to_be_bytes());
    packet.extend_from_slice(&[0, 1]);
    if let Client::UdpTaking(bytes) = client {
        packet[11] = 1;
        packet.extend_from_slice(&[0, 0, 41]);
        packet.extend_from_slice(&bytes.to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
    }
    packet
}

/// The number of a reply, with `cut` and how many addresses are in it.
fn told(reply: &[u8]) -> String {
    let cut = if reply[2] & 2 == 0 { "" } else { "cut " };
    let lies = if reply.windows(4).any(|bytes| bytes == LIE) { " and a lie" } else { "" };
    format!("{} {cut}{}{lies}", reply[3] & 0xf, u16::from_be_bytes([reply[6], reply[7]]))
}

#[test]
fn answers_come_from_the_first_server_that_has_one() {
    use Client::{Tcp, Udp, UdpTaking};
    use Manner::*;
    let lying = [LiesById { then: true }, LiesByName, LiesByType, LiesByAsking, LiesFromElsewhere];
    // What servers do, who asks; the reply, and how each server was asked.
    let cases: Vec<(Vec<Manner>, Client, &str, &[&str])> = vec![
        (vec![Answers(3)], Udp, "0 3", &["udp"]),
        (vec![Answers(3)], Tcp, "0 3", &["udp"]),
        (vec![Answers(3), Answers(1)], UdpTaking(1232), "0 3", &["udp", ""]),
        (vec![Says(0), Answers(1)], Udp, "0 0", &["udp", ""]),
        (vec![Says(3), Answers(1)], Udp, "3 0", &["udp", ""]),
        (vec![Says(2), Says(5), Says(4), Answers(1)], Udp, "0 1", &["udp", "udp", "udp", "udp"]),
        (vec![IsSilent, Answers(1)], Udp, "0 1", &["udp", "udp"]),
        (vec![IsGone, Answers(1)], Udp, "0 1", &["", "udp"]),
        (vec![LiesById { then: false }, Answers(1)], Udp, "0 1", &["udp", "udp"]),
        (vec![IsSilent, Says(5)], Udp, "2 0", &["udp", "udp"]),
        (vec![IsGone], Tcp, "2 0", &[""]),
        // 29 bytes before the addresses, and 16 for each.
        (vec![Answers(30)], Udp, "0 30", &["udp"]),
        (vec![Answers(31)], Udp, "0 cut 0", &["udp"]),
        (vec![Answers(31)], Tcp, "0 31", &["udp tcp"]),
        (vec![Answers(75)], UdpTaking(1232), "0 75", &["udp"]),
        (vec![Answers(76)], UdpTaking(4096), "0 76", &["udp tcp"]),
        (vec![Answers(1000)], UdpTaking(4096), "0 cut 0", &["udp tcp"]),
        (vec![Answers(4000)], Tcp, "0 4000", &["udp tcp"]),
        (vec![Floods(100)], Udp, "0 cut 0", &["udp"]),
        (vec![Floods(100)], UdpTaking(4096), "0 100", &["udp"]),
        (vec![Floods(300)], Tcp, "0 300", &["udp tcp"]),
        (vec![BreaksTcp, Answers(1)], Tcp, "0 1", &["udp tcp", "udp"]),
    ];
    let lies = lying.into_iter().map(|manner| (vec![manner], Udp, "0 1", &["udp"][..]));
    for (manners, client, reply, ways) in cases.into_iter().chain(lies) {
        let upstreams: Vec<_> = manners.iter().map(|manner| Upstream::start(*manner)).collect();
        let is_waited_for =
            manners.iter().any(|manner| matches!(manner, IsSilent | LiesById { then: false }));
        let wait_max = if is_waited_for { SHORT } else { PATIENCE };
        let names = Names::before(&upstreams.iter().collect::<Vec<_>>(), wait_max);
        let packet = packet("eXample.Org", A, client);
        let found = names.ask(client, &packet);
        assert_eq!(told(&found), reply, "{manners:?} {client:?}");
        assert_eq!(found[..2], ID, "{manners:?}: the number is that of the client");
        assert_eq!(question(&found), question(&packet), "{manners:?}: as it was asked");
        assert_eq!((found[2] & 0x84, found[3] & 0x80), (0x80, 0x80), "{manners:?}: others were asked");
        let asked: Vec<_> = upstreams.iter().map(|upstream| upstream.ways().join(" ")).collect();
        assert_eq!(asked, ways, "{manners:?} {client:?}");
    }
}

#[test]
fn what_is_ours_and_what_nobody_wished_is_not_asked_of_others() {
    let upstream = Upstream::start(Manner::Answers(1));
    let names = Names::before(&[&upstream], PATIENCE);
    let unwished = {
        let mut packet = packet("example.org", A, Client::Udp);
        packet[2] = 0;
        packet
    };
    let other_class = {
        let mut packet = packet("example.org", A, Client::Udp);
        *packet.last_mut().unwrap() = 3;
        packet
    };
    let ask = |name: &str, kind| packet(name, kind, Client::Udp);
    // The catalog is not there, so nothing is said of what is ours.
    for (packet, reply) in [
        (ask("no.service.consul", A), "2 0"),
        (ask("example.org.consul", A), "2 0"),
        (ask("web.service.dc2.CONSUL", A), "2 0"),
        (unwished, "5 0"),
        (other_class, "5 0"),
        (ask("example.org", 252), "5 0"),
        (ask("example.org", 41), "5 0"),
    ] {
        for client in [Client::Udp, Client::Tcp] {
            let found = names.ask(client, &packet);
            assert_eq!(told(&found), reply, "{packet:?}");
            assert_eq!(
                (found[2] & 4, found[3] & 0x80),
                (0, 0x80),
                "not sure, and others can be asked: {packet:?}"
            );
            assert_eq!(question(&found), question(&packet), "what is refused can be told apart");
        }
    }
    assert_eq!(upstream.ways(), [] as [&str; 0]);

    let names = Names::start(Config::default());
    let found = names.ask(Client::Udp, &ask("example.org", A));
    assert_eq!(
        (told(&found).as_str(), found[3] & 0x80),
        ("5 0", 0),
        "nobody is asked unless somebody is named"
    );
}

#[test]
fn nobody_can_guess_how_others_are_asked() {
    const COUNT: usize = 32;
    let upstream = Upstream::start(Manner::Answers(1));
    let names = Names::before(&[&upstream], PATIENCE);
    for _ in 0..COUNT {
        assert_eq!(told(&names.ask(Client::Udp, &packet("example.org", A, Client::Udp))), "0 1");
    }
    let seen = upstream.asked.lock().unwrap();
    let ids: HashSet<_> = seen.iter().map(|seen| &seen.packet[..2]).collect();
    let ports: HashSet<_> = seen.iter().map(|seen| seen.port).collect();
    assert!(ids.len() > COUNT / 2 && ports.len() > COUNT / 2, "{} and {}", ids.len(), ports.len());
}

#[test]
fn others_are_told_what_the_client_wants_and_no_more() {
    let upstream = Upstream::start(Manner::Answers(1));
    let names = Names::before(&[&upstream], PATIENCE);
    let mut asked = packet("example.org", A, Client::UdpTaking(4096));
    // It checks signatures itself and wants them; and it has an option, which is between it and us.
    asked[3] |= 0x10;
    let end = asked.len();
    asked[end - 4] |= 0x80;
    asked[end - 1] = 5;
    asked.extend_from_slice(&[0, 12, 0, 1, 0]);
    assert_eq!(told(&names.ask(Client::Udp, &asked)), "0 1");
    let seen = upstream.asked.lock().unwrap()[0].packet.clone();
    assert_eq!(seen[2..12], [1, 0x10, 0, 1, 0, 0, 0, 0, 0, 1]);
    let rest = &seen[12 + question(&seen).len()..];
    assert_eq!(rest, [0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0], "1232 bytes");
}

#[test]
fn no_more_is_asked_at_once_than_was_said() {
    let upstream = Upstream::start(Manner::Waits);
    let config = Config {
        upstreams: vec![upstream.address],
        upstream_wait_max: PATIENCE,
        forwards_max: 2,
        ..Config::default()
    };
    let names = Names::start(config);
    let asked = packet("example.org", A, Client::Udp);
    let waiting = [names.send(&asked), names.send(&asked)];
    for client in [Client::Udp, Client::Tcp] {
        assert_eq!(told(&names.ask(client, &asked)), "2 0", "{client:?}");
    }
    let ours = packet("no.service.consul", A, Client::Udp);
    assert_eq!(told(&names.ask(Client::Udp, &ours)), "2 0", "names of ours do not wait for others");
    for socket in &waiting {
        upstream.let_go.send(()).unwrap();
        assert_eq!(told(&receive(socket)), "0 1");
    }
    upstream.let_go.send(()).unwrap();
    assert_eq!(told(&names.ask(Client::Udp, &asked)), "0 1", "and there is room again");
}
