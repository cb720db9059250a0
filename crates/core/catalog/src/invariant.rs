//! What must hold of every state between two transactions; each has an id.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::state::{Name, State, folded};

/// Everything that does not hold, each with the id of its invariant; empty when all is well.
///
/// - CAT-1: a service counts its instances, and is there as long as it has some.
/// - CAT-2: what belongs to something goes with it: instances and checks with their node, checks with their instance,
///   sessions with their node and their checks.
/// - CAT-3: a key that is held is held by a session that is there.
/// - CAT-4: the indexes say what the tables say.
/// - CAT-5: nothing has changed at a number that was not counted yet, and what holds others has not changed before them.
pub fn broken(state: &State) -> Vec<String> {
    let mut broken = Vec::new();
    services(state, &mut broken);
    owners(state, &mut broken);
    sessions(state, &mut broken);
    indexes(state, &mut broken);
    numbers(state, &mut broken);
    broken
}

fn services(state: &State, broken: &mut Vec<String>) {
    let mut counts: BTreeMap<Name, u64> = BTreeMap::new();
    for ((tenant, ..), entry) in state.instances.range(..) {
        *counts.entry((*tenant, folded(&entry.instance.service))).or_default() += 1;
    }
    for (name, service) in state.services.range(..) {
        let found = counts.remove(name).unwrap_or_default();
        if found != service.instances {
            let counted = service.instances;
            broken.push(format!("CAT-1: service `{}` counts {counted} instances and has {found}", name.1));
        }
    }
    broken.extend(counts.into_keys().map(|(_, name)| format!("CAT-1: service `{name}` is not in the list")));
}

fn owners(state: &State, broken: &mut Vec<String>) {
    let has_node = |tenant, node: &Arc<str>| state.nodes.contains(&(tenant, Arc::clone(node)));
    for ((tenant, node, id), _) in state.instances.range(..) {
        if !has_node(*tenant, node) {
            broken.push(format!("CAT-2: instance `{id}` outlived its node `{node}`"));
        }
    }
    for ((tenant, node, id), entry) in state.checks.range(..) {
        let instance = &entry.check.instance;
        let found = state.instances.peek(&(*tenant, Arc::clone(node), Arc::clone(instance)));
        let sound = match (instance.is_empty(), found) {
            (true, _) => has_node(*tenant, node) && entry.service.is_empty(),
            (false, found) => found.is_some_and(|found| found.instance.service == entry.service),
        };
        if !sound {
            broken.push(format!("CAT-2: check `{id}` of node `{node}` outlived `{instance}`"));
        }
    }
}

fn sessions(state: &State, broken: &mut Vec<String>) {
    for ((tenant, id), entry) in state.sessions.range(..) {
        let node = &entry.session.node;
        let missing = entry
            .session
            .checks
            .iter()
            .find(|check| !state.checks.contains(&(*tenant, Arc::clone(node), Arc::clone(check))));
        if let Some(check) = missing {
            broken.push(format!("CAT-2: session `{id}` outlived its check `{check}`"));
        }
        if !state.nodes.contains(&(*tenant, Arc::clone(node))) {
            broken.push(format!("CAT-2: session `{id}` outlived its node `{node}`"));
        }
    }
    for ((tenant, key), entry) in state.entries.range(..) {
        let session = &entry.session;
        if !session.is_empty() && !state.sessions.contains(&(*tenant, Arc::clone(session))) {
            broken.push(format!("CAT-3: key `{key}` is held by session `{session}`, which has ended"));
        }
    }
}

fn indexes(state: &State, broken: &mut Vec<String>) {
    let held = state.entries.range(..).filter(|(_, entry)| !entry.session.is_empty()).count();
    let depending: usize = state.sessions.range(..).map(|(_, entry)| distinct(&entry.session.checks)).sum();
    for (what, table, index) in [
        ("instances by service", state.instances.len(), state.by_service.len()),
        ("nodes by labels", state.nodes.len(), state.by_labels.len()),
        ("checks by instance", state.checks.len(), state.by_instance.len()),
        ("keys by session", held, state.held.len()),
        ("sessions by check", depending, state.depending.len()),
        ("keys by time", state.lock_delays.len(), state.due.len()),
    ] {
        if table != index {
            broken.push(format!("CAT-4: {what} are {table}, the index has {index}"));
        }
    }
}

fn distinct(names: &[Arc<str>]) -> usize {
    names.iter().collect::<std::collections::BTreeSet<_>>().len()
}

fn numbers(state: &State, broken: &mut Vec<String>) {
    let last = state.index();
    for ((tenant, node, id), entry) in state.instances.range(..) {
        let (name, modify) = ((*tenant, folded(&entry.instance.service)), entry.stamp.modify);
        let service = state.services.peek(&name).map_or(0, |service| service.index);
        let on = state.nodes.peek(&(*tenant, Arc::clone(node))).map_or(0, |node| node.index);
        if modify > service || modify > on || service > last || on > last {
            broken.push(format!("CAT-5: instance `{id}` changed at {modify}, its service at {service}, its node at {on}, of {last}"));
        }
    }
    for ((_, key), entry) in state.entries.range(..) {
        if entry.stamp.modify > last || entry.stamp.create > entry.stamp.modify {
            broken.push(format!("CAT-5: key `{key}` has {:?}, of {last}", entry.stamp));
        }
    }
}
