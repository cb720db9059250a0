//! What must hold of every state between two transactions; each has an id.

use coreto_record::{ElementInstanceKey, Key};

use crate::state::{JobState, State};

/// Everything that does not hold, each with the id of its invariant; empty when all is well.
///
/// - ENG-1: a scope counts its children.
/// - ENG-2: what belongs to an element instance is gone when that has ended: variables, jobs, incidents, triggers.
/// - ENG-3: the indexes say what the tables say.
pub fn broken(state: &State) -> Vec<String> {
    let mut broken = Vec::new();
    state.elements.for_each(|key, element| {
        let children = state.children_from(*key, ElementInstanceKey::default()).count();
        if children != element.children as usize {
            broken.push(format!("ENG-1: {key} counts {} children and has {children}", element.children));
        }
        if !element.is_root() && !state.elements.contains(&element.scope) {
            broken.push(format!("ENG-2: {key} outlived its scope {}", element.scope));
        }
        if !element.job.is_unset() && !state.jobs.contains(&element.job) {
            broken.push(format!("ENG-3: {key} waits for job {} that is not there", element.job));
        }
    });
    for (name, _) in state.variables.range(..) {
        if !state.elements.contains(&name.scope) {
            broken.push(format!("ENG-2: variable `{}` outlived its scope {}", name.name, name.scope));
        }
    }
    state.triggers.for_each(|key, _| {
        if !state.elements.contains(key) {
            broken.push(format!("ENG-2: a trigger outlived its element instance {key}"));
        }
    });
    for (key, incident) in state.incidents.range(..) {
        if !state.elements.contains(&incident.element_instance) {
            broken.push(format!("ENG-2: incident {key} outlived its element instance"));
        }
        if !state.incidents_of.contains(&(incident.element_instance, *key)) {
            broken.push(format!("ENG-3: incident {key} is in no index"));
        }
    }
    let mut activatable = 0;
    let mut due = 0;
    state.jobs.for_each(|key, job| {
        if !state.elements.contains(&job.element_instance) {
            broken.push(format!("ENG-2: job {key} outlived its element instance"));
        }
        if !state.job_keys.contains(key) {
            broken.push(format!("ENG-3: job {key} is not among the keys"));
        }
        activatable += usize::from(job.state == JobState::Activatable);
        due += usize::from(job.due(*key).is_some());
    });
    if activatable != state.activatable.len() {
        broken.push(format!(
            "ENG-3: {activatable} jobs are activatable, the index has {}",
            state.activatable.len()
        ));
    }
    if due != state.due.len() {
        broken.push(format!("ENG-3: {due} jobs have something due, the index has {}", state.due.len()));
    }
    broken
}
