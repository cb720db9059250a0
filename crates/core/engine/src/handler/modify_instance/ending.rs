//! What is ended by hand, and what ends with it.

use std::collections::BTreeSet;

use coreto_bpmn::Kind;
use coreto_record::command::ModifyInstance;
use coreto_record::{ElementInstanceKey, Lifecycle, Rejection};

use crate::state::{ElementInstance, State};

/// The outermost element instances that end: those that are named, and scopes in which nothing is left then but what is
/// `needed` for something else.
pub(super) fn find(
    state: &State,
    root: &ElementInstance,
    command: &ModifyInstance,
    needed: &BTreeSet<ElementInstanceKey>,
) -> Result<Vec<ElementInstanceKey>, Rejection> {
    let mut ends = BTreeSet::new();
    for key in &command.terminate {
        let found = state.elements.peek(key).is_some_and(|found| found.instance == command.instance);
        if !found {
            return Err(Rejection::invalid_argument(format!(
                "cannot terminate {key}: it is no active element instance of process instance {}",
                command.instance
            )));
        }
        ends.insert(*key);
    }
    for key in &command.terminate {
        let mut key = *key;
        // Bound: scopes are nested as elements are in their model.
        while let Some(scope) = emptied(state, key, &ends, needed) {
            ends.insert(scope);
            key = scope;
        }
    }
    if ends.contains(&ElementInstanceKey::from(command.instance))
        && let Some(call) = root.lineage.call()
    {
        return Err(Rejection::invalid_argument(format!(
            "nothing would be left of process instance {}, which process instance {} called; terminate the call activity there",
            command.instance, call.instance
        )));
    }
    let inside = |key: &ElementInstanceKey| {
        let scope = state.elements.peek(key).map(|element| element.scope);
        scope.is_some_and(|scope| ends.contains(&scope))
    };
    Ok(ends.iter().filter(|key| !inside(key)).copied().collect())
}

/// The scope around an element instance, if that is the last that goes on in it, and nothing has happened that is to
/// go on when it has ended.
fn emptied(
    state: &State,
    key: ElementInstanceKey,
    ends: &BTreeSet<ElementInstanceKey>,
    needed: &BTreeSet<ElementInstanceKey>,
) -> Option<ElementInstanceKey> {
    let ended = state.elements.peek(&key).filter(|ended| !ended.is_root() && !state.is_left(key, ended))?;
    let scope = ended.scope;
    let around = state.elements.peek(&scope).filter(|around| around.state == Lifecycle::Activated)?;
    // What ends already, and is not left by a boundary event then, was ended by hand before.
    let ending = |key: &ElementInstanceKey| {
        let child = state.elements.peek(key).filter(|child| child.state == Lifecycle::Terminating);
        child.is_some_and(|child| !state.is_left(*key, child))
    };
    let mut others = state
        .children_from(scope, ElementInstanceKey::default())
        .filter(|child| !ends.contains(child) && !ending(child));
    let goes_on = needed.contains(&scope)
        || around.flows > 0
        || around.pending
        || is_being_entered(state, scope, around)
        || others.next().is_some();
    (!goes_on).then_some(scope)
}

/// Whether repetitions are still to be entered, all at once.
fn is_being_entered(state: &State, key: ElementInstanceKey, around: &ElementInstance) -> bool {
    let unfinished = || state.loops.peek(&key).is_some_and(|kept| kept.entered < kept.total);
    let at_once = || {
        let element = state.definitions.peek(&around.definition).and_then(|it| it.element(around.element));
        element.is_some_and(|it| matches!(&it.kind, Kind::MultiInstance(model) if !model.sequential))
    };
    around.loops && unfinished() && at_once()
}
