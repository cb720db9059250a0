//! Definitions.

use std::sync::Arc;

use coreto_record::Key;
use coreto_record::event::ProcessCreated;

use crate::state::{Definition, Latest, State};

pub(super) fn created(state: &mut State, event: &ProcessCreated) {
    let id = (event.tenant, Arc::clone(&event.id));
    if !event.version_tag.is_empty() {
        state.tagged.insert((id.clone(), Arc::clone(&event.version_tag)), event.key);
    }
    state.latest.insert(id.clone(), Latest { key: event.key, version: event.version });
    state.versions.insert((id, event.version), event.key.raw());
    state.definitions.insert(event.key, Definition::new(event.clone()));
}
