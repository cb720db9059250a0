//! Element instances and the tokens between them.

use coreto_machine::{Tenant, message, numbered};

use super::lineage::Lineage;
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
        /// It is a gateway that takes one token of each flow that leads to it.
        9 => pub joins: bool,
        /// All else in its scope ends with it: tokens on their way are void, and nothing but it may be entered.
        10 => pub interrupts: bool,
        /// What is around it.
        11 => pub lineage: Lineage,
        /// As it is entered: which repetition of its activity it is, from 1; 0 for what is not repeated.
        12 => pub loop_counter: u32,
        /// As a scope is activated: a token is on its way in it from now on, to its start event.
        13 => pub begins: bool,
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
        /// The gateway at which the token waits for others; the process itself when it does not.
        7 => pub joins: ElementNumber,
        /// What is around it.
        8 => pub lineage: Lineage,
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
        /// What follows from it.
        8 => pub effect: TriggerEffect,
        /// The key that the triggered element instance will have; unset when it is there already.
        9 => pub target: ElementInstanceKey,
        /// The element that will be entered, when what is in the scope, or itself, has ended.
        10 => pub entered: ElementNumber,
    }
}

numbered! {
    /// What follows from a trigger.
    pub enum TriggerEffect {
        /// Its variables wait for the element instance to complete, or for the one that is entered by it.
        Waits = 0,
        /// The element instance ends, and a boundary event is entered then.
        Leaves = 1,
        /// All that is in the scope ends, and an event subprocess is entered then.
        Interrupts = 2,
    }
}
