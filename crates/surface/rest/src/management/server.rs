//! Listening, connections, and the drain.

use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use coreto_listen::Limits;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::clock::Clock;
use super::health::Health;
use super::metrics::Metrics;
use super::route;

/// How the management server listens.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes any free one. Since 0.1.
    pub address: SocketAddr,
    /// How many connections at once; further ones wait to be accepted. Since 0.1.
    pub connections_max: usize,
    /// The largest body in bytes. Since 0.1.
    pub body_bytes_max: usize,
    /// How long a client may take to send a request's head. Since 0.1.
    pub head_timeout: Duration,
    /// How long a drain may take before connections are cut. Since 0.1.
    pub drain_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 9600)),
            connections_max: 256,
            body_bytes_max: 16 << 10,
            head_timeout: Duration::from_secs(30),
            drain_max: Duration::from_secs(5),
        }
    }
}

/// What the management server tells about.
pub struct Parts {
    /// How the program is.
    pub health: Arc<dyn Health>,
    /// Its numbers.
    pub metrics: Arc<dyn Metrics>,
    /// Its clock, if that is controllable.
    pub clock: Option<Arc<dyn Clock>>,
}

/// Why the management server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen for management on `{address}`")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The listener works no more.
    #[error("cannot serve management on `{address}`")]
    Serve {
        /// The address in use.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A management server that is bound to its address. [`Service::run`] serves.
pub struct Service {
    config: Config,
    address: SocketAddr,
    listener: TcpListener,
    parts: Arc<Parts>,
}

impl Config {
    /// Binds the address. Nothing is served before [`Service::run`].
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn build(self, parts: Parts) -> Result<Service, Error> {
        let address = self.address;
        let bind_error = |source| Error::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind_error)?;
        listener.set_nonblocking(true).map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        Ok(Service { config: self, address, listener, parts: Arc::new(parts) })
    }
}

impl Service {
    /// The address in use, also when the port was left to the system.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves on this thread until `drain` is ready and all requests are answered, or [`Config::drain_max`]
    /// is over.
    ///
    /// # Errors
    /// When the runtime cannot be made. Failing connections are no error.
    pub fn run(self, drain: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let address = self.address;
        let serve_error = |source| Error::Serve { address, source };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(serve_error)?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener).map_err(serve_error)?;
            let (announce, drained) = watch::channel(false);
            let Config { connections_max, drain_max, .. } = self.config;
            let limits = Limits { what: "management", connections_max, drain_max };
            let drain = async {
                drain.await;
                let _ = announce.send(true);
            };
            let one =
                |stream| connection(stream, self.config.clone(), Arc::clone(&self.parts), drained.clone());
            coreto_listen::serve(&listener, limits, drain, one).await;
            Ok(())
        })
    }
}

async fn connection(
    stream: TcpStream,
    config: Config,
    parts: Arc<Parts>,
    mut drained: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let parts = Arc::clone(&parts);
        async move { route::answer(&parts, config.body_bytes_max, request).await }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(config.head_timeout);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = async { drop(drained.wait_for(|drained| *drained).await) } => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a management connection broke");
    }
}
