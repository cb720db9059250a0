//! How a listener treats its clients.

use std::net::SocketAddr;

use super::Tls;
use crate::gate::Limits;
use crate::model::Clocks;

/// One listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes any free one.
    pub address: SocketAddr,
    /// Certificates, when connections are encrypted.
    pub tls: Option<Tls>,
    /// How many threads serve.
    pub workers: usize,
    /// How large messages may be.
    pub limits: Limits,
    /// How long clients may take.
    pub clocks: Clocks,
    /// Open connections; more are closed at once.
    pub connections_max: usize,
    /// Open connections of one address; more are closed at once.
    pub connections_per_address_max: usize,
    /// Streams of one HTTP/2 connection at a time.
    pub streams_max: u32,
    /// Whether what clients say of the way a request came is believed.
    pub trusted: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8000)),
            tls: None,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            limits: Limits::default(),
            clocks: Clocks::default(),
            connections_max: 10_000,
            connections_per_address_max: 1_000,
            streams_max: 100,
            trusted: false,
        }
    }
}
