//! One endpoint of a cluster, as it is known on the whole node.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Semaphore;

use crate::model::Endpoint;

/// One endpoint.
#[derive(Debug)]
pub struct Member {
    /// Where it is, and its share.
    pub endpoint: Endpoint,
    pub(super) room: Arc<Room>,
    /// Whether checks have found it bad.
    failing: AtomicBool,
    counts: Arc<Tries>,
}

/// What was sent to an endpoint, over all workers.
#[derive(Debug, Default)]
pub struct Tries {
    /// Requests, those that were tried again each time.
    pub all: AtomicU64,
    /// Those that it failed: 5xx, 429, refused, reset, out of time.
    pub failed: AtomicU64,
}

/// How many connections there may be to an endpoint, over all workers.
#[derive(Debug)]
pub(super) struct Room {
    /// Those that there may still be.
    pub(super) connections: Arc<Semaphore>,
    /// Requests that wait for one.
    pub(super) wanted: AtomicU32,
}

impl Member {
    pub(super) fn new(endpoint: Endpoint, connections: u32) -> Self {
        let (room, failing) = (Arc::new(Room::new(connections)), AtomicBool::new(false));
        Self { endpoint, room, failing, counts: Arc::default() }
    }

    /// The same endpoint with another share.
    pub(super) fn with(&self, endpoint: Endpoint) -> Self {
        let (room, counts) = (Arc::clone(&self.room), Arc::clone(&self.counts));
        Self { endpoint, room, failing: AtomicBool::new(self.is_failing()), counts }
    }

    /// The same endpoint, of which checks have found nothing yet.
    pub(super) fn untested(&self) -> Self {
        let (endpoint, room) = (self.endpoint.clone(), Arc::clone(&self.room));
        Self { endpoint, room, failing: AtomicBool::new(false), counts: Arc::clone(&self.counts) }
    }

    /// The same endpoint, to which other connections are made. `failing`: whether what checks have found still holds.
    pub(super) fn anew(&self, connections: u32, failing: bool) -> Self {
        let failing = AtomicBool::new(failing && self.is_failing());
        let (endpoint, counts) = (self.endpoint.clone(), Arc::clone(&self.counts));
        Self { endpoint, room: Arc::new(Room::new(connections)), failing, counts }
    }

    /// What was sent to it.
    pub fn tries(&self) -> &Tries {
        &self.counts
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.endpoint.address
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    pub(super) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// Whether it would take requests if it was not left out.
    pub(super) fn is_available(&self) -> bool {
        !self.is_failing() && self.endpoint.weight > 0
    }
}

impl Room {
    fn new(connections: u32) -> Self {
        let connections = usize::try_from(connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { connections: Arc::new(Semaphore::new(connections)), wanted: AtomicU32::new(0) }
    }
}
