//! Sockets: UDP, and TCP for what does not fit.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use coreto_catalog::Catalog;
use coreto_listen::Limits;
use coreto_partition::Replica;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::book::Book;
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
    /// How long a connection may be silent. Since 0.1.
    pub idle_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8600)),
            domain: "consul".into(),
            datacenter: "dc1".into(),
            connections_max: 256,
            idle_max: Duration::from_secs(10),
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

/// Bytes of a question that are read.
const PACKET_BYTES_MAX: usize = 4096;

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
            let udp = tokio::net::UdpSocket::from_std(udp).map_err(serve_error)?;
            let tcp = tokio::net::TcpListener::from_std(tcp).map_err(serve_error)?;
            let domain = config.domain.split('.').filter(|label| !label.is_empty());
            let zone = Zone {
                domain: domain.map(str::to_lowercase).collect(),
                datacenter: config.datacenter.to_lowercase().into(),
            };
            let book = Arc::new(Book::new(zone, replica));
            // Nobody is in the midst of anything for long: who asks by TCP asks again.
            let (connections_max, idle_max) = (config.connections_max, config.idle_max);
            let limits = Limits { what: "DNS", connections_max, drain_max: Duration::ZERO };
            let one = |stream| connection(stream, Arc::clone(&book), idle_max);
            tokio::select! {
                () = datagrams(&udp, &book) => (),
                () = coreto_listen::serve(&tcp, limits, drain, one) => (),
            }
            Ok(())
        })
    }
}

async fn datagrams(socket: &tokio::net::UdpSocket, book: &Book) {
    let mut packet = vec![0; PACKET_BYTES_MAX];
    // Bound: until the server drains.
    loop {
        match socket.recv_from(&mut packet).await {
            Ok((length, from)) => {
                if let Some(reply) = book.answer(&packet[..length], Way::Udp)
                    && let Err(error) = socket.send_to(&reply, from).await
                {
                    tracing::debug!(%error, "a DNS reply was not sent");
                }
            }
            Err(error) => {
                // A client that is gone is told of on the next call, too.
                tracing::debug!(%error, "a DNS question was not received");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Questions and replies with their lengths before them, until the client is silent.
async fn connection(mut stream: TcpStream, book: Arc<Book>, idle_max: Duration) {
    let mut packet = Vec::new();
    // Bound: until the client is done or silent.
    loop {
        let exchange = async {
            let length = usize::from(stream.read_u16().await.ok()?);
            if length > PACKET_BYTES_MAX {
                return None;
            }
            packet.resize(length, 0);
            stream.read_exact(&mut packet).await.ok()?;
            let reply = book.answer(&packet, Way::Tcp)?;
            let head = u16::try_from(reply.len()).ok()?.to_be_bytes();
            stream.write_all(&[&head[..], &reply].concat()).await.ok()
        };
        match tokio::time::timeout(idle_max, exchange).await {
            Ok(Some(())) => (),
            Ok(None) | Err(_) => return,
        }
    }
}
