//! Throwing a BPMN error at a job's element.

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::ThrowError;
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, IncidentKind, Rejection};

use super::fail_job::kept;
use super::{Handled, check_name, done, find_open_job};
use crate::engine::Engine;
use crate::incident::{self, Trouble};
use crate::{element, thrown_error};

/// Throws an error: the job is gone when something catches it, else an incident waits for people.
pub(crate) fn throw_error(txn: &mut Txn<'_, Engine>, head: &Head, command: &ThrowError) -> Handled {
    let job = find_open_job(txn.state(), &head.caller, command.job, "throw an error at")?;
    check_name(&txn.env().limits, "the error code", &command.code)?;
    let caught = thrown_error::find(txn.state(), job.element_instance, &command.code);
    if let Ok(catcher) = &caught
        && !element::admits(txn.state(), catcher.at, catcher.event)
    {
        return Err(Rejection::invalid_state(format!(
            "cannot throw an error at job {}: what would catch it is ending already",
            command.job
        )));
    }
    let message = kept(&command.message, txn.env().limits.error_message_chars);
    let thrown = JobChanged {
        deadline: None,
        error_code: Arc::clone(&command.code),
        error_message: Arc::clone(&message),
        variables: command.variables.clone(),
        incident: caught.is_err(),
        ..job.becomes(command.job, JobIntent::ErrorThrown)
    };
    txn.emit(&Event::Job(thrown));
    match caught {
        Ok(catcher) => element::trigger(txn, head, catcher.at, catcher.event, &command.variables),
        Err(uncaught) => {
            let Some(element) = txn.state().elements.get(&job.element_instance) else { return done() };
            let mut text = uncaught.message(&command.code);
            if !message.is_empty() {
                text.push_str(": ");
                text.push_str(&message);
            }
            let trouble = Trouble { kind: IncidentKind::UnhandledErrorEvent, message: text };
            incident::raise_with_job(txn, head, job.element_instance, &element, &trouble, Some(command.job));
        }
    }
    done()
}
