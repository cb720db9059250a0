//! Ending an attempt at a job.

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::FailJob;
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, IncidentKind};

use super::{Handled, done, find_open_job};
use crate::engine::Engine;
use crate::incident::{self, Trouble};
use crate::{jobs, variables};

/// Ends an attempt: the job can be taken again at once, after its back-off, or once its incident is resolved.
pub(crate) fn fail_job(txn: &mut Txn<'_, Engine>, head: &Head, command: &FailJob) -> Handled {
    let job = find_open_job(txn.state(), &head.caller, command.job, "fail")?;
    let out_of_retries = command.retries <= 0;
    let backs_off = !out_of_retries && command.backoff > 0;
    let message = kept(&command.message, txn.env().limits.error_message_chars);
    let failed = JobChanged {
        retries: command.retries,
        deadline: None,
        backoff: command.backoff.max(0),
        recurs_at: backs_off.then(|| head.now.plus_millis(command.backoff)),
        error_message: Arc::clone(&message),
        variables: command.variables.clone(),
        incident: out_of_retries,
        ..job.becomes(command.job, JobIntent::Failed)
    };
    txn.emit(&Event::Job(failed));
    let Some(element) = txn.state().elements.get(&job.element_instance) else { return done() };
    variables::merge_local(txn, &element, job.element_instance, command.variables.entries());
    if out_of_retries {
        let message = if message.is_empty() {
            "the job failed and has no retries left".to_owned()
        } else {
            message.to_string()
        };
        let trouble = Trouble { kind: IncidentKind::JobNoRetries, message };
        incident::raise_with_job(txn, head, job.element_instance, &element, &trouble, Some(command.job));
    } else if !backs_off {
        jobs::offer(txn, head, command.job);
    }
    done()
}

/// A message as it is kept; what is short enough is not copied.
pub(super) fn kept(message: &Arc<str>, chars: usize) -> Arc<str> {
    let shortened = incident::shortened(message, chars);
    if shortened.len() == message.len() { Arc::clone(message) } else { shortened.into() }
}
