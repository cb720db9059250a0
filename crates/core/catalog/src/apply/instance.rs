//! Nodes and instances.

use std::sync::Arc;

use coreto_machine::Tenant;

use super::{mark, stamp};
use crate::event::{InstanceDeregistered, InstanceRegistered, NodeDeregistered, NodeRegistered};
use crate::state::{InstanceEntry, Name, NodeEntry, Service, State, folded, labels_of};

pub(super) fn node_registered(state: &mut State, event: &NodeRegistered) {
    let name = (event.tenant, Arc::clone(&event.name));
    let old = state.nodes.peek(&name);
    let entry = NodeEntry {
        node: event.node.clone(),
        stamp: stamp(old.map(|old| &old.stamp), event.index),
        index: event.index,
        checks: old.map_or(0, |old| old.checks),
    };
    state.by_labels.insert(((event.tenant, labels_of(&event.name)), Arc::clone(&event.name)));
    state.nodes.insert(name, entry);
    mark(state, |marks| marks.nodes = event.index);
}

pub(super) fn node_deregistered(state: &mut State, event: &NodeDeregistered) {
    state.nodes.remove(&(event.tenant, Arc::clone(&event.name)));
    state.by_labels.remove(&((event.tenant, labels_of(&event.name)), Arc::clone(&event.name)));
    mark(state, |marks| {
        marks.nodes = event.index;
        marks.node_gone = event.index;
    });
}

pub(super) fn registered(state: &mut State, event: &InstanceRegistered) {
    let InstanceRegistered { index, tenant, node, instance } = event;
    let place = (*tenant, Arc::clone(node), Arc::clone(&instance.id));
    let old = state.instances.peek(&place).map(|old| old.stamp.clone());
    let is_new = old.is_none();
    let entry = InstanceEntry { instance: instance.clone(), stamp: stamp(old.as_ref(), *index) };
    state.instances.insert(place, entry);
    let service = (*tenant, folded(&instance.service));
    state.by_service.insert((service.clone(), (Arc::clone(node), Arc::clone(&instance.id))));
    let before = state.services.peek(&service).map_or(0, |service| service.instances);
    state.services.insert(service, Service { instances: before + u64::from(is_new), index: *index });
    node_changed(state, *tenant, node, *index);
    mark(state, |marks| marks.services = *index);
}

pub(super) fn deregistered(state: &mut State, event: &InstanceDeregistered) {
    let InstanceDeregistered { index, tenant, node, id, service } = event;
    state.instances.remove(&(*tenant, Arc::clone(node), Arc::clone(id)));
    let name: Name = (*tenant, folded(service));
    state.by_service.remove(&(name.clone(), (Arc::clone(node), Arc::clone(id))));
    let before = state.services.peek(&name).map_or(0, |service| service.instances);
    if before > 1 {
        state.services.insert(name, Service { instances: before - 1, index: *index });
    } else {
        state.services.remove(&name);
        mark(state, |marks| marks.service_gone = *index);
    }
    node_changed(state, *tenant, node, *index);
    mark(state, |marks| marks.services = *index);
}

/// Something on a node has changed.
pub(super) fn node_changed(state: &mut State, tenant: Tenant, node: &Arc<str>, index: u64) {
    state.nodes.update(&(tenant, Arc::clone(node)), |node| node.index = index);
}
