//! What is to be done with a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderValue;

use crate::model::{Protocol, Timeouts};

/// Where a request may go, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where to.
    pub cluster: Arc<Cluster>,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// When it is sent again.
    pub retry: Retry,
    /// Protocols that it may switch to, in lower case.
    pub upgrades: Arc<[String]>,
    /// The largest body in bytes, when there is a bound.
    pub body_bytes_max: Option<u64>,
}

/// Endpoints that do the same.
#[derive(Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its number: connections of one cluster are not used for another.
    pub number: usize,
    /// Where its endpoints are.
    pub endpoints: Vec<SocketAddr>,
    /// What is spoken to them.
    pub protocol: Protocol,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long an unused connection is kept.
    pub idle: Duration,
    /// The endpoint that was chosen last.
    pub last: AtomicUsize,
}

/// When a request is sent again.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Tries after the first.
    pub attempts: u32,
    /// Whether methods that are not idempotent may happen twice.
    pub unsafe_methods: bool,
    /// So much of a body is kept for another try, in bytes.
    pub body_bytes_max: usize,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 1, unsafe_methods: false, body_bytes_max: 64 << 10 }
    }
}

impl Order {
    pub(super) fn allows_switch_to(&self, protocol: &HeaderValue) -> bool {
        self.upgrades.iter().any(|allowed| protocol.as_bytes().eq_ignore_ascii_case(allowed.as_bytes()))
    }
}

impl Cluster {
    /// An endpoint, another than `not` if there is one.
    pub fn choose(&self, not: Option<SocketAddr>) -> Option<SocketAddr> {
        let count = self.endpoints.len();
        let first = self.last.fetch_add(1, Ordering::Relaxed);
        let mut turns = (0..count).map(|turn| self.endpoints[(first + turn) % count]);
        turns.find(|endpoint| Some(*endpoint) != not).or(not.filter(|_| count > 0))
    }
}
