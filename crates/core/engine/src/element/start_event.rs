//! Start events: where tokens come from. That of an event subprocess gets the variables of what happened.

use std::sync::Arc;

use coreto_bpmn::StartEvent;
use coreto_machine::{Head, Txn};
use coreto_record::command::CompleteElement;
use coreto_record::event::ElementChanged;
use coreto_record::{Command, Document, ElementInstanceKey, Event, Lifecycle};

use super::{Visit, leave, mapping, pass, take_result};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::state::Trigger;
use crate::{keys, subscription, variables};

pub(super) fn activate(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    pass(txn, visit);
}

/// Enters a start event of the scope that was set off, with what came along as its local variables.
pub(super) fn begin(txn: &mut Txn<'_, Engine>, scope: &Visit, trigger: &Trigger) {
    let key: ElementInstanceKey = keys::next(txn);
    let around = &scope.instance;
    let entered = ElementChanged {
        key,
        to: Lifecycle::Activating,
        element: trigger.element,
        scope: scope.key,
        instance: around.instance,
        definition: around.definition,
        tenant: around.tenant,
        lineage: around.inside(scope.key),
        ..ElementChanged::default()
    };
    txn.emit(&Event::Element(entered.clone()));
    let taken = scope.process_event(trigger.key, Document::EMPTY);
    txn.emit(&Event::ProcessEventTriggered(taken));
    variables::merge_local(txn, around, key, trigger.variables.entries());
    txn.emit(&Event::Element(ElementChanged { to: Lifecycle::Activated, ..entered }));
    txn.follow_up(Command::CompleteElement(CompleteElement { key }));
}

pub(super) fn complete(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    event: &StartEvent,
) -> Result<(), Trouble> {
    let triggered = matches!(event, StartEvent::On(_));
    if triggered {
        take_result(txn, visit, visit.instance.scope);
    }
    let mapped = mapping::outputs(txn, head, visit)?;
    if triggered && !mapped {
        variables::hand_out(txn, &visit.instance, visit.key);
    }
    open_scope(txn, head, visit)?;
    leave(txn, head, visit)
}

/// From now on the scope around waits for what may happen in it and to it.
fn open_scope(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    let scope = &visit.process.elements[visit.element().scope.index()];
    if scope.awaited.is_empty() {
        return Ok(());
    }
    let key = visit.instance.scope;
    let Some(instance) = txn.state().elements.get(&key) else { return Ok(()) };
    subscription::open(txn, head, &Visit { key, instance, process: Arc::clone(&visit.process) })
}
