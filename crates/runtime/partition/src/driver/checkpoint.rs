//! The checkpoint thread: writes what changed to the store once it is durable, and snapshots at times.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use coreto_log::{PartitionLog, PartitionName, Retention, SnapshotMeta};
use coreto_machine::{Changes, Machine};

use super::journal::describe;
use super::schedule::{PAUSE, Schedule};
use crate::priority::go_last;
use crate::shared::Shared;
use crate::store::{Store, write_snapshot};

/// What changed up to and with a batch.
pub(super) struct Checkpoint {
    pub(super) sequence: u64,
    pub(super) changes: Changes,
    /// The store has everything once it has these.
    pub(super) is_whole: bool,
}

/// What executor and checkpoint thread tell each other.
#[derive(Default)]
pub(super) struct Progress {
    /// Checkpoints handed over and not written yet.
    pub(super) waiting: AtomicUsize,
    /// The store failed and is empty now: everything must be written again.
    pub(super) store_lost: AtomicBool,
    /// How often the store has failed since it last had everything.
    pub(super) store_failures: AtomicU32,
    /// The log was lost: what waits must not be written.
    pub(super) abandoned: AtomicBool,
    /// The checkpoint thread has ended, be it by a panic.
    pub(super) ended: AtomicBool,
}

/// Says that the checkpoint thread ends, however it does.
struct Farewell(Arc<Progress>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

/// The checkpoint thread of one partition.
pub(super) struct CheckpointWriter<M: Machine, L> {
    pub(super) log: Arc<L>,
    pub(super) name: PartitionName,
    pub(super) store: Box<dyn Store>,
    pub(super) shared: Arc<Shared<M>>,
    pub(super) progress: Arc<Progress>,
    /// What the store holds all batches up to; nothing when it is empty.
    pub(super) applied: Option<u64>,
    pub(super) retention: Retention,
    pub(super) schedule: Schedule,
}

impl<M: Machine, L: PartitionLog> CheckpointWriter<M, L> {
    /// Works until the executor hangs up. Gives the store back.
    pub(super) fn run(mut self, checkpoints: &Receiver<Checkpoint>) -> Box<dyn Store> {
        let _farewell = Farewell(Arc::clone(&self.progress));
        go_last();
        loop {
            match checkpoints.recv_timeout(PAUSE) {
                Ok(checkpoint) => {
                    if self.wait_until_durable(checkpoint.sequence) {
                        self.write(checkpoint);
                        self.snapshot_if_due();
                    }
                    self.progress.waiting.fetch_sub(1, Ordering::AcqRel);
                    // While the store is filled the executor waits to give more.
                    if self.applied.is_none() {
                        self.shared.wake();
                    }
                }
                // A snapshot that failed, or the disk, does not wait for new work.
                Err(RecvTimeoutError::Timeout) => self.snapshot_if_due(),
                Err(RecvTimeoutError::Disconnected) => return self.store,
            }
        }
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

    fn write(&mut self, Checkpoint { sequence, changes, is_whole }: Checkpoint) {
        if self.progress.store_lost.load(Ordering::Acquire) {
            return;
        }
        self.applied = is_whole.then_some(sequence);
        match self.store.write(self.applied, changes.into_entries()) {
            Ok(()) if !is_whole => (),
            Ok(()) => {
                self.progress.store_failures.store(0, Ordering::Release);
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
                self.applied = None;
                self.progress.store_failures.fetch_add(1, Ordering::AcqRel);
                self.progress.store_lost.store(true, Ordering::Release);
                self.shared.wake();
            }
        }
    }

    fn snapshot_if_due(&mut self) {
        let Some(sequence) = self.applied else { return };
        let counted = self.shared.counters.bytes.load(Ordering::Relaxed);
        let free_bytes = self.shared.free_bytes.load(Ordering::Relaxed);
        let is_space_low = free_bytes < self.shared.limits.free_bytes_new_work;
        let now = Instant::now();
        if !self.schedule.is_due(sequence, counted, is_space_low, now) {
            return;
        }
        if self.schedule.is_behind(sequence) {
            match self.snapshot(sequence) {
                Ok(_) => self.schedule.made(sequence, counted, now),
                Err(error) => {
                    self.schedule.failed(now);
                    tracing::warn!(partition = %self.name, error = describe(&error), "no snapshot could be made");
                }
            }
        } else {
            self.schedule.trimmed(now);
        }
        // Earlier snapshots, and readers that went on, may let something go even if there is no new one.
        if let Err(error) = self.log.trim(&self.name, self.retention) {
            tracing::warn!(partition = %self.name, error = describe(&error), "the log is not trimmed");
        }
    }

    fn snapshot(&self, sequence: u64) -> Result<SnapshotMeta, coreto_log::Error> {
        let store = &*self.store;
        let mut write =
            |out: &mut dyn std::io::Write| write_snapshot(store, out).map_err(std::io::Error::other);
        self.log.put_snapshot(&self.name, sequence, &mut write)
    }
}
