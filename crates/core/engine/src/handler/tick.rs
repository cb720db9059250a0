//! Doing what has become due.

use coreto_machine::{Head, Txn};
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, JobKey, Key, TimerKey};

use super::{Handled, done};
use crate::engine::Engine;
use crate::jobs;
use crate::state::{DUE_BACKOFF, DUE_DISTRIBUTION, DUE_TIMER, Due};
use crate::subscription::timer;

/// Does a bounded part of what is due; the rest comes with the next tick.
pub(crate) fn tick(txn: &mut Txn<'_, Engine>, head: &Head) -> Handled {
    let limit = txn.env().limits.due_per_tick;
    for entry in due(txn, head, limit) {
        if let (_, DUE_TIMER, key) = entry {
            timer::fire(txn, head, TimerKey::from_raw(key));
        } else if let Some(key) = pass(txn, entry) {
            jobs::offer(txn, head, key);
        }
    }
    done()
}

/// A tick failed: what is due first is done alone, and its job is not offered to anybody, so that it cannot hold up
/// all that is due behind it. Workers find the job when they ask. A timer is cancelled.
pub(super) fn pass_first(txn: &mut Txn<'_, Engine>, head: &Head) -> Handled {
    for entry in due(txn, head, 1) {
        if let (_, DUE_TIMER, key) = entry {
            timer::give_up(txn, TimerKey::from_raw(key));
        } else {
            pass(txn, entry);
        }
    }
    done()
}

fn due(txn: &Txn<'_, Engine>, head: &Head, limit: usize) -> Vec<Due> {
    txn.state().due.range(..).take_while(|(at, ..)| *at <= head.now).take(limit).copied().collect()
}

/// Ends the time of one entry. Gives the job that may be handed out now.
fn pass(txn: &mut Txn<'_, Engine>, (_, kind, raw): Due) -> Option<JobKey> {
    if kind == DUE_DISTRIBUTION {
        super::distribution::answer_anyway(txn, raw);
        return None;
    }
    let key = JobKey::from_raw(raw);
    let job = txn.state().jobs.get(&key)?;
    let to = if kind == DUE_BACKOFF { JobIntent::RecurredAfterBackoff } else { JobIntent::TimedOut };
    txn.emit(&Event::Job(JobChanged { deadline: None, ..job.becomes(key, to) }));
    Some(key)
}
