//! Moving a process instance to another definition.

use std::sync::Arc;

use coreto_machine::message;

use crate::key::{ElementInstanceKey, ProcessDefinitionKey, ProcessInstanceKey};

message! {
    /// Moves a running instance to another definition, with all that is active in it.
    pub struct MigrateInstance {
        /// The instance.
        1 => pub instance: ProcessInstanceKey,
        /// The definition.
        2 => pub target: ProcessDefinitionKey,
        /// Where its elements and events go.
        3 => pub mappings: Vec<ElementMapping>,
    }
}

message! {
    /// Where one element goes.
    pub struct ElementMapping {
        /// Its id in the BPMN before.
        1 => pub source: Arc<str>,
        /// Its id in the BPMN then.
        2 => pub target: Arc<str>,
    }
}

message! {
    /// Who waits for a message does so for another definition from now on; on the partition of the message.
    pub struct MigrateMessageSubscription {
        /// The element instance.
        1 => pub element_instance: ElementInstanceKey,
        /// The name of the message.
        2 => pub name: Arc<str>,
        /// The process id in the BPMN.
        3 => pub process: Arc<str>,
        /// It waits for one message, and then no more.
        4 => pub interrupting: bool,
        /// The definition.
        5 => pub definition: ProcessDefinitionKey,
    }
}
