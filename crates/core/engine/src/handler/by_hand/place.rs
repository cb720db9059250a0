//! Where an element is entered by hand.

use std::sync::Arc;

use coreto_bpmn::{ElementNumber, Kind, Process};
use coreto_record::command::Activation;
use coreto_record::{
    ElementInstanceKey, ElementNumber as Number, Key, Lifecycle, ProcessInstanceKey, Rejection,
};

use super::known::{Found, Known};
use crate::handler::quoted;
use crate::state::State;

/// Where an element is entered.
pub(in crate::handler) struct Place {
    pub(in crate::handler) element: ElementNumber,
    /// The innermost scope around it that is there.
    pub(in crate::handler) scope: ElementInstanceKey,
    /// Scopes in that one that are not there, the outermost first.
    pub(in crate::handler) missing: Vec<ElementNumber>,
}

/// Finds where an element is to be entered.
pub(in crate::handler) fn find(
    state: &State,
    known: &mut Known,
    process: &Process,
    instance: ProcessInstanceKey,
    activation: &Activation,
) -> Result<Place, Rejection> {
    let (element, scopes) = way(process, activation)?;
    check_variables(process, element, &scopes, activation)?;
    let (scope, inside) = match activation.ancestor {
        Some(ancestor) => below(state, process, instance, ancestor, &scopes, activation)?,
        None => only(state, known, process, instance, &scopes)?,
    };
    let missing = scopes[inside..].to_vec();
    let next = missing.first().copied().unwrap_or(element);
    let around = state.elements.peek(&scope);
    if around.is_some_and(|around| around.admits(Number(next.0)) && !around.pending) {
        return Ok(Place { element, scope, missing });
    }
    let interrupted = around.filter(|it| it.state == Lifecycle::Activated && !it.pending);
    Err(match interrupted.and_then(|it| process.elements.get(it.interrupted_by.0 as usize)) {
        None => wrong(activation, format_args!("the scope {scope} is ending")),
        Some(by) => wrong(activation, format_args!("`{}` has interrupted the scope {scope}", by.id)),
    })
}

/// An element that may be entered by hand, and the scopes around it without the process itself, the outermost first.
pub(in crate::handler) fn way(
    process: &Process,
    activation: &Activation,
) -> Result<(ElementNumber, Vec<ElementNumber>), Rejection> {
    let element = target(process, &activation.element)?;
    Ok((element, scopes(process, element, activation)?))
}

fn wrong(activation: &Activation, why: impl std::fmt::Display) -> Rejection {
    Rejection::invalid_argument(format!("cannot activate {}: {why}", quoted(&activation.element)))
}

/// The element, if it may be entered by hand.
fn target(process: &Process, id: &Arc<str>) -> Result<ElementNumber, Rejection> {
    let refused = |why: &str| Rejection::invalid_argument(format!("cannot activate {}: {why}", quoted(id)));
    let number = process.element_by_id(id).ok_or_else(|| refused("the process has no such element"))?;
    let element = &process.elements[number.index()];
    match element.kind {
        Kind::Process => Err(refused("it is the process itself")),
        Kind::StartEvent(_) => Err(refused("a start event begins with its scope")),
        Kind::BoundaryEvent(_) => Err(refused("a boundary event is entered when it happens")),
        Kind::SequenceFlow { .. } => Err(refused("it is a sequence flow")),
        _ if process.is_behind_gateway(element) => {
            Err(refused("it waits with others behind an event-based gateway; activate the gateway"))
        }
        _ => Ok(number),
    }
}

/// The scopes around an element without the process itself, the outermost first.
fn scopes(
    process: &Process,
    element: ElementNumber,
    activation: &Activation,
) -> Result<Vec<ElementNumber>, Rejection> {
    let mut scopes = Vec::new();
    let mut scope = process.elements[element.index()].scope;
    // Bound: scopes are nested as elements are in their model.
    while scope != ElementNumber::PROCESS {
        let around = &process.elements[scope.index()];
        if matches!(around.kind, Kind::MultiInstance(_)) {
            let why = format_args!("it is inside of the multi-instance activity `{}`", around.id);
            return Err(wrong(activation, why));
        }
        scopes.push(scope);
        scope = around.scope;
    }
    scopes.reverse();
    Ok(scopes)
}

/// Variables are for the element and what is around it.
fn check_variables(
    process: &Process,
    element: ElementNumber,
    scopes: &[ElementNumber],
    activation: &Activation,
) -> Result<(), Rejection> {
    let id = |number: &ElementNumber| &process.elements[number.index()].id;
    let known = |scope: &Arc<str>| {
        scope.is_empty()
            || *scope == process.id
            || scopes.iter().chain([&element]).any(|number| id(number) == scope)
    };
    match activation.variables.iter().find(|given| !known(&given.scope)) {
        None => Ok(()),
        Some(given) => {
            let why =
                format_args!("variables are meant for {}, which is not around it", quoted(&given.scope));
            Err(wrong(activation, why))
        }
    }
}

/// An ancestor that was named, and how many of the scopes are not inside of it.
fn below(
    state: &State,
    process: &Process,
    instance: ProcessInstanceKey,
    ancestor: ElementInstanceKey,
    scopes: &[ElementNumber],
    activation: &Activation,
) -> Result<(ElementInstanceKey, usize), Rejection> {
    let found = state.elements.peek(&ancestor).filter(|found| found.instance == instance);
    let Some(found) = found else {
        let why =
            format_args!("its ancestor {ancestor} is no active element instance of the process instance");
        return Err(wrong(activation, why));
    };
    if found.is_root() {
        return Ok((ancestor, 0));
    }
    let at = scopes.iter().position(|scope| scope.0 == found.element.0);
    at.map(|at| (ancestor, at + 1)).ok_or_else(|| {
        let id = &process.elements[found.element.0 as usize].id;
        wrong(activation, format_args!("its ancestor {ancestor} is of `{id}`, which is not around it"))
    })
}

/// The innermost scope that is there, and how many of the scopes are not inside of it.
fn only(
    state: &State,
    known: &mut Known,
    process: &Process,
    instance: ProcessInstanceKey,
    scopes: &[ElementNumber],
) -> Result<(ElementInstanceKey, usize), Rejection> {
    let mut at = ElementInstanceKey::from(instance);
    for (index, scope) in scopes.iter().enumerate() {
        at = match known.find(state, at, Number(scope.0)) {
            None => return Ok((at, index)),
            Some(Found::One(key)) => key,
            Some(Found::Several) => {
                return Err(Rejection::invalid_argument(format!(
                    "`{}` is active more than once; say by the key of an ancestor in which",
                    process.elements[scope.index()].id
                )));
            }
        };
    }
    Ok((at, scopes.len()))
}

/// A scope and all scopes around it, up to the process instance.
pub(in crate::handler) fn around(state: &State, scope: ElementInstanceKey) -> Vec<ElementInstanceKey> {
    let next = |key: &ElementInstanceKey| {
        let scope = state.elements.peek(key)?.scope;
        (!scope.is_unset()).then_some(scope)
    };
    std::iter::successors(Some(scope), next).collect()
}
