//! Process instances as a whole.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp, Token, message};

use crate::command::EndsAfter;
use crate::document::Document;
use crate::key::{ProcessDefinitionKey, ProcessInstanceKey};

message! {
    /// An instance exists.
    pub struct InstanceCreated {
        /// The key of the creation record.
        1 => pub key: u64,
        /// The instance.
        2 => pub instance: ProcessInstanceKey,
        /// Its definition.
        3 => pub definition: ProcessDefinitionKey,
        /// The owner.
        4 => pub tenant: Tenant,
        /// Root variables as given.
        5 => pub variables: Document,
        /// When.
        6 => pub at: Timestamp,
        /// Ids of the elements that are entered instead of the start event.
        7 => pub starts: Vec<Arc<str>>,
        /// What ends the instance, unless its last token does.
        8 => pub ends_after: Option<Box<EndsAfter>>,
    }
}

message! {
    /// Somebody waits for the result of an instance.
    pub struct ResultAwaited {
        /// The instance.
        1 => pub instance: ProcessInstanceKey,
        /// Who waits.
        2 => pub token: Token,
        /// Names of root variables; empty means all.
        3 => pub fetch: Vec<Arc<str>>,
    }
}
