//! Event subprocesses: entered when something happens in the scope around them.

use coreto_machine::{Head, Txn};
use coreto_record::command::ActivateElement;
use coreto_record::{ElementInstanceKey, ElementNumber};

use crate::element;
use crate::engine::Engine;
use crate::handler;
use crate::state::ElementInstance;

/// Enters the event subprocess that waited until all else in the scope has ended.
pub(super) fn enter_pending(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    key: ElementInstanceKey,
    scope: &ElementInstance,
) {
    let next = txn.state().interruptions.get(&key).filter(|next| !next.leaves);
    if let Some(next) = next {
        enter(txn, head, key, scope, next.element, next.key);
    }
}

/// Enters an event subprocess in a scope, with a key for which variables may wait.
pub(super) fn enter(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    scope: ElementInstanceKey,
    around: &ElementInstance,
    element: ElementNumber,
    key: ElementInstanceKey,
) {
    let wish =
        ActivateElement { instance: around.instance, scope, element, key, ..ActivateElement::default() };
    // A scope that no longer admits it has ended what it was entered for.
    if let Ok(visit) = handler::enter(txn, &wish) {
        element::activate(txn, head, &visit);
    }
}
