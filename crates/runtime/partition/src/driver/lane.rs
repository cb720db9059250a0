//! One partition on its executor: takes what waits, handles it, hands batches on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use coreto_log::PartitionName;
use coreto_machine::{Machine, Timestamp};

use super::checkpoint::{Checkpoint, Progress};
use super::journal::{Ended, Slot};
use crate::clock::Clock;
use crate::door::{Answer, Submission};
use crate::partition::{Partition, Taken};
use crate::shared::Shared;

/// How often owed effects and unacknowledged frames go out again.
const RESEND: Duration = Duration::from_secs(10);

/// From so much on a checkpoint is taken at once, for which nobody waits longer than a millisecond or two. To look at a
/// key whose entry has gone costs less than to take one that is there.
const CHECKPOINT_KEYS: usize = 20_000;
const CHECKPOINT_ENTRIES: usize = 4_000;

/// How long changes wait at most before a checkpoint is taken.
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(500);

/// Checkpoints that may wait for the store.
pub(super) const CHECKPOINTS_WAITING_MAX: usize = 64;

/// Portions of a new store that may wait for it: one more than it works on.
const PORTIONS_WAITING_MAX: usize = 2;

/// How long the executor waits at most to see that a store takes more, while it shuts down.
const STORE_NAP: Duration = Duration::from_millis(10);

/// How long a store that failed twice rests before all is written to it again; twice as long each next time, up to
/// [`REWRITE_MAX`].
const REWRITE: Duration = Duration::from_secs(10);

/// How long a store that keeps failing rests at most.
const REWRITE_MAX: Duration = Duration::from_mins(5);

/// How long the executor sleeps at most, to look at the clock and at what is owed.
const NAP: Duration = Duration::from_secs(1);

/// What a round did.
pub(super) enum Round {
    /// Something; look again at once.
    Worked,
    /// Nothing; look again after this time, or when woken.
    Idle(Duration),
    /// The lane is done.
    Ended(Ended),
}

pub(super) struct Lane<M: Machine> {
    pub(super) name: PartitionName,
    pub(super) partition: Partition<M>,
    pub(super) shared: Arc<Shared<M>>,
    pub(super) slot: Arc<Slot<M>>,
    pub(super) clock: Arc<Clock>,
    pub(super) checkpoints: Option<SyncSender<Checkpoint>>,
    pub(super) progress: Arc<Progress>,
    /// The sequence of the last batch that was sealed.
    pub(super) sequence: u64,
    pub(super) clock_turns: u64,
    pub(super) resent: Instant,
    pub(super) checkpointed: Instant,
    /// When all of the partition was last given to a store that had failed.
    pub(super) rewritten: Option<Instant>,
    /// That was while the server shuts down, which is not done twice.
    pub(super) last_rewrite: bool,
    pub(super) queue: VecDeque<Submission<M>>,
    pub(super) stopping: bool,
}

impl<M: Machine> Drop for Lane<M> {
    /// Nobody hands batches to the log thread any more: it ends, and lets go of the log.
    fn drop(&mut self) {
        self.slot.stop();
    }
}

impl<M: Machine> Lane<M> {
    /// Takes what waits, handles it, and hands a batch on when the log is idle.
    pub(super) fn round(&mut self) -> Round {
        if let Some(ended) = self.slot.ended() {
            return Round::Ended(ended);
        }
        let (now, turns) = self.clock.read();
        if turns != self.clock_turns && self.partition.is_empty() {
            self.clock_turns = turns;
            self.partition.reset_clock(now);
        }
        let worked = self.handle(now);
        self.resend_at_times();
        let handed = !self.partition.is_empty() && self.slot.is_idle();
        if handed {
            self.hand_over();
        }
        if worked || handed {
            return Round::Worked;
        }
        if self.stopping && self.partition.is_empty() && self.slot.is_idle() && self.shared.inbox_is_empty() {
            if !self.has_checkpointed() {
                return Round::Idle(STORE_NAP);
            }
            self.checkpoints = None;
            self.slot.stop();
        }
        self.checkpoint_idle();
        Round::Idle(self.nap(now))
    }

    /// Handles until the queue is empty or the batch is full. Says whether anything was handled.
    fn handle(&mut self, now: Timestamp) -> bool {
        if self.queue.is_empty() {
            self.shared.drain_inbox(&mut self.queue);
        }
        let mut commands = 0u64;
        while !self.partition.is_full() {
            let Some(submission) = self.queue.pop_front() else { break };
            self.partition.take(now, submission);
            commands += 1;
            if self.partition.has_pending() && !self.partition.is_full_of_own() {
                self.partition.take_pending(now);
            }
        }
        while !self.partition.is_full_of_own() && self.queue.is_empty() && self.partition.has_pending() {
            self.partition.take_pending(now);
            commands += 1;
        }
        if !self.partition.is_full_of_own() && self.partition.tick(now) {
            commands += 1;
        }
        self.shared.counters.commands.fetch_add(commands, Ordering::Relaxed);
        commands > 0
    }

    fn hand_over(&mut self) {
        let sealed = self.partition.seal(self.slot.spare());
        if !sealed.payload.is_empty() {
            self.sequence += 1;
        }
        self.slot.put(sealed);
        self.checkpoint_if(|lane| {
            let changed = lane.partition.changed();
            changed.keys >= CHECKPOINT_KEYS
                || changed.entries >= CHECKPOINT_ENTRIES
                || (changed.keys > 0 && lane.checkpointed.elapsed() >= CHECKPOINT_INTERVAL)
        });
    }

    fn checkpoint_idle(&mut self) {
        if self.partition.is_empty() {
            self.checkpoint_if(|lane| {
                lane.partition.changed().keys > 0 && lane.checkpointed.elapsed() >= CHECKPOINT_INTERVAL
            });
        }
    }

    /// Takes the last checkpoint. Says whether there is nothing left to do for the store: one that is being filled gets
    /// everything, unless it fails.
    fn has_checkpointed(&mut self) -> bool {
        if self.progress.store_lost.load(Ordering::Acquire) && self.last_rewrite {
            return true;
        }
        self.checkpoint_if(|_| true);
        let is_lost = self.progress.store_lost.load(Ordering::Acquire);
        self.checkpoints.is_none() || !(is_lost || self.partition.is_rewriting())
    }

    /// Takes a checkpoint as of the last sealed batch, unless the store is too far behind.
    fn checkpoint_if(&mut self, due: impl FnOnce(&Self) -> bool) {
        if self.progress.ended.load(Ordering::Acquire) {
            return self.miss_checkpoints();
        }
        let waiting = self.progress.waiting.load(Ordering::Acquire);
        if self.progress.store_lost.load(Ordering::Acquire) {
            let pause = rewrite_pause(self.progress.store_failures.load(Ordering::Acquire));
            let rests = self.rewritten.is_some_and(|at| at.elapsed() < pause) && !self.stopping;
            if waiting > 0 || rests {
                return;
            }
            self.rewritten = Some(Instant::now());
            self.last_rewrite = self.stopping;
            self.partition.rewrite();
            self.progress.store_lost.store(false, Ordering::Release);
        }
        let is_rewriting = self.partition.is_rewriting();
        let waiting_max = if is_rewriting { PORTIONS_WAITING_MAX } else { CHECKPOINTS_WAITING_MAX };
        if waiting >= waiting_max || !(is_rewriting || due(self)) {
            return;
        }
        let Some(sender) = &self.checkpoints else { return };
        let Taken { changes, is_whole } = self.partition.take_changes();
        let checkpoint = Checkpoint { sequence: self.sequence, changes, is_whole };
        self.progress.waiting.fetch_add(1, Ordering::AcqRel);
        self.checkpointed = Instant::now();
        if sender.try_send(checkpoint).is_err() {
            self.miss_checkpoints();
        }
    }

    /// The checkpoint thread has gone. The store stays where it is, and the log has the rest.
    fn miss_checkpoints(&mut self) {
        if self.checkpoints.take().is_some() {
            tracing::error!(
                partition = %self.name,
                "the checkpoint thread has gone: no more checkpoints and snapshots until the next start"
            );
        }
    }

    /// Tells everybody who waits that the outcome is not known.
    pub(super) fn lose(&mut self, reason: &Arc<str>) {
        for (address, _) in self.partition.seal(Vec::new()).answers {
            address.mailbox.put(address.ticket, Answer::Lost { reason: Arc::clone(reason) });
            address.mailbox.flush();
        }
        for address in self.partition.forget_waiters() {
            address.mailbox.put(address.ticket, Answer::Lost { reason: Arc::clone(reason) });
            address.mailbox.flush();
        }
        self.shared.lose(&mut self.queue, reason);
    }

    fn resend_at_times(&mut self) {
        if self.resent.elapsed() >= RESEND {
            self.resent = Instant::now();
            self.partition.resend();
            self.partition.owe();
        }
    }

    /// What is due waits for the open batch, whose end wakes the executor.
    fn nap(&self, now: Timestamp) -> Duration {
        if !self.partition.is_empty() {
            return NAP;
        }
        let due = self.partition.due().map_or(NAP, |due| {
            let millis = due.as_millis().saturating_sub(now.as_millis());
            Duration::from_millis(u64::try_from(millis).unwrap_or(0))
        });
        due.min(NAP)
    }
}

/// How long a store rests, after so many failures one after another, since it was last written anew: writing it costs as
/// much as all of the state.
fn rewrite_pause(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        more => (REWRITE.saturating_mul(2u32.saturating_pow(more - 2))).min(REWRITE_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_store_that_fails_less_and_less_often() {
        let pauses = [0, 1, 2, 3, 4, 6, 7, 40, u32::MAX].map(|failures| rewrite_pause(failures).as_secs());
        assert_eq!(pauses, [0, 0, 10, 20, 40, 160, 300, 300, 300]);
    }
}
