//! Element instances and the tokens between them.

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::{ElementInstanceKey, ElementNumber, FlowKey, ProcessDefinitionKey, ProcessInstanceKey};
use crate::lifecycle::Lifecycle;

message! {
    /// An element instance went on in its life.
    pub struct ElementChanged {
        /// The element instance.
        1 => pub key: ElementInstanceKey,
        /// Where it stands now.
        2 => pub to: Lifecycle,
        /// The element.
        3 => pub element: ElementNumber,
        /// The scope around it; unset for the process itself.
        4 => pub scope: ElementInstanceKey,
        /// The process instance.
        5 => pub instance: ProcessInstanceKey,
        /// Its definition.
        6 => pub definition: ProcessDefinitionKey,
        /// The owner.
        7 => pub tenant: Tenant,
        /// A token that was on its way in the scope has arrived with it.
        8 => pub takes_token: bool,
    }
}

message! {
    /// A token passed a sequence flow.
    pub struct FlowTaken {
        /// The token's passing.
        1 => pub key: FlowKey,
        /// The sequence flow.
        2 => pub element: ElementNumber,
        /// The scope around it.
        3 => pub scope: ElementInstanceKey,
        /// The process instance.
        4 => pub instance: ProcessInstanceKey,
        /// Its definition.
        5 => pub definition: ProcessDefinitionKey,
        /// The owner.
        6 => pub tenant: Tenant,
    }
}

message! {
    /// Variables that wait for an element instance, or were taken by it.
    pub struct ProcessEvent {
        /// The key of the trigger.
        1 => pub key: u64,
        /// The element instance that they are for.
        2 => pub scope: ElementInstanceKey,
        /// The element that was triggered.
        3 => pub element: ElementNumber,
        /// The process instance.
        4 => pub instance: ProcessInstanceKey,
        /// Its definition.
        5 => pub definition: ProcessDefinitionKey,
        /// The owner.
        6 => pub tenant: Tenant,
        /// The variables.
        7 => pub variables: Document,
    }
}
