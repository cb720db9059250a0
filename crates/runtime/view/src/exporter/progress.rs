//! How far an exporter is, for whoever looks.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use coreto_machine::Timestamp;

/// How far an exporter is.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) sequence: AtomicU64,
    pub(super) position: AtomicU64,
    pub(super) timestamp: AtomicI64,
    pub(super) records: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) halted: AtomicBool,
}

impl Progress {
    /// The last batch whose records have all arrived.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// The last record that has arrived, or that was left out.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// The time of that record; the lag is the time since then, if there is a later one.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.timestamp.load(Ordering::Relaxed))
    }

    /// Records that have arrived since the start, repeats included.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Batches that were trimmed before they could be exported.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Failed attempts to send.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether the exporter met a batch that it cannot decode, and exports nothing any more.
    pub fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }
}
