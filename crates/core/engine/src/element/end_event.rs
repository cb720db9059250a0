//! End events: where a token's way ends, and what that does to others.

use coreto_bpmn::{EndEvent, Text};
use coreto_machine::{Head, Txn};
use coreto_record::command::TerminateChildren;
use coreto_record::event::ElementChanged;
use coreto_record::{Command, Document, ElementInstanceKey, Event, IncidentKind, Lifecycle};

use super::{Visit, complete_scope_if_done, ends_instance, leave, mapping, pass, service_task, throw_event};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::thrown_error;

pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    event: &EndEvent,
) -> Result<(), Trouble> {
    match event {
        EndEvent::None | EndEvent::Terminate => pass(txn, visit),
        EndEvent::Message(job) => service_task::activate(txn, head, visit, job)?,
        EndEvent::Signal(name) => throw_event::broadcast(txn, head, visit, name)?,
        EndEvent::Error(code) => throw(txn, head, visit, code)?,
    }
    Ok(())
}

pub(super) fn complete(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    event: &EndEvent,
) -> Result<(), Trouble> {
    match event {
        EndEvent::None | EndEvent::Signal(_) => {
            mapping::outputs(txn, head, visit)?;
            leave(txn, head, visit)?;
        }
        EndEvent::Message(_) => service_task::complete(txn, head, visit)?,
        EndEvent::Terminate => terminate(txn, visit),
        EndEvent::Error(_) => unreachable!("an error end event ends with its scope"),
    }
    Ok(())
}

/// All else in the scope ends, and the scope completes.
fn terminate(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    let completed = visit.instance.becomes(visit.key, Lifecycle::Completed);
    txn.emit(&Event::Element(ElementChanged { interrupts: true, ..completed }));
    if ends_instance(txn, &visit.instance, visit.element()) {
        return;
    }
    let scope = visit.instance.scope;
    if txn.state().elements.peek(&scope).is_some_and(|scope| scope.children > 0) {
        let from = ElementInstanceKey::default();
        txn.follow_up(Command::TerminateChildren(TerminateChildren { scope, from }));
    } else {
        complete_scope_if_done(txn, scope);
    }
}

/// Throws the error from the scope around, and waits for what catches it to end the scope.
fn throw(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit, code: &Text) -> Result<(), Trouble> {
    let code = service_task::text(txn, head, visit, "error code", code)?;
    Trouble::check_name(&txn.env().limits, "error code", &code)?;
    let caught = thrown_error::find(txn.state(), visit.instance.scope, &code);
    let caught = caught.map_err(|uncaught| Trouble {
        kind: IncidentKind::UnhandledErrorEvent,
        message: uncaught.message(&code),
    })?;
    visit.goes_on(txn, Lifecycle::Activated);
    super::trigger(txn, head, caught.at, caught.event, &Document::EMPTY);
    Ok(())
}
