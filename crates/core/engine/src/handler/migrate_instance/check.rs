//! What may move, and to what.

use std::fmt::Display;

use coreto_bpmn::{Element, Kind, Process, Trigger};
use coreto_record::{ElementInstanceKey, ElementNumber, Key, Lifecycle, Rejection};

use super::plan::{Plan, number};
use crate::state::{ElementInstance, State};

/// What an element instance becomes.
pub(super) fn fits(
    state: &State,
    plan: &Plan,
    key: ElementInstanceKey,
    before: &ElementInstance,
) -> Result<ElementInstance, Rejection> {
    let from = &plan.source.elements[number(before.element).index()];
    check_it_rests(state, key, before, from)?;
    if matches!(from.kind, Kind::StartEvent(_) | Kind::BoundaryEvent(_)) {
        let why = format_args!("{key} is of type {}, which cannot move", from.kind.element_type());
        return Err(refused(from, why));
    }
    let Some(target) = plan.goes(number(before.element)) else {
        return Err(refused(from, format_args!("{key} is active there, and it is mapped to nothing")));
    };
    let to = &plan.target.elements[target.index()];
    if let Some(why) = difference(plan, from, to) {
        return Err(refused(from, why));
    }
    if !before.is_root() && plan.goes(from.scope) != Some(to.scope) {
        let (was, is) = (&plan.source.elements[from.scope.index()], &plan.target.elements[to.scope.index()]);
        let why =
            format_args!("it stands in `{}`, and `{}` in `{}`, which is another scope", was.id, to.id, is.id);
        return Err(refused(from, why));
    }
    let interrupted_by = interruption(plan, before, target).ok_or_else(|| {
        refused(from, format_args!("{key} is ending, or what has interrupted it is not mapped"))
    })?;
    Ok(ElementInstance {
        element: ElementNumber(target.0),
        definition: plan.definition,
        interrupted_by,
        ..before.clone()
    })
}

/// The sentence that says why something at an element keeps the instance from moving.
pub(super) fn refused(from: &Element, why: impl Display) -> Rejection {
    Rejection::invalid_state(format!("cannot migrate `{}`: {why}", from.id))
}

/// What is on its way was told of elements of the definition as it was.
fn check_it_rests(
    state: &State,
    key: ElementInstanceKey,
    instance: &ElementInstance,
    element: &Element,
) -> Result<(), Rejection> {
    if instance.flows > 0 {
        let why = format_args!("in {key} tokens are on their way, or wait at a gateway for others");
        return Err(refused(element, why));
    }
    let rests = !instance.pending && rests(state, key, instance, element);
    if !rests && let Some(incident) = state.incidents_at(key).next() {
        let why = format_args!("{key} cannot go on before its incident {incident} is resolved");
        return Err(refused(element, why));
    }
    if !rests {
        return Err(refused(
            element,
            format_args!("{key} is about to go on or to end; try again when it waits"),
        ));
    }
    Ok(())
}

/// Whether nothing is asked of an element instance.
fn rests(state: &State, key: ElementInstanceKey, instance: &ElementInstance, element: &Element) -> bool {
    match instance.state {
        // A gateway that could not be left goes on with an event of its own process.
        Lifecycle::Completing if matches!(element.kind, Kind::EventBasedGateway) => false,
        Lifecycle::Activating | Lifecycle::Completing => state.incidents_at(key).next().is_some(),
        Lifecycle::Activated => match &element.kind {
            Kind::Process
            | Kind::SubProcess { .. }
            | Kind::EventSubProcess { .. }
            | Kind::CallActivity(_) => instance.children > 0,
            Kind::MultiInstance(model) => {
                let all = state.loops.peek(&key).is_some_and(|kept| kept.entered == kept.total);
                instance.children > 0 && (model.sequential || all)
            }
            Kind::CatchEvent(_) | Kind::ReceiveTask(_) | Kind::EventBasedGateway => {
                !state.triggers.contains(&key)
            }
            _ => !instance.job.is_unset(),
        },
        Lifecycle::Terminating | Lifecycle::Completed | Lifecycle::Terminated => false,
    }
}

/// What keeps an element from becoming another one.
fn difference(plan: &Plan, from: &Element, to: &Element) -> Option<String> {
    let kind = |element: &Element| (element.kind.element_type(), element.kind.event_type());
    let shown = |element: &Element| match kind(element) {
        (kind, "UNSPECIFIED") => kind.to_owned(),
        (kind, event) => format!("{kind} of {event}"),
    };
    if kind(from) != kind(to) {
        return Some(format!("it is of type {}, and `{}` of type {}", shown(from), to.id, shown(to)));
    }
    let worker = |element: &Element| if element.kind.job().is_some() { "a worker" } else { "the engine" };
    if worker(from) != worker(to) {
        return Some(format!("it is done by {}, and `{}` by {}", worker(from), to.id, worker(to)));
    }
    match (&from.kind, &to.kind) {
        (Kind::MultiInstance(before), Kind::MultiInstance(then)) if before.sequential != then.sequential => {
            let how = |in_turn: bool| if in_turn { "in turn" } else { "at once" };
            let (was, is) = (how(before.sequential), how(then.sequential));
            Some(format!("its repetitions run {was}, and those of `{}` {is}", to.id))
        }
        (
            Kind::EventSubProcess { interrupting: before, .. },
            Kind::EventSubProcess { interrupting: then, .. },
        ) if before != then || begun_by(&plan.source, from) != begun_by(&plan.target, to) => {
            Some(format!("it begins otherwise than `{}`", to.id))
        }
        _ => None,
    }
}

/// What an event subprocess is begun by.
fn begun_by(process: &Process, element: &Element) -> Option<&'static str> {
    process.elements[element.kind.start()?.index()].kind.trigger().map(Trigger::event_type)
}

/// What has interrupted a scope, in the other process: an event subprocess, or the scope itself when its repetitions
/// are done.
fn interruption(
    plan: &Plan,
    before: &ElementInstance,
    target: coreto_bpmn::ElementNumber,
) -> Option<ElementNumber> {
    let by = number(before.interrupted_by);
    let becomes = if by == coreto_bpmn::ElementNumber::PROCESS {
        by
    } else if before.interrupted_by == before.element {
        target
    } else if matches!(plan.source.elements[by.index()].kind, Kind::EventSubProcess { .. }) {
        plan.mapped(by)?
    } else {
        return None;
    };
    Some(ElementNumber(becomes.0))
}
