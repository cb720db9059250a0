//! Makes a node known, or changes it.

use std::sync::Arc;

use coreto_machine::Head;

use super::{Handled, Handling, done, full, valid, visible};
use crate::command::RegisterNode;
use crate::event::{Event, NodeRegistered};

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
        let index = txn.next_number();
        let (tenant, name, node) = (*tenant, Arc::clone(name), node.clone());
        txn.emit(&Event::NodeRegistered(NodeRegistered { index, tenant, name, node }));
    }
    Ok(done(txn))
}
