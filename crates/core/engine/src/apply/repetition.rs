//! Activities that are repeated.

use std::sync::Arc;

use coreto_record::ElementInstanceKey;
use coreto_record::event::{LoopBegun, LoopStep, OutputCollected};

use super::element;
use crate::state::{Items, Loop, LoopOutput, State};

pub(super) fn begun(state: &mut State, event: &LoopBegun) {
    state.elements.update(&event.key, |body| body.loops = true);
    state.loops.insert(event.key, Loop { total: event.total, ..Loop::default() });
    state.items.insert(event.key, Items::new(Arc::clone(&event.items)));
}

/// From now on no repetition is entered or completed.
pub(super) fn fulfilled(state: &mut State, event: &LoopStep) {
    let by = state.elements.peek(&event.key).map(|body| body.element);
    if let Some(by) = by {
        element::interrupt(state, event.key, by);
    }
}

pub(super) fn collected(state: &mut State, event: &OutputCollected) {
    let output = LoopOutput { value: Arc::clone(&event.value) };
    state.outputs.insert((event.key, event.number), output);
}

/// A repetition was entered.
pub(super) fn entered(state: &mut State, key: ElementInstanceKey) {
    state.loops.update(&key, |kept| kept.entered = kept.entered.saturating_add(1));
}

/// A repetition has completed.
pub(super) fn completed(state: &mut State, key: ElementInstanceKey) {
    state.loops.update(&key, |kept| kept.completed = kept.completed.saturating_add(1));
}

/// What was around repetitions has ended.
pub(super) fn ended(state: &mut State, key: ElementInstanceKey) {
    state.loops.remove(&key);
    state.items.remove(&key);
    let outputs: Vec<_> = state.outputs.scan(&(key, 0), |(of, _)| *of == key).map(|(at, _)| *at).collect();
    for output in outputs {
        state.outputs.remove(&output);
    }
}
