//! Decisions.

use std::sync::Arc;

use coreto_record::event::{DecisionCreated, RequirementsCreated};

use crate::state::{Requirements, State};

pub(super) fn requirements_created(state: &mut State, event: &RequirementsCreated) {
    state.latest_requirements.insert((event.tenant, Arc::clone(&event.id)), event.key);
    state.requirements.insert(event.key, Requirements::new(event.clone()));
}

pub(super) fn created(state: &mut State, event: &DecisionCreated) {
    let id = (event.tenant, Arc::clone(&event.id));
    if !event.version_tag.is_empty() {
        state.tagged_decisions.insert((id.clone(), Arc::clone(&event.version_tag)), event.key);
    }
    state.latest_decisions.insert(id, event.key);
    state.decisions.insert(event.key, event.clone());
}
