//! Adds checks, and tells how they are.

use std::sync::Arc;

use coreto_machine::{Channel, Head, Tenant, Timestamp};
use coreto_record::{Rejection, RejectionKind};

use super::instance::{no_node, of};
use super::session::end_dependents;
use super::{Handled, Handling, done, full, valid, visible};
use crate::command::{RegisterCheck, UpdateCheck};
use crate::event::{CheckRegistered, CheckUpdated, Event};
use crate::model::{Check, CheckKind, Status};
use crate::state::State;

pub(crate) fn register_check(txn: &mut Handling<'_>, head: &Head, command: &RegisterCheck) -> Handled {
    let RegisterCheck { tenant, node, check } = command;
    visible(head, *tenant)?;
    let (state, env) = txn.state_and_env();
    valid::check(&env.limits, check)?;
    if !state.nodes.contains(&(*tenant, Arc::clone(node))) {
        return Err(no_node(node));
    }
    let mut service = Arc::from("");
    if !check.instance.is_empty() {
        let Some(instance) = state.instances.peek(&of(*tenant, node, &check.instance)) else {
            let reason = format!("there is no instance `{}` on node `{node}`", check.instance);
            return Err(Rejection::not_found(reason));
        };
        service = Arc::clone(&instance.instance.service);
    }
    known_check(state, head, (*tenant, node), check, &check.instance)?;
    if !state.checks.contains(&of(*tenant, node, &check.id)) {
        full("checks", state.checks.len(), env.limits.all_checks_max)?;
        // Whatever else an instance has, it can be taken out of use.
        if check.definition.kind != CheckKind::Maintenance {
            let beside = state.checks_of(&of(*tenant, node, &check.instance)).count();
            full("checks of it", beside, env.limits.checks_max)?;
        }
    }
    let check = Check { output: valid::output(&env.limits, &check.output), ..check.clone() };
    put_check(txn, head.now, *tenant, node, &service, check);
    Ok(done(txn))
}

/// A check that is known is of one instance, or of the node, for good; and the program's own is nobody else's to change.
pub(super) fn known_check(
    state: &State,
    head: &Head,
    (tenant, node): (Tenant, &Arc<str>),
    check: &Check,
    instance: &Arc<str>,
) -> Result<(), Rejection> {
    let whose = |instance: &str| {
        if instance.is_empty() { "the node".to_owned() } else { format!("instance `{instance}`") }
    };
    match state.checks.peek(&of(tenant, node, &check.id)) {
        Some(known) if known.check.definition.kind.is_own() => only_the_program(head, &check.id),
        Some(known) if known.check.instance != *instance => Err(Rejection::invalid_argument(format!(
            "check `{}` is one of {} already, and not of {}; give it another identifier",
            check.id,
            whose(&known.check.instance),
            whose(instance)
        ))),
        _ => Ok(()),
    }
}

/// A check of which others than the program have nothing to say.
pub(super) fn only_the_program(head: &Head, id: &str) -> Result<(), Rejection> {
    if head.caller.channel == Channel::Internal {
        return Ok(());
    }
    let reason = format!("check `{id}` is the catalog's to tell of; nobody else changes it");
    Err(Rejection::new(RejectionKind::Forbidden, reason))
}

/// Makes a check known as it shall be; one that is known keeps its status and the reason for it.
pub(super) fn put_check(
    txn: &mut Handling<'_>,
    at: Timestamp,
    tenant: Tenant,
    node: &Arc<str>,
    service: &Arc<str>,
    mut check: Check,
) {
    let known = txn.state().checks.get(&of(tenant, node, &check.id));
    if let Some(known) = &known {
        check.status = known.check.status;
        check.output = Arc::clone(&known.check.output);
        if known.check == check {
            return;
        }
    }
    let index = txn.next_number();
    let (node, service) = (Arc::clone(node), Arc::clone(service));
    txn.emit(&Event::CheckRegistered(CheckRegistered { index, tenant, node, service, check, at }));
}

pub(crate) fn update_check(txn: &mut Handling<'_>, head: &Head, command: &UpdateCheck) -> Handled {
    let UpdateCheck { tenant, node, id, status, output } = command;
    visible(head, *tenant)?;
    let place = of(*tenant, node, id);
    let (state, env) = txn.state_and_env();
    let Some(known) = state.checks.get(&place) else { return Err(no_check(node, id)) };
    if !known.check.definition.kind.is_told() {
        only_the_program(head, id)?;
    }
    let output = valid::output(&env.limits, output);
    if known.check.status == *status && known.check.output == output {
        return Ok(done(txn));
    }
    let index = txn.next_number();
    txn.emit(&Event::CheckUpdated(CheckUpdated {
        index,
        tenant: *tenant,
        node: Arc::clone(node),
        id: Arc::clone(id),
        instance: Arc::clone(&known.check.instance),
        service: Arc::clone(&known.service),
        status: *status,
        output,
        at: head.now,
    }));
    if *status == Status::Critical {
        end_dependents(txn, &place);
    }
    Ok(done(txn))
}

pub(super) fn no_check(node: &str, id: &str) -> Rejection {
    Rejection::not_found(format!("there is no check `{id}` on node `{node}`"))
}
