//! Creating, ending and changing process instances.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::{ElementInstanceKey, ProcessDefinitionKey, ProcessInstanceKey};

message! {
    /// Starts an instance of a process. The definition is picked by key, else by id and version.
    pub struct CreateInstance {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The definition; wins over the id.
        2 => pub definition: Option<ProcessDefinitionKey>,
        /// The process id in the BPMN, or empty.
        3 => pub process: Arc<str>,
        /// The version, or none for the latest; only with an id.
        4 => pub version: Option<u32>,
        /// Root variables.
        5 => pub variables: Document,
        /// Answer when the instance has completed, not when it was created.
        6 => pub await_result: Option<AwaitResult>,
        /// Ids of the elements that are entered instead of the start event.
        7 => pub starts: Vec<Arc<str>>,
        /// What ends the instance, unless its last token does.
        8 => pub ends_after: Option<Box<EndsAfter>>,
    }
}

message! {
    /// What ends an instance before its last token does.
    pub struct EndsAfter {
        /// Ids of the elements of which the first that has ended does.
        1 => pub elements: Vec<Arc<str>>,
    }
}

message! {
    /// What the creator wants to know of a completed instance.
    pub struct AwaitResult {
        /// Names of root variables; empty means all.
        1 => pub fetch: Vec<Arc<str>>,
    }
}

message! {
    /// Ends an instance early.
    pub struct CancelInstance {
        /// The instance.
        1 => pub instance: ProcessInstanceKey,
    }
}

message! {
    /// Sets variables in a scope.
    pub struct SetVariables {
        /// The element instance whose scope it is; a process instance's root has its key.
        1 => pub scope: ElementInstanceKey,
        /// The variables.
        2 => pub variables: Document,
        /// In this scope only; else each name goes where it is defined, from here up to the root.
        3 => pub local: bool,
    }
}
