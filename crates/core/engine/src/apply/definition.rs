//! Definitions.

use std::sync::Arc;

use coreto_record::Key;
use coreto_record::event::ProcessCreated;

use crate::state::{Definition, Latest, State};

pub(super) fn created(state: &mut State, event: &ProcessCreated) {
    let id = (event.tenant, Arc::clone(&event.id));
    state.latest.insert(id.clone(), Latest { key: event.key, version: event.version });
    state.versions.insert((id, event.version), event.key.raw());
    let definition = Definition::new(event.clone());
    if let Some(tagged) = definition.tagged(event.key) {
        state.tagged.insert(tagged);
    }
    state.definitions.insert(event.key, definition);
}
