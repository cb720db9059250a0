//! Incidents, and what is worse.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp, message};

use super::lineage::Lineage;
use crate::incident::IncidentKind;
use crate::key::{
    ElementInstanceKey, ElementNumber, IncidentKey, JobKey, ProcessDefinitionKey, ProcessInstanceKey,
};

message! {
    /// An element instance cannot go on, or may try again.
    pub struct IncidentRecord {
        /// The incident.
        1 => pub key: IncidentKey,
        /// Why, for programs.
        2 => pub kind: IncidentKind,
        /// Why, for people.
        3 => pub message: Arc<str>,
        /// The element instance.
        4 => pub element_instance: ElementInstanceKey,
        /// The element.
        5 => pub element: ElementNumber,
        /// The job, if one failed.
        6 => pub job: Option<JobKey>,
        /// The scope in which the failed expression was evaluated.
        7 => pub variable_scope: ElementInstanceKey,
        /// The process instance.
        8 => pub instance: ProcessInstanceKey,
        /// Its definition.
        9 => pub definition: ProcessDefinitionKey,
        /// The owner.
        10 => pub tenant: Tenant,
        /// When it was raised.
        11 => pub at: Timestamp,
        /// What is around the element instance.
        12 => pub lineage: Lineage,
    }
}

message! {
    /// The engine failed inside; commands for the instance are ignored from now on.
    pub struct InstanceBanned {
        /// The process instance.
        1 => pub instance: ProcessInstanceKey,
        /// What failed.
        2 => pub message: Arc<str>,
    }
}
