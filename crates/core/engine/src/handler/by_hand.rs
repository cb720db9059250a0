//! Entering elements where no token leads: in a running instance, and at the beginning of one.

mod known;
pub(super) mod place;

use coreto_bpmn::{ElementNumber as Number, Process};
use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateElement, Activation};
use coreto_record::{Command, Document, ElementInstanceKey, ElementNumber, Lifecycle, Rejection};

pub(super) use self::known::Known;
pub(super) use self::place::Place;
use super::enter;
use crate::element::Visit;
use crate::engine::Engine;
use crate::state::ElementInstance;
use crate::{incident, keys, subscription, variables};

/// Enters what is missing around the element by events, then the element itself, which goes on by a command.
pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    process: &Process,
    activation: &Activation,
    known: &mut Known,
    place: &Place,
) -> Result<(), Rejection> {
    give_to_existing(txn, process, activation, place);
    let mut scope = place.scope;
    for &missing in &place.missing {
        let visit = enter_beside(txn, scope, missing)?;
        give(txn, process, activation, &visit);
        begin_scope(txn, head, &visit);
        known.entered(scope, visit.instance.element, visit.key);
        scope = visit.key;
    }
    let visit = enter_beside(txn, scope, place.element)?;
    give(txn, process, activation, &visit);
    txn.follow_up(Command::ActivateElement(ActivateElement {
        instance: visit.instance.instance,
        scope,
        element: visit.instance.element,
        key: visit.key,
        ..ActivateElement::default()
    }));
    Ok(())
}

/// Lets a scope that was entered wait for what may happen to it and in it. Its start event is left out.
pub(super) fn begin_scope(txn: &mut Txn<'_, Engine>, head: &Head, scope: &Visit) {
    scope.goes_on(txn, Lifecycle::Activated);
    begin_waiting(txn, head, scope);
}

/// Opens what a scope that was entered waits for; what is not understood is tried again when its incident is resolved.
pub(super) fn begin_waiting(txn: &mut Txn<'_, Engine>, head: &Head, scope: &Visit) {
    if !scope.element().awaited.is_empty()
        && let Err(trouble) = subscription::open(txn, head, scope)
    {
        incident::raise(txn, head, scope.key, &scope.instance, &trouble);
    }
}

/// Enters an element to which no token came.
fn enter_beside(
    txn: &mut Txn<'_, Engine>,
    scope: ElementInstanceKey,
    element: Number,
) -> Result<Visit, Rejection> {
    let instance = txn.state().elements.peek(&scope).map(|scope| scope.instance).unwrap_or_default();
    let key = keys::next(txn);
    let beside = true;
    let element = ElementNumber(element.0);
    enter(txn, &ActivateElement { instance, scope, element, key, beside, ..ActivateElement::default() })
}

/// Gives a new element instance the variables that are meant for its element.
fn give(txn: &mut Txn<'_, Engine>, process: &Process, activation: &Activation, visit: &Visit) {
    let id = &process.elements[visit.instance.element.0 as usize].id;
    for given in activation.variables.iter().filter(|given| given.scope == *id) {
        write(txn, &visit.instance, visit.key, &given.variables);
    }
}

/// Gives scopes that are there already the variables that are meant for them.
fn give_to_existing(txn: &mut Txn<'_, Engine>, process: &Process, activation: &Activation, place: &Place) {
    for key in place::around(txn.state(), place.scope) {
        let Some(instance) = txn.state().elements.get(&key) else { continue };
        let id = &process.elements[instance.element.0 as usize].id;
        let is_meant = |scope: &str| scope == &**id || scope.is_empty() && instance.is_root();
        for given in activation.variables.iter().filter(|given| is_meant(&given.scope)) {
            write(txn, &instance, key, &given.variables);
        }
    }
}

fn write(
    txn: &mut Txn<'_, Engine>,
    owner: &ElementInstance,
    scope: ElementInstanceKey,
    variables: &Document,
) {
    variables::merge_local(txn, owner, scope, variables.entries());
}
