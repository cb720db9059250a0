//! Setting variables in a scope.

use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::SetVariables;
use coreto_record::event::VariablesUpdated;
use coreto_record::{Event, Lifecycle, Rejection, Reply, reply};

use super::Handled;
use crate::engine::Engine;
use crate::{keys, variables};

/// Sets variables in a scope, or where each is defined from there up.
pub(crate) fn set_variables(txn: &mut Txn<'_, Engine>, head: &Head, command: &SetVariables) -> Handled {
    let scope = command.scope;
    let owner = txn
        .state()
        .elements
        .get(&scope)
        .filter(|owner| head.caller.sees(owner.tenant) && owner.state != Lifecycle::Terminating);
    let Some(owner) = owner else {
        return Err(Rejection::not_found(format!(
            "no process or element instance with key {scope} is active; variables need a running scope"
        )));
    };
    let entries = command.variables.entries();
    if command.local {
        variables::merge_local(txn, &owner, scope, entries);
    } else {
        variables::propagate(txn, &owner, scope, entries);
    }
    let key = keys::next_raw(txn);
    txn.emit(&Event::VariablesUpdated(VariablesUpdated {
        key,
        scope,
        local: command.local,
        variables: command.variables.clone(),
        instance: owner.instance,
        tenant: owner.tenant,
    }));
    Ok(Outcome::Now(Reply::VariablesSet(reply::VariablesSet { key })))
}
