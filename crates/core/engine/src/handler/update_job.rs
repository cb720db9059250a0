//! Changing a job's retries and deadline.

use coreto_machine::{Head, Txn};
use coreto_record::command::{UpdateJobRetries, UpdateJobTimeout};
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, Rejection};

use super::{Handled, done, find_job};
use crate::engine::Engine;
use crate::state::JobState;

/// Sets how many attempts are left. An incident of the job stays until it is resolved.
pub(crate) fn update_job_retries(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &UpdateJobRetries,
) -> Handled {
    let job = find_job(txn.state(), &head.caller, command.job)?;
    if command.retries < 1 {
        return Err(Rejection::invalid_argument(format!(
            "cannot set the retries of job {} to {}: at least 1 is needed",
            command.job, command.retries
        )));
    }
    let updated = job.becomes(command.job, JobIntent::RetriesUpdated);
    txn.emit(&Event::Job(JobChanged { retries: command.retries, ..updated }));
    done()
}

/// Moves the deadline of a job that a worker holds.
pub(crate) fn update_job_timeout(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &UpdateJobTimeout,
) -> Handled {
    let job = find_job(txn.state(), &head.caller, command.job)?;
    if job.state != JobState::Activated {
        return Err(Rejection::invalid_state(format!(
            "cannot move the deadline of job {}: no worker holds it, it is {}",
            command.job,
            job.state_name()
        )));
    }
    let updated = job.becomes(command.job, JobIntent::TimeoutUpdated);
    let deadline = Some(head.now.plus_millis(command.timeout));
    txn.emit(&Event::Job(JobChanged { deadline, ..updated }));
    done()
}
