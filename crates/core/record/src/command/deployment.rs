//! Deploying resources.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

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
