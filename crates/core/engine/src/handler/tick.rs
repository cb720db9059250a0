//! Doing what has become due.

use coreto_machine::{Head, Txn};
use coreto_record::event::{JobChanged, JobIntent, MessageChanged, MessageIntent};
use coreto_record::{Event, JobKey, Key, MessageKey, TimerKey};

use super::{Handled, distribution, done};
use crate::engine::Engine;
use crate::jobs;
use crate::state::{DUE_BACKOFF, DUE_DISTRIBUTION, DUE_MESSAGE, DUE_TIMER, Due};
use crate::subscription::timer;

/// Does a bounded part of what is due; the rest comes with the next tick.
pub(crate) fn tick(txn: &mut Txn<'_, Engine>, head: &Head) -> Handled {
    let limit = txn.env().limits.due_per_tick;
    let bytes_max = txn.env().limits.repeated_bytes_max();
    let mut bytes = 0;
    for (_, kind, key) in due(txn, head, limit) {
        match kind {
            DUE_TIMER => timer::fire(txn, head, TimerKey::from_raw(key)),
            DUE_MESSAGE => bytes += expire(txn, MessageKey::from_raw(key)),
            DUE_DISTRIBUTION => distribution::answer_anyway(txn, key),
            _ => {
                let job = JobKey::from_raw(key);
                end_wait(txn, kind, job);
                jobs::offer(txn, head, job);
            }
        }
        if bytes >= bytes_max {
            break;
        }
    }
    done()
}

/// A tick failed: what is due first is done alone, and its job is not offered to anybody, so that it cannot hold up
/// all that is due behind it. Workers find the job when they ask. A timer is cancelled.
pub(super) fn pass_first(txn: &mut Txn<'_, Engine>, head: &Head) -> Handled {
    for (_, kind, key) in due(txn, head, 1) {
        match kind {
            DUE_TIMER => timer::give_up(txn, TimerKey::from_raw(key)),
            DUE_MESSAGE => {
                expire(txn, MessageKey::from_raw(key));
            }
            DUE_DISTRIBUTION => distribution::answer_anyway(txn, key),
            _ => end_wait(txn, kind, JobKey::from_raw(key)),
        }
    }
    done()
}

fn due(txn: &Txn<'_, Engine>, head: &Head, limit: usize) -> Vec<Due> {
    txn.state().due.range(..).take_while(|(at, ..)| *at <= head.now).take(limit).copied().collect()
}

/// Ends the life of a message. Gives the bytes that it put on record again.
fn expire(txn: &mut Txn<'_, Engine>, key: MessageKey) -> usize {
    let Some(message) = txn.state().messages.get(&key) else { return 0 };
    let expired = MessageChanged { to: MessageIntent::Expired, ..MessageChanged::clone(&message) };
    txn.emit(&Event::Message(expired));
    message.variables.as_str().len()
}

/// Ends the time that a worker has for a job, or the job's back-off: it may be handed out now.
fn end_wait(txn: &mut Txn<'_, Engine>, kind: u8, key: JobKey) {
    let Some(job) = txn.state().jobs.get(&key) else { return };
    let to = if kind == DUE_BACKOFF { JobIntent::RecurredAfterBackoff } else { JobIntent::TimedOut };
    txn.emit(&Event::Job(JobChanged { deadline: None, ..job.becomes(key, to) }));
}
