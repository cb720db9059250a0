//! Throwing a BPMN error at a job's element.

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::ThrowError;
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, IncidentKind};

use super::fail_job::kept;
use super::{Handled, check_name, done, find_open_job, quoted};
use crate::engine::Engine;
use crate::incident::{self, Trouble};

/// Throws an error. Models that catch errors are not built yet, so every error raises an incident.
pub(crate) fn throw_error(txn: &mut Txn<'_, Engine>, head: &Head, command: &ThrowError) -> Handled {
    let job = find_open_job(txn.state(), &head.caller, command.job, "throw an error at")?;
    check_name(&txn.env().limits, "the error code", &command.code)?;
    let message = kept(&command.message, txn.env().limits.error_message_chars);
    let thrown = JobChanged {
        deadline: None,
        error_code: Arc::clone(&command.code),
        error_message: Arc::clone(&message),
        variables: command.variables.clone(),
        incident: true,
        ..job.becomes(command.job, JobIntent::ErrorThrown)
    };
    txn.emit(&Event::Job(thrown));
    let Some(element) = txn.state().elements.get(&job.element_instance) else { return done() };
    let mut text = format!("nothing catches the error with code {}", quoted(&command.code));
    if !message.is_empty() {
        text.push_str(": ");
        text.push_str(&message);
    }
    let trouble = Trouble { kind: IncidentKind::UnhandledErrorEvent, message: text };
    incident::raise_with_job(txn, head, job.element_instance, &element, &trouble, Some(command.job));
    done()
}
