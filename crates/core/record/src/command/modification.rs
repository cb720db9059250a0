//! Changing what runs in a process instance by hand.

use std::sync::Arc;

use coreto_machine::message;

use crate::document::Document;
use crate::key::{ElementInstanceKey, ProcessInstanceKey};

message! {
    /// Enters elements of a running instance, and ends element instances.
    pub struct ModifyInstance {
        /// The instance.
        1 => pub instance: ProcessInstanceKey,
        /// What is entered; this comes first.
        2 => pub activate: Vec<Activation>,
        /// Which element instances are ended.
        3 => pub terminate: Vec<ElementInstanceKey>,
    }
}

message! {
    /// An element that is entered.
    pub struct Activation {
        /// Its id in the BPMN.
        1 => pub element: Arc<str>,
        /// The element instance in which it is entered, with new scopes between; none for the only one that fits.
        2 => pub ancestor: Option<ElementInstanceKey>,
        /// Variables of the element and of scopes around it.
        3 => pub variables: Vec<ScopedVariables>,
    }
}

message! {
    /// Variables of one scope.
    pub struct ScopedVariables {
        /// The id of the element whose instance is the scope; empty for the process instance.
        1 => pub scope: Arc<str>,
        /// The variables.
        2 => pub variables: Document,
    }
}
