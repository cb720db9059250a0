//! Forgets nodes, instances and checks.

use std::sync::Arc;

use coreto_machine::{Head, Outcome};
use coreto_record::Rejection;

use super::check::{no_check, only_the_program};
use super::instance::{no_node, of};
use super::node::not_own;
use super::session::end_dependents;
use super::{Handled, Handling, done, visible};
use crate::catalog::Catalog;
use crate::command::{Command, DestroySession, Named, OnNode, Reap};
use crate::event::{CheckDeregistered, Event, InstanceDeregistered, NodeDeregistered};
use crate::model::Status;
use crate::state::{Name, Place, State};

pub(crate) fn deregister_instance(txn: &mut Handling<'_>, head: &Head, command: &OnNode) -> Handled {
    let OnNode { tenant, node, id } = command;
    visible(head, *tenant)?;
    let place = of(*tenant, node, id);
    if !txn.state().instances.contains(&place) {
        return Err(Rejection::not_found(format!("there is no instance `{id}` on node `{node}`")));
    }
    drop_instance(txn, &place);
    Ok(done(txn))
}

pub(crate) fn deregister_check(txn: &mut Handling<'_>, head: &Head, command: &OnNode) -> Handled {
    let OnNode { tenant, node, id } = command;
    visible(head, *tenant)?;
    let place = of(*tenant, node, id);
    let Some(known) = txn.state().checks.peek(&place) else { return Err(no_check(node, id)) };
    if known.check.definition.kind.is_own() {
        only_the_program(head, id)?;
    }
    drop_check(txn, &place);
    Ok(done(txn))
}

/// Forgets the instance of a check that has been critical since it was seen to be; or nothing, when it has not.
pub(crate) fn reap(txn: &mut Handling<'_>, head: &Head, command: &Reap) -> Handled {
    let Reap { tenant, node, id, turned } = command;
    visible(head, *tenant)?;
    let place = of(*tenant, node, id);
    let instance = txn.state().checks.peek(&place).and_then(|entry| {
        let lasts = entry.check.status == Status::Critical && entry.turned == *turned;
        (lasts && !entry.check.instance.is_empty()).then(|| of(*tenant, node, &entry.check.instance))
    });
    if let Some(instance) = instance {
        drop_instance(txn, &instance);
    }
    Ok(done(txn))
}

/// Forgets a node with all that is on it: at once, as far as that fits.
pub(crate) fn deregister_node(txn: &mut Handling<'_>, head: &Head, command: &Named) -> Handled {
    visible(head, command.tenant)?;
    if !txn.state().nodes.contains(&(command.tenant, Arc::clone(&command.name))) {
        return Err(no_node(&command.name));
    }
    not_own(txn.state(), head, &(command.tenant, Arc::clone(&command.name)))?;
    Ok(clear_node(txn, command))
}

/// Forgets some of what is on a node, and the node when nothing is left.
pub(crate) fn clear_node(txn: &mut Handling<'_>, command: &Named) -> Outcome<Catalog> {
    let node = (command.tenant, Arc::clone(&command.name));
    if !txn.state().nodes.contains(&node) {
        return done(txn);
    }
    if clear_some(txn, &node) {
        txn.follow_up(Command::ClearNode(command.clone()));
    } else {
        let index = txn.next_number();
        txn.emit(&Event::NodeDeregistered(NodeDeregistered { index, tenant: node.0, name: node.1 }));
    }
    done(txn)
}

/// Forgets some instances, checks or sessions of a node. Says whether there were any.
fn clear_some(txn: &mut Handling<'_>, node: &Name) -> bool {
    let at_once = txn.env().limits.cleared_at_once;
    let state = txn.state();
    let instances: Vec<Place> =
        state.instances_on(node).take(at_once).map(|(place, _)| place.clone()).collect();
    let checks: Vec<Place> = state
        .checks_on(node)
        .filter(|(_, entry)| entry.check.instance.is_empty())
        .take(at_once)
        .map(|(place, _)| place.clone())
        .collect();
    let sessions = sessions_on(state, node, at_once);
    let any = !(instances.is_empty() && checks.is_empty() && sessions.is_empty());
    for place in &instances {
        drop_instance(txn, place);
    }
    for place in &checks {
        drop_check(txn, place);
    }
    for id in sessions {
        txn.follow_up(Command::DestroySession(DestroySession { tenant: node.0, id }));
    }
    any
}

/// Some sessions that live on a node.
fn sessions_on(state: &State, node: &Name, count: usize) -> Vec<Arc<str>> {
    let (owner, name) = node;
    let on = state.sessions.range((*owner, Arc::from(""))..).take_while(|((tenant, _), _)| tenant == owner);
    on.filter(|(_, entry)| entry.session.node == *name)
        .map(|((_, id), _)| Arc::clone(id))
        .take(count)
        .collect()
}

/// Forgets an instance that is there, with its checks.
pub(super) fn drop_instance(txn: &mut Handling<'_>, place: &Place) {
    let Some(known) = txn.state().instances.get(place) else { return };
    let checks: Vec<Place> = txn.state().checks_of(place).map(|(place, _)| place).collect();
    for check in &checks {
        drop_check(txn, check);
    }
    let index = txn.next_number();
    let (tenant, node, id) = place.clone();
    let service = Arc::clone(&known.instance.service);
    txn.emit(&Event::InstanceDeregistered(InstanceDeregistered { index, tenant, node, id, service }));
}

/// Forgets a check that is there, and lets the sessions end that depend on it.
pub(super) fn drop_check(txn: &mut Handling<'_>, place: &Place) {
    let Some(known) = txn.state().checks.get(place) else { return };
    let index = txn.next_number();
    let (tenant, node, id) = place.clone();
    let (instance, service) = (Arc::clone(&known.check.instance), Arc::clone(&known.service));
    txn.emit(&Event::CheckDeregistered(CheckDeregistered { index, tenant, node, id, instance, service }));
    end_dependents(txn, place);
}
