//! Variables.

use std::sync::Arc;

use coreto_record::event::VariableSet;

use crate::state::{Name, State, Variable};

pub(super) fn set(state: &mut State, event: &VariableSet) {
    let name = Name { scope: event.scope, name: Arc::clone(&event.name) };
    state.variables.insert(name, Variable { key: event.key, value: Arc::clone(&event.value) });
}
