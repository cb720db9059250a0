//! Event-based gateways: a token waits for several catch events, and goes on at the first that is set off.

use coreto_machine::{Head, Txn};
use coreto_record::command::ActivateElement;
use coreto_record::{Document, Lifecycle};

use super::{Visit, completed, pass};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::{handler, keys, subscription, variables};

pub(super) fn activate(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    subscription::open(txn, head, visit)?;
    visit.goes_on(txn, Lifecycle::Activated);
    Ok(())
}

/// Enters the catch event, which is active at once, with the variables of what happened. No flow is taken.
pub(super) fn complete(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    let Some(trigger) = txn.state().triggers.get(&visit.key) else { return };
    subscription::close(txn, visit.key);
    let taken = visit.process_event(trigger.key, Document::EMPTY);
    txn.emit(&coreto_record::Event::ProcessEventTriggered(taken));
    if !completed(txn, visit) {
        return;
    }
    let key = keys::next(txn);
    let (instance, scope) = (visit.instance.instance, visit.instance.scope);
    let wish =
        ActivateElement { instance, scope, element: trigger.element, key, ..ActivateElement::default() };
    // The scope admitted the gateway's completion a moment ago.
    let Ok(entered) = handler::enter(txn, &wish) else { return };
    variables::merge_local(txn, &entered.instance, key, trigger.variables.entries());
    pass(txn, &entered);
}
