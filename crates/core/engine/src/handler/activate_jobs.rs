//! Taking jobs of a type.

use std::sync::Arc;

use coreto_machine::{Head, Outcome, Timestamp, Txn};
use coreto_record::command::ActivateJobs;
use coreto_record::event::{JobTaken, JobsActivated};
use coreto_record::{ActivatedJob, Event, JobKey, Key, Rejection, Reply, reply};

use super::{Handled, check_fetch, check_name};
use crate::engine::Engine;
use crate::jobs::{self, Recipient};
use crate::keys;
use crate::limits::Limits;
use crate::state::{Job, State};

/// Jobs that fit into no message and are failed by one request; there may be more.
const TOO_LARGE_MAX: usize = 100;

/// Takes jobs in the order of their keys, until there are enough or a message is full. When there are none, a poll
/// that came along waits, and nothing is written.
pub(crate) fn activate_jobs(txn: &mut Txn<'_, Engine>, head: &Head, command: &ActivateJobs) -> Handled {
    check(command, &txn.env().limits)?;
    let deadline = head.now.plus_millis(command.timeout);
    let bytes_max = txn.env().limits.message_bytes_max;
    let found = find(txn.state(), command, deadline, bytes_max);
    for (key, job) in found.too_large {
        jobs::fail_as_too_large(txn, head, key, &job);
    }
    if found.given.is_empty() {
        if command.poll != 0 {
            txn.env().park(command.poll);
        }
    } else {
        let event = JobsActivated {
            key: keys::next_raw(txn),
            job_type: Arc::clone(&command.job_type),
            worker: Arc::clone(&command.worker),
            timeout: command.timeout,
            deadline,
            max: command.max,
            truncated: found.truncated,
            jobs: found.taken,
        };
        txn.emit(&Event::JobsActivated(event));
    }
    let reply = reply::JobsActivated { jobs: found.given, truncated: found.truncated };
    Ok(Outcome::Now(Reply::JobsActivated(reply)))
}

/// What a request gets.
#[derive(Default)]
struct Found {
    taken: Vec<JobTaken>,
    given: Vec<ActivatedJob>,
    too_large: Vec<(JobKey, Arc<Job>)>,
    truncated: bool,
}

fn find(state: &State, command: &ActivateJobs, deadline: Timestamp, bytes_max: usize) -> Found {
    let max = usize::try_from(command.max).unwrap_or(0);
    let recipient = Recipient { worker: &command.worker, deadline, fetch: &command.fetch };
    let mut found = Found::default();
    let mut bytes = 0;
    let first = (Arc::clone(&command.job_type), JobKey::from_raw(0));
    for (_, key) in state.activatable.scan(&first, |(job_type, _)| *job_type == command.job_type) {
        if found.given.len() == max {
            break;
        }
        if found.too_large.len() == TOO_LARGE_MAX {
            found.truncated = true;
            break;
        }
        let Some(job) = state.jobs.peek(key).filter(|job| command.tenants.contains(&job.tenant)) else {
            continue;
        };
        let Some((activated, size)) = jobs::activated(state, *key, job, &recipient, bytes_max) else {
            found.too_large.push((*key, Arc::clone(job)));
            continue;
        };
        if bytes + size > bytes_max {
            found.truncated = true;
            break;
        }
        bytes += size;
        found.taken.push(jobs::taken_of(*key, job));
        found.given.push(activated);
    }
    found
}

fn check(command: &ActivateJobs, limits: &Limits) -> Result<(), Rejection> {
    if command.job_type.is_empty() {
        return Err(Rejection::invalid_argument("the job type is empty; say which jobs to activate"));
    }
    if command.timeout < 1 {
        return Err(Rejection::invalid_argument(format!(
            "the timeout is {} ms, it must be more than 0",
            command.timeout
        )));
    }
    if command.max < 1 {
        return Err(Rejection::invalid_argument(format!(
            "{} jobs at most were asked for, it must be at least 1",
            command.max
        )));
    }
    check_name(limits, "the job type", &command.job_type)?;
    check_name(limits, "the worker", &command.worker)?;
    check_fetch(limits, &command.fetch)
}
