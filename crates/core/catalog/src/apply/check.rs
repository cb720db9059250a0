//! Checks.

use std::sync::Arc;

use coreto_machine::Tenant;

use super::instance::node_changed;
use super::{mark, stamp};
use crate::event::{CheckDeregistered, CheckRegistered, CheckUpdated};
use crate::state::{CheckEntry, State, folded};

pub(super) fn registered(state: &mut State, event: &CheckRegistered) {
    let CheckRegistered { index, tenant, node, service, check, at } = event;
    let place = (*tenant, Arc::clone(node), Arc::clone(&check.id));
    let old = state.checks.get(&place);
    if let Some(old) = old.as_ref().filter(|old| old.check.instance != check.instance) {
        let of = (*tenant, Arc::clone(node), Arc::clone(&old.check.instance));
        state.by_instance.remove(&(of, Arc::clone(&check.id)));
    }
    let kept = old.as_ref().filter(|old| old.check.status == check.status);
    let entry = CheckEntry {
        check: check.clone(),
        service: Arc::clone(service),
        stamp: stamp(old.as_ref().map(|old| &old.stamp), *index),
        turned: kept.map_or(*index, |old| old.turned),
        since: kept.map_or(*at, |old| old.since),
    };
    state.checks.insert(place, entry);
    let of = (*tenant, Arc::clone(node), Arc::clone(&check.instance));
    state.by_instance.insert((of, Arc::clone(&check.id)));
    changed(state, *tenant, node, service, *index);
}

pub(super) fn deregistered(state: &mut State, event: &CheckDeregistered) {
    let CheckDeregistered { index, tenant, node, id, instance, service } = event;
    state.checks.remove(&(*tenant, Arc::clone(node), Arc::clone(id)));
    let of = (*tenant, Arc::clone(node), Arc::clone(instance));
    state.by_instance.remove(&(of, Arc::clone(id)));
    changed(state, *tenant, node, service, *index);
}

pub(super) fn updated(state: &mut State, event: &CheckUpdated) {
    let CheckUpdated { index, tenant, node, id, service, status, output, at, instance: _ } = event;
    state.checks.update(&(*tenant, Arc::clone(node), Arc::clone(id)), |entry| {
        if entry.check.status != *status {
            entry.turned = *index;
            entry.since = *at;
        }
        entry.check.status = *status;
        entry.check.output = Arc::clone(output);
        entry.stamp.modify = *index;
    });
    changed(state, *tenant, node, service, *index);
}

/// A check came, changed or went: of a service, or when that is empty of the node.
fn changed(state: &mut State, tenant: Tenant, node: &Arc<str>, service: &Arc<str>, index: u64) {
    if service.is_empty() {
        state.nodes.update(&(tenant, Arc::clone(node)), |node| node.checks = index);
    } else {
        state.services.update(&(tenant, folded(service)), |service| service.index = index);
    }
    node_changed(state, tenant, node, index);
    mark(state, |marks| marks.checks = index);
}
