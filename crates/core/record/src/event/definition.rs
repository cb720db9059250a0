//! Deployments and definitions.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::key::{DecisionRequirementsKey, DeploymentKey, ProcessDefinitionKey, ProcessInstanceKey};
use crate::reply::{DeployedDecision, DeployedProcess, DeployedRequirements};

message! {
    /// Resources are deployed.
    pub struct DeploymentCreated {
        /// The deployment.
        1 => pub key: DeploymentKey,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its processes: new versions, and duplicates of the latest ones.
        3 => pub processes: Vec<DeployedProcess>,
        /// Its decision requirements graphs, likewise.
        4 => pub requirements: Vec<DeployedRequirements>,
        /// Its decisions, likewise.
        5 => pub decisions: Vec<DeployedDecision>,
    }
}

message! {
    /// There is a new version of a process. The resource fixes the numbers of its elements.
    pub struct ProcessCreated {
        /// The definition.
        1 => pub key: ProcessDefinitionKey,
        /// The owner.
        2 => pub tenant: Tenant,
        /// The process id in the BPMN.
        3 => pub id: Arc<str>,
        /// Counted per id and tenant from 1.
        4 => pub version: u32,
        /// The version tag, or empty.
        5 => pub version_tag: Arc<str>,
        /// The file name given at deployment.
        6 => pub resource_name: Arc<str>,
        /// The file.
        7 => pub resource: Arc<[u8]>,
        /// MD5 of the file.
        8 => pub checksum: [u8; 16],
        /// The deployment that made it.
        9 => pub deployment: DeploymentKey,
    }
}

message! {
    /// A resource is deleted.
    pub struct ResourceDeletion {
        /// The deletion.
        1 => pub key: u64,
        /// The process definition or decision requirements graph.
        2 => pub resource: u64,
        /// The owner.
        3 => pub tenant: Tenant,
    }
}

message! {
    /// A process definition is deleted. It stays readable for its instances and their records.
    pub struct ProcessDeletion {
        /// The definition.
        1 => pub definition: ProcessDefinitionKey,
    }
}

message! {
    /// A decision requirements graph is deleted.
    pub struct RequirementsDeletion {
        /// The graph.
        1 => pub requirements: DecisionRequirementsKey,
    }
}

message! {
    /// Some instances of a definition that is deleted are counted.
    pub struct InstancesCounted {
        /// The definition.
        1 => pub definition: ProcessDefinitionKey,
        /// How many of those that were looked at run.
        2 => pub running: u64,
        /// The first instance that was not looked at.
        3 => pub next: ProcessInstanceKey,
    }
}

message! {
    /// A deletion of the first partition is here, too.
    pub struct DeletionTaken {
        /// The process definition or decision requirements graph.
        1 => pub resource: u64,
    }
}
