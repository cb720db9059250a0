//! Accepting, one runtime for each worker.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::crowd::Crowd;
use super::worker::Worker;
use super::{Config, Ledger, Rules, Tls, one, two};
use crate::forward::Client;
use crate::wire::{Connection, Socket};

/// Why a listener cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A worker cannot be started.
    #[error("cannot serve `{address}`")]
    Serve {
        /// The address in use.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A listener that is bound to its address. [`Service::run`] serves.
pub struct Service {
    config: Config,
    address: SocketAddr,
    listener: TcpListener,
    rules: Arc<dyn Rules>,
    ledger: Arc<dyn Ledger>,
}

/// How long to wait when no connection can be accepted, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often connections that nobody uses are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Service {
    /// Binds the address. Nothing is served before [`Service::run`].
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn build(config: Config, rules: Arc<dyn Rules>, ledger: Arc<dyn Ledger>) -> Result<Self, Error> {
        let address = config.address;
        let failed = |source| Error::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { config, address, listener, rules, ledger })
    }

    /// The address in use, also when the port was left to the system.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `drain` is ready and all requests have ended, or the time for that is over.
    ///
    /// # Errors
    /// When a worker cannot be started. Failing connections are no error.
    pub fn run(self, drain: impl Future<Output = ()>) -> Result<(), Error> {
        let address = self.address;
        let failed = |source| Error::Serve { address, source };
        let (announce, drained) = watch::channel(false);
        let crowd = Crowd::new(self.config.connections_max, self.config.connections_per_address_max);
        let mut threads = Vec::new();
        for number in 0..self.config.workers.max(1) {
            // All workers accept from one queue: none is lost when a worker ends, and none waits behind a busy one.
            let listener = self.listener.try_clone().map_err(failed)?;
            let (rules, ledger) = (Arc::clone(&self.rules), Arc::clone(&self.ledger));
            let worker = Arc::new(Worker::new(self.config.clone(), rules, ledger, drained.clone()));
            let crowd = Arc::clone(&crowd);
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
            let serve = move || runtime.block_on(work(&worker, listener, &crowd, address.port()));
            let thread =
                std::thread::Builder::new().name(format!("proxy-{number}")).spawn(serve).map_err(failed)?;
            threads.push(thread);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        runtime.block_on(drain);
        announce.send_replace(true);
        for thread in threads {
            let ended = thread.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked")));
            ended.map_err(failed)?;
        }
        Ok(())
    }
}

/// Serves what one worker accepts, until the drain.
async fn work(worker: &Arc<Worker>, listener: TcpListener, crowd: &Arc<Crowd>, port: u16) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut open = JoinSet::new();
    let mut drain = worker.drain.clone();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    // Bound: until the drain.
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(place) = crowd.enter(peer.ip()) {
                        let worker = Arc::clone(worker);
                        open.spawn(async move {
                            connection(&worker, stream, peer, port).await;
                            drop(place);
                        });
                    }
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = open.join_next() => {}
            _ = sweep.tick() => worker.pool.sweep(KEPT_MAX),
            _ = drain.wait_for(|drain| *drain) => break,
        }
    }
    drop(listener);
    let rest = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(worker.config.clocks.drain, rest).await;
    Ok(())
}

/// No connection to an endpoint is kept longer without use.
const KEPT_MAX: Duration = Duration::from_mins(1);

async fn connection(worker: &Arc<Worker>, stream: TcpStream, peer: SocketAddr, port: u16) {
    // Small writes leave at once; a failure only costs time.
    let _ = stream.set_nodelay(true);
    if let Some(tls) = &worker.config.tls {
        return encrypted(worker, tls, stream, peer, port).await;
    }
    let client = Arc::new(Client::new(peer, port, worker.config.trusted));
    let mut connection = Box::new(Connection::new(Socket::plain(stream), Arc::clone(&worker.limits)));
    let preface = poll_fn(|cx| connection.poll_preface(cx));
    match tokio::time::timeout(worker.config.clocks.idle, preface).await {
        Ok(Ok(true)) => two::serve(worker, &client, connection.into_socket()).await,
        Ok(Ok(false)) => one::serve(worker, &client, connection).await,
        Ok(Err(_)) | Err(_) => {}
    }
}

async fn encrypted(worker: &Arc<Worker>, tls: &Tls, stream: TcpStream, peer: SocketAddr, port: u16) {
    let handshake = tokio::time::timeout(worker.config.clocks.handshake, tls.acceptor().accept(stream));
    // A client that cannot be agreed with has been told so by an alert.
    let Ok(Ok(stream)) = handshake.await else { return };
    let session = stream.get_ref().1;
    let shown = session.server_name().and_then(|name| Some((name, tls.shown_for(name)?)));
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    let client =
        Client::new(peer, port, worker.config.trusted).encrypted(shown, certificate.map(AsRef::as_ref));
    let client = Arc::new(client);
    let is_two = session.alpn_protocol() == Some(b"h2");
    let socket = Socket::tls(stream.into());
    if is_two {
        two::serve(worker, &client, socket).await;
    } else {
        let connection = Connection::new(socket, Arc::clone(&worker.limits));
        one::serve(worker, &client, Box::new(connection)).await;
    }
}
