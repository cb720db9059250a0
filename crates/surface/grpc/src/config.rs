//! What can be set, and what can go wrong with it.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use coreto_engine::Limits;

use crate::backend::Backend;
use crate::outlet::Outlet;
use crate::server::Service;
use crate::tls;
use crate::watch::Watcher;

/// How the gateway listens. [`Config::default`] is right for one machine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes any free one. Since 0.1.
    pub address: SocketAddr,
    /// Certificate and key; plain text without. Since 0.1.
    pub tls: Option<Tls>,
    /// The largest request in bytes. A larger limit lets one client hold more memory. Since 0.1.
    pub message_bytes_max: usize,
    /// How many connections at once; further ones wait to be accepted. Since 0.1.
    pub connections_max: usize,
    /// How many calls at once on a connection, parked polls and streams included. Since 0.1.
    pub calls_per_connection_max: u32,
    /// How many polls and job streams at once, per thread. Each holds some kilobytes. Since 0.1.
    pub waiting_max: usize,
    /// How many may watch records at once. Each has a thread and up to some 16 MB of records under way. Since 0.1.
    pub watches_max: usize,
    /// How often an idle connection is asked whether it lives. Shorter finds dead clients sooner. Since 0.1.
    pub keep_alive_interval: Duration,
    /// How long the client may take to answer that. Since 0.1.
    pub keep_alive_timeout: Duration,
    /// How long a command may take; then the client gets `DEADLINE_EXCEEDED`, and the outcome is unknown. Since 0.1.
    pub request_timeout: Duration,
    /// How long a poll for jobs waits that does not say so itself. Since 0.1.
    pub poll_timeout: Duration,
    /// How many jobs may be under way to a stream whose client has not read them yet. More is faster over long
    /// lines; what is under way to a client that stops reading is held up until it is given back. Since 0.1.
    pub stream_credit: u32,
    /// How long a stream may leave jobs unread before they are given back. Since 0.1.
    pub stream_stall: Duration,
    /// How long a drain may take before connections are cut. Since 0.1.
    pub drain_max: Duration,
    /// How long names and lists in requests may be; those of the engine, which checks commands by the same. Since 0.1.
    pub limits: Limits,
    /// A name for the cluster, told in `Topology`. Since 0.1.
    pub cluster_id: String,
}

/// Files for TLS, in PEM format.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate chain, ours first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 26500)),
            tls: None,
            message_bytes_max: 4 << 20,
            connections_max: 10_000,
            calls_per_connection_max: 100_000,
            waiting_max: 100_000,
            watches_max: 32,
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(15),
            poll_timeout: Duration::from_secs(10),
            stream_credit: 64,
            stream_stall: Duration::from_secs(2),
            drain_max: Duration::from_secs(10),
            limits: Limits::default(),
            cluster_id: String::new(),
        }
    }
}

impl Config {
    /// Binds the address and reads the files. Nothing is served before [`Service::run`].
    ///
    /// # Errors
    /// When the address cannot be bound or certificate and key cannot be used.
    pub fn build(
        self,
        backend: Arc<dyn Backend>,
        outlet: Arc<Outlet>,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Service, Error> {
        let address = self.address;
        let tls = self.tls.as_ref().map(tls::acceptor).transpose()?;
        let listener = TcpListener::bind(address).map_err(|source| Error::Bind { address, source })?;
        Service::new(self, listener, tls, backend, outlet, watcher)
    }
}

/// Why the gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen for gRPC on `{address}`")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The listener works no more.
    #[error("cannot serve gRPC on `{address}`")]
    Serve {
        /// The address in use.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A file for TLS cannot be read.
    #[error("cannot read {what} from `{path}`: {reason}")]
    TlsFile {
        /// What should have been there.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Certificate and key do not go together, or not with this program.
    #[error("cannot use the certificate in `{certificate}` with the key in `{key}`")]
    Tls {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: tokio_rustls::rustls::Error,
    },
}
