//! The checkpoint thread: writes what changed to the store once it is durable, and snapshots at times.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use coreto_log::{PartitionLog, PartitionName, Retention};
use coreto_machine::{Changes, Machine};

use super::journal::describe;
use crate::shared::Shared;
use crate::store::{Store, write_snapshot};

/// What changed up to and with a batch.
pub(super) struct Checkpoint {
    pub(super) sequence: u64,
    pub(super) changes: Changes,
}

/// What executor and checkpoint thread tell each other.
#[derive(Default)]
pub(super) struct Progress {
    /// Checkpoints handed over and not written yet.
    pub(super) waiting: AtomicUsize,
    /// The store failed and is empty now: everything must be written again.
    pub(super) store_lost: AtomicBool,
    /// The log was lost: what waits must not be written.
    pub(super) abandoned: AtomicBool,
}

/// When snapshots are due.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotPolicy {
    /// After so many bytes of log.
    pub log_bytes: u64,
    /// After so much time, if anything happened.
    pub interval: Duration,
    /// How long readers hold the log back.
    pub retention: Retention,
}

impl Default for SnapshotPolicy {
    fn default() -> Self {
        Self { log_bytes: 1 << 30, interval: Duration::from_mins(30), retention: Retention::default() }
    }
}

/// The checkpoint thread of one partition.
pub(super) struct CheckpointWriter<M: Machine, L> {
    pub(super) log: Arc<L>,
    pub(super) name: PartitionName,
    pub(super) store: Box<dyn Store>,
    pub(super) shared: Arc<Shared<M>>,
    pub(super) progress: Arc<Progress>,
    pub(super) policy: SnapshotPolicy,
    pub(super) last_snapshot: Snapshot,
}

/// When the last snapshot was made.
pub(super) struct Snapshot {
    pub(super) at: Instant,
    pub(super) sequence: u64,
    pub(super) log_bytes: u64,
}

impl<M: Machine, L: PartitionLog> CheckpointWriter<M, L> {
    /// Works until the executor hangs up. Gives the store back.
    pub(super) fn run(mut self, checkpoints: &Receiver<Checkpoint>) -> Box<dyn Store> {
        while let Ok(checkpoint) = checkpoints.recv() {
            let sequence = checkpoint.sequence;
            if self.wait_until_durable(sequence) {
                self.write(checkpoint);
                self.snapshot_if_due(sequence);
            }
            self.progress.waiting.fetch_sub(1, Ordering::AcqRel);
        }
        self.store
    }

    /// Whether the batch has become durable; it never will when the log was lost.
    fn wait_until_durable(&self, sequence: u64) -> bool {
        while self.shared.durable() < sequence {
            if self.progress.abandoned.load(Ordering::Acquire) {
                return false;
            }
            self.shared.wait_durable(sequence - 1, Duration::from_millis(100));
        }
        true
    }

    fn write(&mut self, Checkpoint { sequence, changes }: Checkpoint) {
        if self.progress.store_lost.load(Ordering::Acquire) {
            return;
        }
        match self.store.write(sequence, changes.into_entries()) {
            Ok(()) => {
                self.shared.counters.checkpoints.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::error!(
                    partition = %self.name,
                    error = describe(&error),
                    "the store failed and is discarded; it is written again from memory"
                );
                if let Err(error) = self.store.discard() {
                    tracing::error!(partition = %self.name, error = describe(&error), "the store cannot be made anew");
                }
                self.progress.store_lost.store(true, Ordering::Release);
                self.shared.wake();
            }
        }
    }

    fn snapshot_if_due(&mut self, sequence: u64) {
        let log_bytes = self.shared.counters.bytes.load(Ordering::Relaxed);
        let written = log_bytes - self.last_snapshot.log_bytes;
        let due = written >= self.policy.log_bytes || self.last_snapshot.at.elapsed() >= self.policy.interval;
        if !due || sequence == self.last_snapshot.sequence || self.progress.store_lost.load(Ordering::Acquire)
        {
            return;
        }
        self.last_snapshot = Snapshot { at: Instant::now(), sequence, log_bytes };
        let store = &*self.store;
        let mut write =
            |out: &mut dyn std::io::Write| write_snapshot(store, out).map_err(std::io::Error::other);
        let made = self.log.put_snapshot(&self.name, sequence, &mut write);
        let trimmed = made.and_then(|_| self.log.trim(&self.name, self.policy.retention));
        if let Err(error) = trimmed {
            tracing::warn!(
                partition = %self.name,
                error = describe(&error),
                "no snapshot could be made, so the log is not trimmed"
            );
        }
    }
}
