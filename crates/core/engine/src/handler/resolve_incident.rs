//! Letting an element instance try again what failed.

use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateElement, CompleteElement, ResolveIncident};
use coreto_record::event::IncidentRecord;
use coreto_record::{Command, Event, Lifecycle, Rejection};

use super::{Handled, done};
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
    let element = incident.element_instance;
    if let Some(instance) = txn.state().elements.get(&element) {
        match instance.state {
            Lifecycle::Activating => txn.follow_up(Command::ActivateElement(ActivateElement {
                instance: instance.instance,
                scope: instance.scope,
                element: instance.element,
                key: element,
                ..ActivateElement::default()
            })),
            Lifecycle::Completing => {
                txn.follow_up(Command::CompleteElement(CompleteElement { key: element }));
            }
            Lifecycle::Activated | Lifecycle::Terminating | Lifecycle::Completed | Lifecycle::Terminated => {}
        }
    }
    done()
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
