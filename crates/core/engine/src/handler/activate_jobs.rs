//! Taking jobs of a type.

use std::sync::Arc;

use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::ActivateJobs;
use coreto_record::event::JobsActivated;
use coreto_record::{Event, JobKey, Key, Rejection, Reply, reply};

use super::{Handled, check_fetch};
use crate::engine::Engine;
use crate::state::Job;
use crate::{jobs, keys};

/// Takes jobs in the order of their keys, until there are enough or a message is full. When there are none, a poll
/// that came along waits, and nothing is written.
pub(crate) fn activate_jobs(txn: &mut Txn<'_, Engine>, head: &Head, command: &ActivateJobs) -> Handled {
    check(command)?;
    check_fetch(&command.fetch, txn.env().limits.fetch_names_max)?;
    let deadline = head.now.plus_millis(command.timeout);
    let bytes_max = txn.env().limits.message_bytes_max;
    let max = usize::try_from(command.max).unwrap_or(0);
    let mut bytes = 0;
    let mut truncated = false;
    let mut taken = Vec::new();
    let mut given = Vec::new();
    let mut too_large: Vec<(JobKey, Arc<Job>)> = Vec::new();
    let first = (Arc::clone(&command.job_type), JobKey::from_raw(0));
    for (_, key) in txn.state().activatable.scan(&first, |(job_type, _)| *job_type == command.job_type) {
        if given.len() == max {
            break;
        }
        let Some(job) = txn.state().jobs.get(key) else { continue };
        if !command.tenants.contains(&job.tenant) {
            continue;
        }
        let Some(activated) =
            jobs::activated(txn.state(), *key, &job, &command.worker, deadline, &command.fetch)
        else {
            continue;
        };
        let size = jobs::size(&activated);
        if size > bytes_max {
            too_large.push((*key, job));
            continue;
        }
        if bytes + size > bytes_max {
            truncated = true;
            break;
        }
        bytes += size;
        taken.push(jobs::taken_of(*key, &job));
        given.push(activated);
    }
    for (key, job) in too_large {
        jobs::fail_as_too_large(txn, key, &job);
    }
    if given.is_empty() {
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
            truncated,
            jobs: taken,
        };
        txn.emit(&Event::JobsActivated(event));
    }
    Ok(Outcome::Now(Reply::JobsActivated(reply::JobsActivated { jobs: given, truncated })))
}

fn check(command: &ActivateJobs) -> Result<(), Rejection> {
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
    Ok(())
}
