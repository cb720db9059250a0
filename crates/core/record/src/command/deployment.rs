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
        2 => pub content: Content,
    }
}

/// Shared bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(pub Arc<[u8]>);

impl Default for Content {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl coreto_machine::codec::Field for Content {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.0.write(number, out);
    }
    fn read(
        &mut self,
        number: u32,
        wire: coreto_machine::codec::Wire,
        reader: &mut coreto_machine::codec::Reader<'_>,
    ) -> Result<(), coreto_machine::DecodeError> {
        self.0.read(number, wire, reader)
    }
}
