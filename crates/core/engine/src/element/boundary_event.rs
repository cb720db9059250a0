//! Boundary events: what happens to an activity, and where a token goes on then.

use std::sync::Arc;

use coreto_bpmn::{BoundaryEvent, Trigger};
use coreto_machine::{Head, Txn};
use coreto_record::command::ActivateElement;
use coreto_record::event::ProcessEvent;
use coreto_record::{Document, ElementInstanceKey, ElementNumber, Event};

use super::{Visit, leave, mapping, pass};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::state::{self, ElementInstance, State};
use crate::{handler, variables};

/// A boundary event that is about to be entered.
pub(super) struct Exit {
    pub(super) host: Arc<ElementInstance>,
    pub(super) element: ElementNumber,
    pub(super) key: ElementInstanceKey,
    pub(super) trigger: Arc<state::Trigger>,
}

/// The boundary event by which an element instance is left when it has ended, if its scope still admits it.
pub(super) fn exit_of(state: &State, key: ElementInstanceKey, host: &Arc<ElementInstance>) -> Option<Exit> {
    let next = host.pending.then(|| state.interruptions.get(&key)).flatten().filter(|next| next.leaves)?;
    let trigger = state.triggers.get(&next.key)?;
    let admitted = state.elements.peek(&host.scope).is_some_and(|scope| scope.admits(next.element));
    admitted.then(|| Exit { host: Arc::clone(host), element: next.element, key: next.key, trigger })
}

/// Enters a boundary event, which is active at once, with the variables of what happened.
pub(super) fn enter(txn: &mut Txn<'_, Engine>, exit: &Exit) {
    let Exit { host, element, key, trigger } = exit;
    let wish = ActivateElement {
        instance: host.instance,
        scope: host.scope,
        element: *element,
        key: *key,
        ..ActivateElement::default()
    };
    let Ok(visit) = handler::enter(txn, &wish) else { return };
    let taken = visit.process_event(trigger.key, Document::EMPTY);
    txn.emit(&Event::ProcessEventTriggered(ProcessEvent { scope: *key, ..taken }));
    variables::merge_local(txn, &visit.instance, visit.key, trigger.variables.entries());
    pass(txn, &visit);
}

pub(super) fn complete(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    event: &BoundaryEvent,
) -> Result<(), Trouble> {
    let mapped = mapping::outputs(txn, head, visit)?;
    // Without an output mapping, the variables of an error go with the event.
    if !mapped && !matches!(event.trigger, Trigger::Error(_)) {
        variables::hand_out(txn, &visit.instance, visit.key);
    }
    leave(txn, head, visit)
}
