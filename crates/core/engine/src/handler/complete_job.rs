//! Ending a job as done.

use coreto_machine::{Head, Txn};
use coreto_record::command::{CompleteElement, CompleteJob};
use coreto_record::event::{JobChanged, JobIntent, ProcessEvent};
use coreto_record::{Command, Event};

use super::{Handled, done, find_open_job};
use crate::engine::Engine;
use crate::keys;

/// Completes a job, and lets its element instance go on with the result.
pub(crate) fn complete_job(txn: &mut Txn<'_, Engine>, head: &Head, command: &CompleteJob) -> Handled {
    let job = find_open_job(txn.state(), &head.caller, command.job, "complete")?;
    let completed = job.becomes(command.job, JobIntent::Completed);
    txn.emit(&Event::Job(JobChanged { variables: command.variables.clone(), ..completed }));
    if !command.variables.is_empty() {
        let key = keys::next_raw(txn);
        txn.emit(&Event::ProcessEventTriggering(ProcessEvent {
            key,
            scope: job.element_instance,
            element: job.element,
            instance: job.instance,
            definition: job.definition,
            tenant: job.tenant,
            variables: command.variables.clone(),
            ..ProcessEvent::default()
        }));
    }
    txn.follow_up(Command::CompleteElement(CompleteElement { key: job.element_instance }));
    done()
}
