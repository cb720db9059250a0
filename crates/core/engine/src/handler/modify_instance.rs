//! Changing what runs in an instance: elements are entered, and element instances ended, by hand.

mod ending;
mod place;

use std::collections::BTreeSet;

use coreto_bpmn::{ElementNumber as Number, Process};
use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateElement, Activation, ModifyInstance, TerminateElement};
use coreto_record::{Command, Document, ElementInstanceKey, ElementNumber, Event, Lifecycle, Rejection};

use self::place::Place;
use super::{Handled, done, enter, process, running};
use crate::element::Visit;
use crate::engine::Engine;
use crate::state::ElementInstance;
use crate::{incident, keys, subscription, variables};

/// Enters elements, with the scopes around them that are missing, and ends element instances, with the scopes in which
/// nothing is left. All or nothing: what is wrong is found before anything is done.
pub(crate) fn modify_instance(txn: &mut Txn<'_, Engine>, head: &Head, command: &ModifyInstance) -> Handled {
    let root = running(txn.state(), head, command.instance)?;
    let process = process(txn.state(), root.definition)?;
    let find = |txn: &Txn<'_, Engine>, activation: &Activation| {
        place::find(txn.state(), &process, command.instance, activation)
    };
    let places: Vec<Place> =
        command.activate.iter().map(|activation| find(txn, activation)).collect::<Result<_, _>>()?;
    let needed: BTreeSet<_> =
        places.iter().flat_map(|place| place::around(txn.state(), place.scope)).collect();
    let ends = ending::find(txn.state(), &root, command, &needed)?;
    for (activation, place) in command.activate.iter().zip(places) {
        // Scopes that were missing may have come with an earlier activation, also more than once.
        let place = find(txn, activation).unwrap_or(place);
        activate(txn, head, &process, activation, &place)?;
    }
    for key in ends {
        txn.follow_up(Command::TerminateElement(TerminateElement { key }));
    }
    txn.emit(&Event::InstanceModified(command.clone()));
    done()
}

/// Enters what is missing around the element by events, then the element itself, which goes on by a command.
fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    process: &Process,
    activation: &Activation,
    place: &Place,
) -> Result<(), Rejection> {
    give_to_existing(txn, process, activation, place);
    let mut scope = place.scope;
    for &missing in &place.missing {
        let visit = enter_beside(txn, scope, missing)?;
        give(txn, process, activation, &visit);
        visit.goes_on(txn, Lifecycle::Activated);
        if !visit.element().awaited.is_empty()
            && let Err(trouble) = subscription::open(txn, head, &visit)
        {
            incident::raise(txn, head, visit.key, &visit.instance, &trouble);
        }
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
