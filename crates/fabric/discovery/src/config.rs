//! How discovery is served.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use coreto_catalog::Catalog;
use coreto_partition::{Handle, Replica};

use crate::hub::Hub;
use crate::server::Service;

/// How discovery is served.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes any free one. Since 0.1.
    pub address: SocketAddr,
    /// The name of this node, on which services are that register by the agent's paths. Since 0.1.
    pub node: Arc<str>,
    /// The address of this node, for services that give none. Since 0.1.
    pub node_address: Arc<str>,
    /// The name of the data centre; requests for another one are refused. Since 0.1.
    pub datacenter: Arc<str>,
    /// Threads that answer. Since 0.1.
    pub threads: usize,
    /// How many connections at once; further ones wait to be accepted. Since 0.1.
    pub connections_max: usize,
    /// The largest body in bytes. Since 0.1.
    pub body_bytes_max: usize,
    /// How long a client may take to send a request's head, or its body. Since 0.1.
    pub request_timeout: Duration,
    /// How long a strong read waits at most for what was durable when it came in. Since 0.1.
    pub strong_wait_max: Duration,
    /// How long a drain may take before connections are cut. Since 0.1.
    pub drain_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8500)),
            node: "coreto".into(),
            node_address: "127.0.0.1".into(),
            datacenter: "dc1".into(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            connections_max: 16_384,
            body_bytes_max: 1 << 20,
            request_timeout: Duration::from_secs(30),
            strong_wait_max: Duration::from_secs(1),
            drain_max: Duration::from_secs(5),
        }
    }
}

/// What discovery serves from.
pub struct Parts {
    /// The door of the catalog's partition.
    pub handle: Handle<Catalog>,
    /// Its second state.
    pub replica: Arc<Replica<Catalog>>,
    /// Who waits, as the replica wakes them.
    pub hub: Arc<Hub>,
}

/// Why discovery cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen for the catalog on `{address}`; give another address, or `off`")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The listener works no more.
    #[error("cannot serve the catalog on `{address}`")]
    Serve {
        /// The address in use.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
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
        Ok(Service::new(self, address, listener, parts))
    }
}
