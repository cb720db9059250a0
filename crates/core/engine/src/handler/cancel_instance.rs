//! Ending an instance early.

use coreto_machine::{Head, Txn};
use coreto_record::command::{CancelInstance, TerminateElement};
use coreto_record::{Command, ElementInstanceKey, Lifecycle, Rejection};

use super::{Handled, done, is_banned};
use crate::engine::Engine;

/// Ends an instance early. The answer does not wait for its elements to have ended.
pub(crate) fn cancel_instance(txn: &mut Txn<'_, Engine>, head: &Head, command: &CancelInstance) -> Handled {
    let key = ElementInstanceKey::from(command.instance);
    let running = txn.state().elements.get(&key).is_some_and(|root| {
        root.is_root() && head.caller.sees(root.tenant) && root.state.may_become(Lifecycle::Terminating)
    });
    if !running {
        return Err(Rejection::not_found(format!(
            "no process instance with key {} is running; it may have ended or been cancelled already",
            command.instance
        )));
    }
    if let Some(call) = txn.state().elements.peek(&key).and_then(|root| root.lineage.calls().first()) {
        return Err(Rejection::invalid_state(format!(
            "process instance {} was called by another; cancel process instance {} with all that it called",
            command.instance, call.instance
        )));
    }
    if is_banned(txn.state(), command.instance) {
        return Err(Rejection::invalid_state(format!(
            "process instance {} is banned since the engine failed in it; it takes no more commands",
            command.instance
        )));
    }
    txn.follow_up(Command::TerminateElement(TerminateElement { key }));
    done()
}
