//! Process instances that move to another definition.

use coreto_record::Key;
use coreto_record::event::{ElementMigrated, IncidentRecord};

use super::deletion;
use crate::state::State;

/// An element instance, or a process instance that led to its own, is one of another definition.
pub(super) fn element(state: &mut State, event: &ElementMigrated) {
    let moved = &event.element;
    let before = state.elements.peek(&moved.key).map(|element| element.definition).unwrap_or_default();
    if moved.scope.is_unset() && before != moved.definition {
        deletion::instance_ended(state, before, moved.instance);
    }
    state.elements.update(&moved.key, |element| {
        element.element = moved.element;
        element.definition = moved.definition;
        element.lineage = moved.lineage.clone();
        element.interrupted_by = event.interrupted_by;
    });
    let incidents: Vec<_> = state.incidents_at(moved.key).collect();
    for key in incidents {
        state.incidents.update(&key, |incident| incident.lineage = moved.lineage.clone());
    }
}

/// What stopped an element instance is about another definition.
pub(super) fn incident(state: &mut State, event: &IncidentRecord) {
    state.incidents.insert(event.key, event.clone());
}
