//! Giving back a job that could not be handed over.

use coreto_machine::{Head, Txn};
use coreto_record::command::YieldJob;
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, Rejection};

use super::{Handled, done, find_job};
use crate::engine::Engine;
use crate::jobs;
use crate::state::JobState;

/// Makes a job activatable again without losing a retry, if it is still the activation that was given back.
pub(crate) fn yield_job(txn: &mut Txn<'_, Engine>, head: &Head, command: &YieldJob) -> Handled {
    let job = find_job(txn.state(), &head.caller, command.job)?;
    if job.state != JobState::Activated || job.until != command.deadline {
        return Err(Rejection::invalid_state(format!(
            "job {} is no longer held by that activation",
            command.job
        )));
    }
    let yielded = job.becomes(command.job, JobIntent::Yielded);
    txn.emit(&Event::Job(JobChanged { deadline: None, ..yielded }));
    jobs::offer_to_polls(txn, head, command.job);
    done()
}
