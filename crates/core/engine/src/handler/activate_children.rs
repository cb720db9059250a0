//! Entering the repetitions of an activity.

use coreto_machine::Txn;
use coreto_record::Command;
use coreto_record::command::ActivateChildren;

use super::{Handled, done, is_banned, process};
use crate::element::{self, Visit};
use crate::engine::Engine;

/// Asks for some of the repetitions, and leaves the others to a follow-up. Does nothing for a loop that has ended.
pub(crate) fn activate_children(txn: &mut Txn<'_, Engine>, command: &ActivateChildren) -> Handled {
    let key = command.scope;
    let Some(instance) = txn.state().elements.get(&key) else { return done() };
    let process = process(txn.state(), instance.definition)?;
    let visit = Visit { key, instance, process };
    if is_banned(txn.state(), visit.instance.instance) || !visit.goes_on_inside() {
        return done();
    }
    if let Some(from) = element::enter_some(txn, &visit, command.from) {
        txn.follow_up(Command::ActivateChildren(ActivateChildren { scope: key, from }));
    }
    done()
}
