//! Doing what has become due.

use coreto_machine::{Head, Txn};
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, JobKey, Key};

use super::{Handled, done};
use crate::engine::Engine;
use crate::jobs;
use crate::state::{DUE_BACKOFF, Due};

/// Does a bounded part of what is due; the rest comes with the next tick.
pub(crate) fn tick(txn: &mut Txn<'_, Engine>, head: &Head) -> Handled {
    let limit = txn.env().limits.due_per_tick;
    let due: Vec<Due> =
        txn.state().due.range(..).take_while(|(at, ..)| *at <= head.now).take(limit).copied().collect();
    for (_, kind, raw) in due {
        let key = JobKey::from_raw(raw);
        let Some(job) = txn.state().jobs.get(&key) else { continue };
        let to = if kind == DUE_BACKOFF { JobIntent::RecurredAfterBackoff } else { JobIntent::TimedOut };
        txn.emit(&Event::Job(JobChanged { deadline: None, ..job.becomes(key, to) }));
        jobs::offer(txn, head, key);
    }
    done()
}
