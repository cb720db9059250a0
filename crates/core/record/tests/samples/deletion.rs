//! What is deleted.

use coreto_machine::Tenant;
use coreto_record::command::{CountInstances, DeleteResource, TakeDeletion};
use coreto_record::event::{
    DecisionCreated, DeletionTaken, InstancesCounted, ProcessDeletion, RequirementsDeletion, ResourceDeletion,
};
use coreto_record::{Command, Event};

use super::key;

pub(super) fn commands() -> Vec<(&'static str, Command)> {
    vec![
        ("DeleteResource", Command::DeleteResource(DeleteResource { resource: 8 })),
        ("TakeDeletion", Command::TakeDeletion(TakeDeletion { key: 7, resource: 8 })),
        ("CountInstances", Command::CountInstances(CountInstances { definition: key(8) })),
    ]
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let deletion = ResourceDeletion { key: 7, resource: 8, tenant: Tenant::DEFAULT };
    let process = ProcessDeletion { definition: key(8) };
    let decision = DecisionCreated { key: key(9), version: 2, ..DecisionCreated::default() };
    vec![
        ("ResourceDeleting", Event::ResourceDeleting(deletion.clone())),
        ("ResourceDeleted", Event::ResourceDeleted(deletion)),
        ("ProcessDeleting", Event::ProcessDeleting(process.clone())),
        ("ProcessDeleted", Event::ProcessDeleted(process)),
        (
            "InstancesCounted",
            Event::InstancesCounted(InstancesCounted { definition: key(8), running: 3, next: key(12) }),
        ),
        ("DecisionDeleted", Event::DecisionDeleted(decision)),
        ("RequirementsDeleted", Event::RequirementsDeleted(RequirementsDeletion { requirements: key(8) })),
        ("DeletionTaken", Event::DeletionTaken(DeletionTaken { resource: 8 })),
    ]
}
