//! Sockets: UDP, and TCP for what does not fit.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coreto_catalog::Catalog;
use coreto_listen::Limits;
use coreto_partition::Replica;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::book::{Book, Outcome};
use crate::forward::Forwarder;
use crate::question::UDP_BYTES_MAX;
use crate::reply::Way;
use crate::zone::Zone;

/// How names are served.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen, over UDP and TCP; port 0 takes any that is free for both. Since 0.1.
    pub address: SocketAddr,
    /// The last labels of our names. Since 0.1.
    pub domain: Arc<str>,
    /// The name of the data centre; names of another one are missing. Since 0.1.
    pub datacenter: Arc<str>,
    /// How many connections over TCP at once; further ones wait to be accepted. Since 0.1.
    pub connections_max: usize,
    /// How long a connection may be silent; while there are as many as may be, a second. Since 0.1.
    pub idle_max: Duration,
    /// Who is asked for names of other domains, in this order, [`UPSTREAMS_MAX`] at most; nobody when it is empty, and
    /// such names are refused then. Since 0.1.
    pub upstreams: Vec<SocketAddr>,
    /// How long each of them has for an answer. Since 0.1.
    pub upstream_wait_max: Duration,
    /// How many such questions are asked at once; further ones fail. Each has a socket of its own. Since 0.1.
    pub forwards_max: usize,
}

/// How many servers are asked for names of other domains: after them a client has given up.
pub const UPSTREAMS_MAX: usize = 4;

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8600)),
            domain: "consul".into(),
            datacenter: "dc1".into(),
            connections_max: 256,
            idle_max: Duration::from_secs(10),
            upstreams: Vec::new(),
            upstream_wait_max: Duration::from_secs(2),
            forwards_max: 256,
        }
    }
}

/// Why names cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen for DNS on `{address}`; give another address, or `off`")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The sockets work no more.
    #[error("cannot serve DNS on `{address}`")]
    Serve {
        /// The address in use.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Bytes of a question that are read: what we say that we take.
const PACKET_BYTES_MAX: usize = UDP_BYTES_MAX;

/// How long a connection may be silent while all are taken.
const IDLE_WHEN_FULL: Duration = Duration::from_secs(1);

/// Bytes of questions that wait to be read, so that a burst of them is not lost; the system may allow fewer.
const WAITING_BYTES: usize = 1 << 20;

/// How often a port that is free for UDP is tried for TCP, when the system may choose.
const PORTS_TRIED: usize = 16;

/// How long to wait when a socket fails.
const PAUSE: Duration = Duration::from_millis(50);

/// Names that are bound to their address. [`Service::run`] serves.
pub struct Service {
    config: Config,
    address: SocketAddr,
    udp: UdpSocket,
    tcp: TcpListener,
    replica: Arc<Replica<Catalog>>,
}

impl Config {
    /// Binds the address. Nothing is served before [`Service::run`].
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn build(self, replica: Arc<Replica<Catalog>>) -> Result<Service, Error> {
        let address = self.address;
        let (udp, tcp) = bind(address).map_err(|source| Error::Bind { address, source })?;
        let address = udp.local_addr().map_err(|source| Error::Bind { address, source })?;
        Ok(Service { config: self, address, udp, tcp, replica })
    }
}

/// The same port for UDP and TCP.
fn bind(address: SocketAddr) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 0;
    // Bound: PORTS_TRIED.
    loop {
        tries += 1;
        let udp = UdpSocket::bind(address)?;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => {
                set_socket_recv_buffer_size(&udp, WAITING_BYTES)?;
                udp.set_nonblocking(true)?;
                tcp.set_nonblocking(true)?;
                return Ok((udp, tcp));
            }
            Err(error) if address.port() != 0 || tries >= PORTS_TRIED => return Err(error),
            Err(_) => (),
        }
    }
}

impl Service {
    /// The address in use, also when the port was left to the system.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves on this thread until `drain` is ready.
    ///
    /// # Errors
    /// When the runtime cannot be made. Failing clients are no error.
    pub fn run(self, drain: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let Self { config, address, udp, tcp, replica } = self;
        let serve_error = |source| Error::Serve { address, source };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(serve_error)?;
        runtime.block_on(async {
            let udp = Arc::new(tokio::net::UdpSocket::from_std(udp).map_err(serve_error)?);
            let tcp = tokio::net::TcpListener::from_std(tcp).map_err(serve_error)?;
            let domain = config.domain.split('.').filter(|label| !label.is_empty());
            let zone = Zone {
                domain: domain.map(str::to_lowercase).collect(),
                datacenter: config.datacenter.to_lowercase().into(),
                address: Some(address.ip()).filter(|address| !address.is_unspecified()),
            };
            let Config { connections_max, idle_max, mut upstreams, upstream_wait_max, forwards_max, .. } =
                config;
            upstreams.truncate(UPSTREAMS_MAX);
            let door = Arc::new(Door {
                book: Book::new(zone, !upstreams.is_empty(), replica),
                forwarder: Forwarder::new(upstreams, upstream_wait_max, forwards_max),
                connections: AtomicUsize::new(0),
                connections_max,
            });
            // Nobody is in the midst of anything for long: who asks by TCP asks again.
            let limits = Limits { what: "DNS", connections_max, drain_max: Duration::ZERO };
            let one = |stream| connection(stream, Arc::clone(&door), idle_max);
            tokio::select! {
                () = datagrams(&udp, &door) => (),
                () = coreto_listen::serve(&tcp, limits, drain, one) => (),
            }
            Ok(())
        })
    }
}

/// What knows replies.
struct Door {
    book: Book,
    forwarder: Forwarder,
    /// Connections that are open, and that may be.
    connections: AtomicUsize,
    connections_max: usize,
}

async fn datagrams(socket: &Arc<tokio::net::UdpSocket>, door: &Arc<Door>) {
    let mut packet = vec![0; PACKET_BYTES_MAX];
    // Bound: until the server drains.
    loop {
        match socket.recv_from(&mut packet).await {
            Ok((length, from)) => match door.book.answer(&packet[..length], Way::Udp) {
                None => (),
                Some(Outcome::Reply(reply)) => send(socket, &reply, from).await,
                Some(Outcome::Forward(asked, question)) => {
                    let place = door.forwarder.place();
                    let (socket, door) = (Arc::clone(socket), Arc::clone(door));
                    let forward = async move {
                        let reply = door.forwarder.ask(&asked, &question, Way::Udp, place).await;
                        send(&socket, &reply, from).await;
                    };
                    // Others are not kept waiting meanwhile. What has no place has its reply already.
                    drop(tokio::spawn(forward));
                }
            },
            Err(error) => {
                // A client that is gone is told of on the next call, too.
                tracing::debug!(%error, "a DNS question was not received");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn send(socket: &tokio::net::UdpSocket, reply: &[u8], to: SocketAddr) {
    if let Err(error) = socket.send_to(reply, to).await {
        tracing::debug!(%error, "a DNS reply was not sent");
    }
}

/// Questions and replies with their lengths before them, until the client is silent.
async fn connection(mut stream: TcpStream, door: Arc<Door>, idle_max: Duration) {
    let _place = Taken::of(&door.connections);
    let mut packet = Vec::new();
    // Bound: until the client is done or silent.
    while speaks(&stream, &door, idle_max).await {
        let exchange = async {
            let length = usize::from(stream.read_u16().await.ok()?);
            if length > PACKET_BYTES_MAX {
                return None;
            }
            packet.resize(length, 0);
            stream.read_exact(&mut packet).await.ok()?;
            let reply = match door.book.answer(&packet, Way::Tcp)? {
                Outcome::Reply(reply) => reply,
                Outcome::Forward(asked, question) => {
                    let place = door.forwarder.place();
                    door.forwarder.ask(&asked, &question, Way::Tcp, place).await
                }
            };
            let head = u16::try_from(reply.len()).ok()?.to_be_bytes();
            stream.write_all(&[&head[..], &reply].concat()).await.ok()
        };
        match tokio::time::timeout(idle_max, exchange).await {
            Ok(Some(())) => (),
            Ok(None) | Err(_) => return,
        }
    }
}

/// Whether a client says something before its time is over, which is short while all connections are taken.
async fn speaks(stream: &TcpStream, door: &Door, idle_max: Duration) -> bool {
    let mut left = idle_max;
    // Bound: the time that is left becomes less with each round.
    while !left.is_zero() {
        let slice = left.min(IDLE_WHEN_FULL);
        if let Ok(said) = tokio::time::timeout(slice, stream.peek(&mut [0])).await {
            return said.is_ok_and(|bytes| bytes > 0);
        }
        if door.connections.load(Ordering::Relaxed) >= door.connections_max {
            return false;
        }
        left -= slice;
    }
    false
}

/// One of the connections that are open.
struct Taken<'a>(&'a AtomicUsize);

impl<'a> Taken<'a> {
    fn of(open: &'a AtomicUsize) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
