//! Who was turned away at a listener, and why.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::seldom::Seldom;

/// Connections of one listener that were not served, over all workers.
#[derive(Debug, Default)]
pub struct TurnedAway {
    /// As many as may be were open.
    pub crowded: AtomicU64,
    /// Client and listener did not agree on TLS.
    pub handshake: AtomicU64,
    /// The client sent frames that cost work and carry nothing.
    pub flood: AtomicU64,
    crowd_told: Seldom,
    flood_told: Seldom,
    handshake_told: Seldom,
    accept_told: Seldom,
}

impl TurnedAway {
    /// Counts one for which there was no room. Whether to tell of it.
    pub(crate) fn note_crowd(&self) -> bool {
        self.crowded.fetch_add(1, Ordering::Relaxed);
        self.crowd_told.tell()
    }

    /// Counts a handshake that failed. Whether to tell of it.
    pub(crate) fn note_handshake(&self) -> bool {
        self.handshake.fetch_add(1, Ordering::Relaxed);
        self.handshake_told.tell()
    }

    /// Counts one that was ended for what it sent. Whether to tell of it.
    pub(crate) fn note_flood(&self) -> bool {
        self.flood.fetch_add(1, Ordering::Relaxed);
        self.flood_told.tell()
    }

    /// Whether to tell that none can be accepted.
    pub(crate) fn note_accept(&self) -> bool {
        self.accept_told.tell()
    }
}
