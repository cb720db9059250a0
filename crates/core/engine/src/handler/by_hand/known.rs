//! Scopes that are there, by the scope around them and their element.

use std::collections::BTreeMap;

use coreto_record::{ElementInstanceKey, ElementNumber, Lifecycle};

use crate::state::State;

/// What was found in scopes so far. Each is looked through once: one command may enter many elements in a scope in which
/// many are active.
#[derive(Default)]
pub(in crate::handler) struct Known(BTreeMap<ElementInstanceKey, Inside>);

type Inside = BTreeMap<ElementNumber, Found>;

/// The active element instances of one element in a scope.
#[derive(Clone, Copy)]
pub(super) enum Found {
    One(ElementInstanceKey),
    Several,
}

impl Known {
    /// What is active of an element in a scope.
    pub(super) fn find(
        &mut self,
        state: &State,
        scope: ElementInstanceKey,
        element: ElementNumber,
    ) -> Option<Found> {
        let inside = self.0.entry(scope).or_insert_with(|| look_through(state, scope));
        inside.get(&element).copied()
    }

    /// An element was entered in a scope.
    pub(super) fn entered(
        &mut self,
        scope: ElementInstanceKey,
        element: ElementNumber,
        key: ElementInstanceKey,
    ) {
        if let Some(inside) = self.0.get_mut(&scope) {
            note(inside, element, key);
        }
    }
}

fn look_through(state: &State, scope: ElementInstanceKey) -> Inside {
    let mut inside = Inside::new();
    for key in state.children_from(scope, ElementInstanceKey::default()) {
        let child = state.elements.peek(&key).filter(|child| child.state == Lifecycle::Activated);
        if let Some(child) = child {
            note(&mut inside, child.element, key);
        }
    }
    inside
}

fn note(inside: &mut Inside, element: ElementNumber, key: ElementInstanceKey) {
    inside.entry(element).and_modify(|found| *found = Found::Several).or_insert(Found::One(key));
}
