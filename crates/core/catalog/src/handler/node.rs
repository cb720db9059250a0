//! Makes a node known, or changes it.

use std::sync::Arc;

use coreto_machine::{Channel, Head};
use coreto_record::{Rejection, RejectionKind};

use super::{Handled, Handling, done, full, valid, visible};
use crate::command::RegisterNode;
use crate::event::{Event, NodeRegistered};
use crate::model::CheckKind;
use crate::state::{Name, State};

/// A node with the check that the program has of itself is nobody else's to change: all that is on it would move or go.
pub(super) fn not_own(state: &State, head: &Head, node: &Name) -> Result<(), Rejection> {
    let of_node = (node.0, Arc::clone(&node.1), Arc::from(""));
    let is_own = state.checks_of(&of_node).any(|(_, entry)| entry.check.definition.kind == CheckKind::Node);
    if !is_own || head.caller.channel == Channel::Internal {
        return Ok(());
    }
    let reason =
        format!("node `{}` is the catalog's own: it keeps its address, and goes with the catalog", node.1);
    Err(Rejection::new(RejectionKind::Forbidden, reason))
}

pub(crate) fn register_node(txn: &mut Handling<'_>, head: &Head, command: &RegisterNode) -> Handled {
    let RegisterNode { tenant, name, node } = command;
    visible(head, *tenant)?;
    let (state, env) = txn.state_and_env();
    valid::name(&env.limits, "the name of the node", name)?;
    valid::node(&env.limits, node)?;
    let known = state.nodes.peek(&(*tenant, Arc::clone(name)));
    if known.is_none() {
        full("nodes", state.nodes.len(), env.limits.nodes_max)?;
    }
    if known.is_none_or(|known| known.node != *node) {
        not_own(state, head, &(*tenant, Arc::clone(name)))?;
        let index = txn.next_number();
        let (tenant, name, node) = (*tenant, Arc::clone(name), node.clone());
        txn.emit(&Event::NodeRegistered(NodeRegistered { index, tenant, name, node }));
    }
    Ok(done(txn))
}
