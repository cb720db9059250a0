//! Leaving an element.

use coreto_machine::{Head, Txn};
use coreto_record::command::CompleteElement;
use coreto_record::{Event, Lifecycle, Rejection};

use super::{Handled, done, is_banned, process};
use crate::element::{self, Visit};
use crate::engine::Engine;

/// Leaves an element, or tries again what failed on leaving it.
pub(crate) fn complete_element(txn: &mut Txn<'_, Engine>, head: &Head, command: &CompleteElement) -> Handled {
    let key = command.key;
    let Some(instance) = txn.state().elements.get(&key) else {
        return Err(Rejection::invalid_state(format!("element instance {key} has ended")));
    };
    if is_banned(txn.state(), instance.instance) {
        return done();
    }
    let scope_active = instance.is_root()
        || txn.state().elements.peek(&instance.scope).is_some_and(|scope| scope.admits(instance.element));
    if !scope_active {
        return Err(Rejection::invalid_state(format!("the scope of element instance {key} is ending")));
    }
    if instance.children > 0 || instance.flows > 0 {
        // Something has happened in the scope since its last token ended.
        return Err(Rejection::invalid_state(format!(
            "element instance {key} goes on: something in it is active"
        )));
    }
    let process = process(txn.state(), instance.definition)?;
    match instance.state {
        Lifecycle::Activated => {
            txn.emit(&Event::Element(instance.becomes(key, Lifecycle::Completing)));
        }
        Lifecycle::Completing => (),
        Lifecycle::Activating | Lifecycle::Terminating | Lifecycle::Completed | Lifecycle::Terminated => {
            return Err(Rejection::invalid_state(format!("element instance {key} is not active")));
        }
    }
    element::complete(txn, head, &Visit { key, instance, process });
    done()
}
