//! Listening, connections, and the drain.

use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::backend::Backend;
use crate::config::{Config, Error};
use crate::gateway::{Gateway, Shared};
use crate::outlet::Outlet;
use crate::router::Router;
use crate::watch::Watcher;

/// A gateway that is bound to its address. [`Service::run`] serves.
pub struct Service {
    shared: Arc<Shared>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

/// Bytes of requests that may be under way on a connection, and in one call. With smaller windows, many small
/// requests wait for window updates.
const CONNECTION_WINDOW: u32 = 8 << 20;
const STREAM_WINDOW: u32 = 1 << 20;

/// How long a client may take to greet.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be accepted, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Service {
    pub(crate) fn new(
        config: Config,
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        backend: Arc<dyn Backend>,
        outlet: Arc<Outlet>,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Self, Error> {
        let address =
            listener.local_addr().map_err(|source| Error::Bind { address: config.address, source })?;
        listener.set_nonblocking(true).map_err(|source| Error::Bind { address, source })?;
        let shared = Arc::new(Shared {
            watches: Arc::new(Semaphore::new(config.watches_max)),
            config,
            backend,
            outlet,
            address,
            watcher,
            drain: watch::Sender::new(false),
            started_at: now(),
            turn: AtomicU32::new(0),
        });
        Ok(Self { shared, listener, tls })
    }

    /// The address in use, also when the port was left to the system.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.address
    }

    /// Serves on this thread (and more when the outlet was made for more) until `drain` is ready and all calls
    /// are answered, or [`Config::drain_max`] is over. Parked polls then end empty, and streams end.
    ///
    /// # Errors
    /// When a runtime cannot be made, or what hands out answers has failed. Failing connections are no error.
    pub fn run(self, drain: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let desks = self.shared.outlet.desks().len();
        let connections = Arc::new(Semaphore::new(self.shared.config.connections_max));
        let mut acceptors = Vec::new();
        for number in 0..desks {
            acceptors.push(self.acceptor(number, Arc::clone(&connections))?);
        }
        let first = acceptors.remove(0);
        std::thread::scope(|scope| {
            let mut others = Vec::new();
            for (number, acceptor) in acceptors.into_iter().enumerate() {
                let name = format!("grpc-{}", number + 1);
                let thread = std::thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, move || acceptor.run())
                    .map_err(|source| self.serve_error(source))?;
                others.push(thread);
            }
            let shared = Arc::clone(&self.shared);
            first.runtime.spawn(async move {
                drain.await;
                shared.drain.send_replace(true);
            });
            let mut served = first.run();
            for thread in others {
                served = served.and(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            served.map_err(|source| self.serve_error(source))
        })
    }

    fn acceptor(&self, number: usize, connections: Arc<Semaphore>) -> Result<Acceptor, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| self.serve_error(source))?;
        let listener = {
            let _inside = runtime.enter();
            let listener = self.listener.try_clone().map_err(|source| self.serve_error(source))?;
            tokio::net::TcpListener::from_std(listener).map_err(|source| self.serve_error(source))?
        };
        let shared = Arc::clone(&self.shared);
        let tls = self.tls.clone();
        Ok(Acceptor { runtime, task: Task { number, shared, listener, tls, connections } })
    }

    fn serve_error(&self, source: std::io::Error) -> Error {
        Error::Serve { address: self.shared.address, source }
    }
}

/// What one thread runs.
struct Acceptor {
    runtime: tokio::runtime::Runtime,
    task: Task,
}

impl Acceptor {
    /// Serves until the drain. If it ends otherwise, the others drain, too.
    fn run(self) -> std::io::Result<()> {
        let _others = Draining(Arc::clone(&self.task.shared));
        self.runtime.block_on(self.task.serve())
    }
}

/// Begins the drain when it is dropped.
struct Draining(Arc<Shared>);

impl Drop for Draining {
    fn drop(&mut self) {
        self.0.drain.send_replace(true);
    }
}

struct Task {
    number: usize,
    shared: Arc<Shared>,
    listener: tokio::net::TcpListener,
    tls: Option<TlsAcceptor>,
    connections: Arc<Semaphore>,
}

impl Task {
    async fn serve(mut self) -> std::io::Result<()> {
        let desk = Arc::clone(&self.shared.outlet.desks()[self.number]);
        let config = &self.shared.config;
        let mut sorter = {
            let (desk, shared) = (Arc::clone(&desk), Arc::clone(&self.shared));
            tokio::spawn(async move { desk.run(&shared).await })
        };
        let router = Router::new(Gateway {
            shared: Arc::clone(&self.shared),
            desk: Arc::clone(&desk),
            number: self.number,
        });
        let http = http(config);
        let mut open = JoinSet::new();
        let mut drained = self.shared.drain.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                _ = open.join_next(), if !open.is_empty() => continue,
                // Without it, no call is answered any more.
                ended = &mut sorter => match ended {
                    Ok(never) => match never {},
                    Err(error) => return Err(std::io::Error::other(error)),
                },
                () = until(&mut drained) => break,
            };
            let (stream, permit) = accepted;
            let connection = connection(
                stream,
                self.tls.clone(),
                http.clone(),
                router.clone(),
                self.shared.drain.subscribe(),
            );
            let outlet = Arc::clone(&self.shared.outlet);
            outlet.connections.fetch_add(1, Ordering::Relaxed);
            open.spawn(async move {
                connection.await;
                outlet.connections.fetch_sub(1, Ordering::Relaxed);
                drop(permit);
            });
        }
        let unread = desk.local().sinks.drain();
        self.shared.outlet.give_back(&*self.shared.backend, unread);
        let drain_max = self.shared.config.drain_max;
        if tokio::time::timeout(drain_max, async { while open.join_next().await.is_some() {} }).await.is_err()
        {
            tracing::info!(connections = open.len(), "connections are cut: the drain took too long");
        }
        drop(open);
        sorter.abort();
        Ok(())
    }

    async fn accept(&mut self) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
        let permit = Arc::clone(&self.connections).acquire_owned().await.expect("it is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return (stream, permit),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a gRPC connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

type Http = http2::Builder<TokioExecutor>;

fn http(config: &Config) -> Http {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .max_concurrent_streams(config.calls_per_connection_max)
        .keep_alive_interval(config.keep_alive_interval)
        .keep_alive_timeout(config.keep_alive_timeout)
        // Clients look at no date, and it costs a header in every answer.
        .auto_date_header(false);
    http
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    http: Http,
    router: Router,
    drained: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a gRPC connection ended before it began");
        return;
    }
    let Some(tls) = tls else {
        return talk(stream, &http, router, drained).await;
    };
    match tokio::time::timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => talk(stream, &http, router, drained).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    http: &Http,
    router: Router,
    mut drained: watch::Receiver<bool>,
) {
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), router));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = until(&mut drained) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a gRPC connection broke");
    }
}

fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

/// Waits for the drain to begin.
async fn until(drained: &mut watch::Receiver<bool>) {
    // The sender goes only when the program ends, which is a reason to end too.
    let _ = drained.wait_for(|drained| *drained).await;
}
