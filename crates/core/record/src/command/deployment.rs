//! Deploying resources.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::key::ProcessDefinitionKey;

message! {
    /// Deploys resources, all or none.
    pub struct Deploy {
        /// The owner of what is deployed.
        1 => pub tenant: Tenant,
        /// The files, in the order of the request.
        2 => pub resources: Vec<Resource>,
    }
}

message! {
    /// A file.
    pub struct Resource {
        /// Its name; the suffix decides the kind.
        1 => pub name: Arc<str>,
        /// Its bytes.
        2 => pub content: Arc<[u8]>,
    }
}

message! {
    /// Deletes a process definition or a decision requirements graph.
    pub struct DeleteResource {
        /// Its key.
        1 => pub resource: u64,
    }
}

message! {
    /// Takes over a deletion of the first partition.
    pub struct TakeDeletion {
        /// The deletion.
        1 => pub key: u64,
        /// What is deleted.
        2 => pub resource: u64,
    }
}

message! {
    /// Counts some of the instances of a definition that is deleted.
    pub struct CountInstances {
        /// The definition.
        1 => pub definition: ProcessDefinitionKey,
    }
}
