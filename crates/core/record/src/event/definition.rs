//! Deployments and definitions.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::key::{DeploymentKey, ProcessDefinitionKey};
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
