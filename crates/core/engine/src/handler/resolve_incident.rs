//! Letting an element instance try again what failed.

use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateElement, CompleteElement, ResolveIncident};
use coreto_record::event::IncidentRecord;
use coreto_record::{Command, ElementInstanceKey, Event, Lifecycle, Rejection};

use super::{Handled, by_hand, done, is_banned, process};
use crate::element::Visit;
use crate::engine::Engine;
use crate::jobs;
use crate::state::State;

/// Resolves an incident: its job is offered again, or the step that failed runs again in full.
pub(crate) fn resolve_incident(txn: &mut Txn<'_, Engine>, head: &Head, command: &ResolveIncident) -> Handled {
    let key = command.incident;
    let incident = txn.state().incidents.get(&key).filter(|incident| head.caller.sees(incident.tenant));
    let Some(incident) = incident else {
        return Err(Rejection::not_found(format!(
            "no incident with key {key} is open; it may have been resolved"
        )));
    };
    check_retries(txn.state(), &incident)?;
    txn.emit(&Event::IncidentResolved(IncidentRecord::clone(&incident)));
    if let Some(job) = incident.job {
        jobs::offer(txn, head, job);
        return done();
    }
    try_again(txn, head, incident.element_instance);
    done()
}

/// Runs the step again at which an element instance stands.
fn try_again(txn: &mut Txn<'_, Engine>, head: &Head, key: ElementInstanceKey) {
    let Some(instance) = txn.state().elements.get(&key) else { return };
    match instance.state {
        Lifecycle::Activating => txn.follow_up(Command::ActivateElement(ActivateElement {
            instance: instance.instance,
            scope: instance.scope,
            element: instance.element,
            key,
            ..ActivateElement::default()
        })),
        Lifecycle::Activated if !is_banned(txn.state(), instance.instance) => {
            if let Ok(process) = process(txn.state(), instance.definition) {
                by_hand::begin_waiting(txn, head, &Visit { key, instance, process });
            }
        }
        Lifecycle::Completing => txn.follow_up(Command::CompleteElement(CompleteElement { key })),
        Lifecycle::Activated | Lifecycle::Terminating | Lifecycle::Completed | Lifecycle::Terminated => (),
    }
}

/// The incident of a job that has no retries left cannot be resolved before it has some.
fn check_retries(state: &State, incident: &IncidentRecord) -> Result<(), Rejection> {
    let Some(key) = incident.job else { return Ok(()) };
    match state.jobs.peek(&key) {
        Some(job) if job.retries <= 0 => Err(Rejection::invalid_state(format!(
            "cannot resolve incident {}: job {key} has no retries left; update its retries first",
            incident.key
        ))),
        _ => Ok(()),
    }
}
