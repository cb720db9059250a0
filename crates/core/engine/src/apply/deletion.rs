//! What is deleted: versions, and who is the latest then.

use std::sync::Arc;

use coreto_machine::Tenant;
use coreto_record::event::{
    DecisionCreated, DeletionTaken, InstancesCounted, ProcessDeletion, RequirementsDeletion,
};
use coreto_record::{DecisionRequirementsKey, Key, ProcessDefinitionKey, ProcessInstanceKey};

use crate::decision;
use crate::state::{Deletion, Latest, State, Versioned};

pub(super) fn process_deleting(state: &mut State, event: &ProcessDeletion) {
    process(state, event.definition, true);
}

/// Versions of the process are found no more; when it was the latest, the highest that is left is that now.
fn process(state: &mut State, definition: ProcessDefinitionKey, drains: bool) {
    let Some(found) = state.definitions.get(&definition) else { return };
    let id = (found.record.tenant, Arc::clone(&found.record.id));
    state.deletions.insert(definition.raw(), Deletion { drains, ..Deletion::default() });
    state.versions.remove(&(id.clone(), found.record.version));
    if let Some(tagged) = found.tagged(definition) {
        state.tagged.remove(&tagged);
    }
    if state.latest.get(&id).is_none_or(|latest| latest.key != definition) {
        return;
    }
    use_version(state, Versioned::Process, &id, found.record.version);
    match state.highest_process(&id) {
        Some((key, version)) => state.latest.insert(id, Latest { key, version }),
        None => drop(state.latest.remove(&id)),
    }
}

fn use_version(state: &mut State, kind: Versioned, id: &(Tenant, Arc<str>), version: u32) {
    let key = (id.clone(), kind as u32);
    let used = state.versions_used.get(&key).map_or(0, |used| *used);
    state.versions_used.insert(key, used.max(u64::from(version)));
}

pub(super) fn process_deleted(state: &mut State, event: &ProcessDeletion) {
    state.deletions.update(&event.definition.raw(), |deletion| deletion.drains = false);
}

pub(super) fn instances_counted(state: &mut State, event: &InstancesCounted) {
    state.deletions.update(&event.definition.raw(), |deletion| {
        deletion.running += event.running;
        deletion.next = event.next;
    });
}

/// An instance that was counted runs no more.
pub(super) fn instance_ended(
    state: &mut State,
    definition: ProcessDefinitionKey,
    instance: ProcessInstanceKey,
) {
    if state.deletions.is_empty() || state.banned.contains(&instance) {
        return;
    }
    let counted = |deletion: &Deletion| deletion.drains && instance < deletion.next;
    if state.deletions.peek(&definition.raw()).is_some_and(|deletion| counted(deletion)) {
        state.deletions.update(&definition.raw(), |deletion| {
            deletion.running = deletion.running.saturating_sub(1);
        });
    }
}

pub(super) fn requirements_deleted(state: &mut State, event: &RequirementsDeletion) {
    requirements(state, event.requirements);
}

/// The graph and its decisions are found no more, by whatever name.
fn requirements(state: &mut State, key: DecisionRequirementsKey) {
    let Some(found) = state.requirements.get(&key) else { return };
    state.deletions.insert(key.raw(), Deletion::default());
    let id = (found.record.tenant, Arc::clone(&found.record.id));
    if state.latest_requirements.get(&id).is_some_and(|latest| *latest == key) {
        use_version(state, Versioned::Requirements, &id, found.record.version);
        match state.highest_requirements(&id) {
            Some(highest) => state.latest_requirements.insert(id, highest),
            None => drop(state.latest_requirements.remove(&id)),
        }
    }
    let decisions: Vec<_> = decision::of_graph(state, key).cloned().collect();
    for decision in decisions {
        forget_decision(state, &decision);
    }
}

fn forget_decision(state: &mut State, decision: &DecisionCreated) {
    let id = (decision.tenant, Arc::clone(&decision.id));
    if state.latest_decisions.get(&id).is_some_and(|latest| *latest == decision.key) {
        use_version(state, Versioned::Decision, &id, decision.version);
        match state.highest_decision(&id, None) {
            Some(highest) => state.latest_decisions.insert(id.clone(), highest),
            None => drop(state.latest_decisions.remove(&id)),
        }
    }
    let tagged = (id, Arc::clone(&decision.version_tag));
    if state.tagged_decisions.get(&tagged).is_some_and(|found| *found == decision.key) {
        match state.highest_decision(&tagged.0, Some(&tagged.1)) {
            Some(highest) => state.tagged_decisions.insert(tagged, highest),
            None => drop(state.tagged_decisions.remove(&tagged)),
        }
    }
}

pub(super) fn taken(state: &mut State, event: &DeletionTaken) {
    process(state, ProcessDefinitionKey::from_raw(event.resource), false);
    requirements(state, DecisionRequirementsKey::from_raw(event.resource));
}
