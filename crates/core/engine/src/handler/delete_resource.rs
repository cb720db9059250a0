//! Deleting process definitions and decision requirements graphs.
//!
//! What is deleted is not found any more, and nothing new begins with it. What runs goes on: a definition is drained,
//! and gone when its last instance here has ended.

use std::sync::Arc;

use coreto_machine::{Caller, Head, Tenant, Txn};
use coreto_record::command::{CountInstances, DeleteResource, TakeDeletion};
use coreto_record::event::{
    DecisionCreated, DeletionTaken, InstancesCounted, ProcessDeletion, RequirementsDeletion, ResourceDeletion,
};
use coreto_record::protocol::{ValueType, intent};
use coreto_record::{
    Command, DecisionRequirementsKey, ElementInstanceKey, Event, Key, ProcessDefinitionKey, Rejection, Reply,
    reply,
};

use super::{Handled, distribution as taken, done};
use crate::engine::Engine;
use crate::state::{Definition, Deletion, State};
use crate::subscription::start;
use crate::{decision, distribution, keys};

/// What a key names.
enum Resource {
    Process(ProcessDefinitionKey, Tenant),
    Requirements(DecisionRequirementsKey, Tenant),
}

/// Deletes a resource.
pub(crate) fn delete_resource(txn: &mut Txn<'_, Engine>, head: &Head, command: &DeleteResource) -> Handled {
    let resource = command.resource;
    let Some(found) = find(txn.state(), &head.caller, resource) else {
        return Err(Rejection::not_found(format!(
            "no resource with key {resource} is deployed; it may have been deleted"
        )));
    };
    let (Resource::Process(_, tenant) | Resource::Requirements(_, tenant)) = found;
    let key = keys::next_raw(txn);
    let deletion = ResourceDeletion { key, resource, tenant };
    txn.emit(&Event::ResourceDeleting(deletion.clone()));
    match found {
        Resource::Process(definition, _) => delete_process(txn, head, definition),
        Resource::Requirements(requirements, _) => delete_requirements(txn, requirements),
    }
    txn.emit(&Event::ResourceDeleted(deletion));
    let about = (ValueType::ResourceDeletion, intent::resource_deletion::DELETE);
    let reply = Reply::ResourceDeleted(reply::ResourceDeleted { key, resource });
    Ok(distribution::begin(txn, head, key, about, reply))
}

fn find(state: &State, caller: &Caller, key: u64) -> Option<Resource> {
    let (process, graph) = (ProcessDefinitionKey::from_raw(key), DecisionRequirementsKey::from_raw(key));
    let theirs = |tenant: &Tenant| caller.sees(*tenant) && !state.is_deleted(process);
    let tenant = state.definitions.peek(&process).map(|found| found.record.tenant).filter(theirs);
    if let Some(tenant) = tenant {
        return Some(Resource::Process(process, tenant));
    }
    let tenant = state.requirements.peek(&graph).map(|found| found.record.tenant).filter(theirs);
    tenant.map(|tenant| Resource::Requirements(graph, tenant))
}

fn delete_process(txn: &mut Txn<'_, Engine>, head: &Head, definition: ProcessDefinitionKey) {
    let Some(found) = txn.state().definitions.get(&definition) else { return };
    let was_latest = is_latest(txn.state(), definition, &found);
    txn.emit(&Event::ProcessDeleting(ProcessDeletion { definition }));
    if was_latest {
        start::fall_back(txn, head, definition, &found.record);
    }
    count(txn, definition);
}

fn is_latest(state: &State, key: ProcessDefinitionKey, definition: &Definition) -> bool {
    let id = (definition.record.tenant, Arc::clone(&definition.record.id));
    state.latest.get(&id).is_some_and(|latest| latest.key == key)
}

fn delete_requirements(txn: &mut Txn<'_, Engine>, requirements: DecisionRequirementsKey) {
    let decisions: Vec<_> = decision::of_graph(txn.state(), requirements).cloned().collect();
    for decision in decisions {
        txn.emit(&Event::DecisionDeleted(DecisionCreated::clone(&decision)));
    }
    txn.emit(&Event::RequirementsDeleted(RequirementsDeletion { requirements }));
}

/// Counts some of the instances of a definition that is deleted.
pub(crate) fn count_instances(txn: &mut Txn<'_, Engine>, command: &CountInstances) -> Handled {
    count(txn, command.definition);
    done()
}

fn count(txn: &mut Txn<'_, Engine>, definition: ProcessDefinitionKey) {
    let limit = txn.env().limits.children_per_step;
    let state = txn.state();
    let Some(deletion) = state.deletions.get(&definition.raw()).filter(|deletion| deletion.drains) else {
        return;
    };
    let mut some: Vec<_> = state.instances.range(deletion.next..).take(limit + 1).copied().collect();
    let next = if some.len() > limit { some.pop() } else { None };
    let runs = |instance: &coreto_record::ProcessInstanceKey| {
        let root = state.elements.peek(&ElementInstanceKey::from(*instance));
        root.is_some_and(|root| root.definition == definition) && !state.banned.contains(instance)
    };
    let running = some.iter().filter(|instance| runs(instance)).count() as u64;
    let counted = InstancesCounted { definition, running, next: next.unwrap_or_else(Deletion::end) };
    txn.emit(&Event::InstancesCounted(counted));
    if next.is_some() {
        txn.follow_up(Command::CountInstances(CountInstances { definition }));
    } else {
        after_instance(txn, definition);
    }
}

/// Tells that a deleted definition is gone, when the last of its instances has ended.
pub(crate) fn after_instance(txn: &mut Txn<'_, Engine>, definition: ProcessDefinitionKey) {
    let deletions = &txn.state().deletions;
    if deletions.is_empty() || !deletions.peek(&definition.raw()).is_some_and(|found| found.is_drained()) {
        return;
    }
    txn.emit(&Event::ProcessDeleted(ProcessDeletion { definition }));
}

/// Takes over what the first partition has deleted, and says so.
pub(crate) fn take_deletion(txn: &mut Txn<'_, Engine>, head: &Head, take: &TakeDeletion) -> Handled {
    let definition = ProcessDefinitionKey::from_raw(take.resource);
    let found = txn.state().definitions.get(&definition);
    let latest = found.filter(|found| is_latest(txn.state(), definition, found));
    txn.emit(&Event::DeletionTaken(DeletionTaken { resource: take.resource }));
    if let Some(latest) = latest {
        start::fall_back(txn, head, definition, &latest.record);
    }
    taken::acknowledge(txn, take.key)
}
