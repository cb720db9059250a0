//! Makes an instance known with its checks, or changes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use coreto_machine::{Head, Tenant};
use coreto_record::{Rejection, RejectionKind};

use super::check::{known_check, put_check};
use super::deregister::{drop_check, drop_instance};
use super::{Handled, Handling, done, full, valid, visible};
use crate::command::RegisterInstance;
use crate::event::{Event, InstanceRegistered};
use crate::model::{Check, CheckKind};
use crate::state::Place;

pub(crate) fn register_instance(txn: &mut Handling<'_>, head: &Head, command: &RegisterInstance) -> Handled {
    visible(head, command.tenant)?;
    let place: Place = (command.tenant, Arc::clone(&command.node), Arc::clone(&command.instance.id));
    let checks = acceptable(txn, head, command, &place)?;

    let known = txn.state().instances.get(&place);
    let moved = known.as_ref().is_some_and(|known| known.instance.service != command.instance.service);
    if moved {
        drop_instance(txn, &place);
    }
    if command.replace_checks {
        drop_others(txn, &place, &checks);
    }
    if moved || known.is_none_or(|known| known.instance != command.instance) {
        let index = txn.next_number();
        txn.emit(&Event::InstanceRegistered(InstanceRegistered {
            index,
            tenant: command.tenant,
            node: Arc::clone(&command.node),
            instance: command.instance.clone(),
        }));
    }
    for check in checks {
        put_check(txn, head.now, command.tenant, &command.node, &command.instance.service, check);
    }
    Ok(done(txn))
}

/// The checks as they will be, if all of it may be.
fn acceptable(
    txn: &mut Handling<'_>,
    head: &Head,
    command: &RegisterInstance,
    place: &Place,
) -> Result<Vec<Check>, Rejection> {
    let RegisterInstance { tenant, node, instance, checks, .. } = command;
    let (state, env) = txn.state_and_env();
    let limits = &env.limits;
    valid::instance(limits, instance)?;
    let counted = |kind: CheckKind| !kind.is_own() && kind != CheckKind::Maintenance;
    let given = checks.iter().filter(|check| counted(check.definition.kind)).count();
    valid::count("checks", given, limits.checks_max)?;
    let mut ids = BTreeSet::new();
    for check in checks {
        valid::check(limits, check)?;
        if !ids.insert(&check.id) {
            let reason = format!("two checks have the identifier `{}`; give each its own", check.id);
            return Err(Rejection::invalid_argument(reason));
        }
        known_check(state, head, (*tenant, node), check, &instance.id)?;
    }
    if !state.nodes.contains(&(*tenant, Arc::clone(node))) {
        return Err(no_node(node));
    }
    if !state.instances.contains(place) {
        full("instances", state.instances.len(), limits.instances_max)?;
    }
    let new = checks.iter().filter(|check| !state.checks.contains(&of(*tenant, node, &check.id))).count();
    if new > 0 {
        room("checks", state.checks.len(), new, limits.all_checks_max)?;
        let goes = |id: &Arc<str>| command.replace_checks || checks.iter().any(|check| check.id == *id);
        let own = state.checks_of(place).filter(|(_, entry)| counted(entry.check.definition.kind));
        let stay = own.filter(|((.., id), _)| !goes(id)).count();
        room("checks of it", stay, given, limits.checks_max)?;
    }
    let bound = |check: &Check| Check {
        instance: Arc::clone(&instance.id),
        output: valid::output(limits, &check.output),
        ..check.clone()
    };
    Ok(checks.iter().map(bound).collect())
}

/// There may be so many more of something.
fn room(what: &str, count: usize, new: usize, count_max: usize) -> Result<(), Rejection> {
    if count + new <= count_max {
        return Ok(());
    }
    let reason = format!("there are {count} {what}, and {new} more would be above the bound of {count_max}");
    Err(Rejection::new(RejectionKind::Forbidden, reason))
}

/// Takes away the checks of an instance that it shall not have any more. Being out of use by hand is nobody's to undo
/// but by hand; and a stream's check goes with its stream.
fn drop_others(txn: &mut Handling<'_>, place: &Place, kept: &[Check]) {
    let others: Vec<Place> = txn
        .state()
        .checks_of(place)
        .filter(|(_, entry)| {
            !matches!(entry.check.definition.kind, CheckKind::Maintenance | CheckKind::Stream)
        })
        .filter(|((.., id), _)| kept.iter().all(|check| check.id != *id))
        .map(|(place, _)| place)
        .collect();
    for other in others {
        drop_check(txn, &other);
    }
}

/// What has an identifier on a node.
pub(super) fn of(tenant: Tenant, node: &Arc<str>, id: &Arc<str>) -> Place {
    (tenant, Arc::clone(node), Arc::clone(id))
}

pub(super) fn no_node(node: &str) -> Rejection {
    Rejection::not_found(format!("there is no node `{node}`; register it first"))
}
