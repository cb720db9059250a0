//! Entering an element.

use std::sync::Arc;

use coreto_bpmn::{Element, Kind, Process};
use coreto_machine::{Head, Tenant, Txn};
use coreto_record::command::ActivateElement;
use coreto_record::event::{ElementChanged, Lineage};
use coreto_record::{ElementNumber, Event, Key, Lifecycle, ProcessDefinitionKey, Rejection};

use super::{Handled, done, is_banned, process};
use crate::element::Visit;
use crate::engine::Engine;
use crate::state::ElementInstance;
use crate::{element, keys};

/// Enters an element, or tries again what failed on entering it.
pub(crate) fn activate_element(txn: &mut Txn<'_, Engine>, head: &Head, command: &ActivateElement) -> Handled {
    if is_banned(txn.state(), command.instance) {
        return done();
    }
    if !command.scope.is_unset()
        && let Some(instance) = txn.state().elements.get(&command.key)
    {
        return again(txn, head, command, instance);
    }
    let visit = enter(txn, command)?;
    element::activate(txn, head, &visit);
    done()
}

/// Emits that the element is ACTIVATING.
pub(crate) fn enter(txn: &mut Txn<'_, Engine>, command: &ActivateElement) -> Result<Visit, Rejection> {
    let Place { definition, tenant, lineage, interrupted } = place(txn, command)?;
    let process = process(txn.state(), definition)?;
    let element = &process.elements[command.element.0 as usize];
    let joins = element.joins() && !command.beside;
    if joins {
        check_tokens(txn, command, element)?;
    }
    let takes_token =
        command.begins || command.loop_counter == 0 && !command.beside && takes_token(&process, element);
    if takes_token && interrupted {
        return Err(scope_ends(command));
    }
    let key = if command.key.is_unset() { keys::next(txn) } else { command.key };
    let entered = ElementChanged {
        key,
        to: Lifecycle::Activating,
        element: command.element,
        scope: command.scope,
        instance: command.instance,
        definition,
        tenant,
        takes_token,
        joins,
        lineage,
        loop_counter: command.loop_counter,
        ..ElementChanged::default()
    };
    txn.emit(&Event::Element(entered));
    let instance = txn.state().elements.get(&key).expect("it was entered by the event");
    Ok(Visit { key, instance, process })
}

/// Whether a token comes by a sequence flow to enter the element. Where a scope begins, the wish says so.
fn takes_token(process: &Process, element: &Element) -> bool {
    match element.kind {
        Kind::Process | Kind::StartEvent(_) | Kind::BoundaryEvent(_) | Kind::EventSubProcess { .. } => false,
        _ => !process.is_behind_gateway(element),
    }
}

/// A joining gateway is entered when a token has come by each flow that leads to it.
fn check_tokens(
    txn: &Txn<'_, Engine>,
    command: &ActivateElement,
    gateway: &Element,
) -> Result<(), Rejection> {
    let (come, all) =
        (txn.state().arrived_at(command.scope, command.element).count(), gateway.incoming.len());
    if come == all {
        return Ok(());
    }
    Err(Rejection::invalid_state(format!(
        "the gateway `{}` waits: tokens have come by {come} of its {all} flows",
        gateway.id
    )))
}

/// The incident that stopped it on entering was resolved.
fn again(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &ActivateElement,
    instance: Arc<ElementInstance>,
) -> Handled {
    if instance.state != Lifecycle::Activating {
        return Err(Rejection::invalid_state(format!(
            "element instance {} was entered already",
            command.key
        )));
    }
    place(txn, command)?;
    let process = process(txn.state(), instance.definition)?;
    let visit = Visit { key: command.key, instance, process };
    element::activate(txn, head, &visit);
    done()
}

/// Where an element is entered.
struct Place {
    definition: ProcessDefinitionKey,
    tenant: Tenant,
    lineage: Lineage,
    /// Tokens on their way in the scope are void, also those on their way to the end event that interrupted it.
    interrupted: bool,
}

/// In the scope, which must be active; a root stands where it was created.
fn place(txn: &Txn<'_, Engine>, command: &ActivateElement) -> Result<Place, Rejection> {
    let elements = &txn.state().elements;
    if command.scope.is_unset() {
        return match elements.peek(&command.key) {
            Some(root) if root.state == Lifecycle::Activating => Ok(Place {
                definition: root.definition,
                tenant: root.tenant,
                lineage: root.lineage.clone(),
                interrupted: false,
            }),
            _ => Err(Rejection::invalid_state(format!(
                "process instance {} was cancelled before it was entered",
                command.instance
            ))),
        };
    }
    match elements.peek(&command.scope) {
        Some(scope) if scope.admits(command.element) => Ok(Place {
            definition: scope.definition,
            tenant: scope.tenant,
            lineage: scope.inside(command.scope),
            interrupted: scope.interrupted_by != ElementNumber::PROCESS,
        }),
        Some(_) => Err(scope_ends(command)),
        None => Err(Rejection::invalid_state(format!("the scope {} has ended", command.scope))),
    }
}

fn scope_ends(command: &ActivateElement) -> Rejection {
    Rejection::invalid_state(format!("the scope {} is ending", command.scope))
}
