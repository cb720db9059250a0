//! Variables and their scopes.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::{ElementInstanceKey, ProcessDefinitionKey, ProcessInstanceKey, VariableKey};

message! {
    /// A variable came into being or got another value.
    pub struct VariableSet {
        /// The variable.
        1 => pub key: VariableKey,
        /// The element instance whose scope holds it.
        2 => pub scope: ElementInstanceKey,
        /// Its name.
        3 => pub name: Arc<str>,
        /// Its value as JSON text.
        4 => pub value: Arc<str>,
        /// The process instance.
        5 => pub instance: ProcessInstanceKey,
        /// Its definition.
        6 => pub definition: ProcessDefinitionKey,
        /// The owner.
        7 => pub tenant: Tenant,
    }
}

message! {
    /// A client set variables in a scope.
    pub struct VariablesUpdated {
        /// The key of the command.
        1 => pub key: u64,
        /// The element instance whose scope was named.
        2 => pub scope: ElementInstanceKey,
        /// In this scope only.
        3 => pub local: bool,
        /// As the client gave them.
        4 => pub variables: Document,
        /// The process instance.
        5 => pub instance: ProcessInstanceKey,
        /// The owner.
        6 => pub tenant: Tenant,
    }
}
