//! Incidents.

use coreto_record::event::IncidentRecord;

use super::job;
use crate::state::State;

pub(super) fn created(state: &mut State, event: &IncidentRecord) {
    state.incidents_of.insert((event.element_instance, event.key));
    state.incidents.insert(event.key, event.clone());
}

pub(super) fn resolved(state: &mut State, event: &IncidentRecord) {
    state.incidents.remove(&event.key);
    state.incidents_of.remove(&(event.element_instance, event.key));
    if let Some(key) = event.job {
        job::make_activatable(state, key);
    }
}
