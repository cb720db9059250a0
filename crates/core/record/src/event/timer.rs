//! Timers, and instances that something else than a command starts.

use coreto_machine::{Tenant, Timestamp, message, numbered};

use super::lineage::Lineage;
use crate::key::{ElementInstanceKey, ElementNumber, ProcessDefinitionKey, ProcessInstanceKey, TimerKey};

numbered! {
    /// What happened to a timer; the numbers are those of the record protocol.
    pub enum TimerIntent {
        /// It waits from now on.
        Created = 0,
        /// It was due, and is gone.
        Triggered = 2,
        /// Nobody waits for it any more, and it is gone.
        Canceled = 4,
        /// It sets off an event of another definition.
        Migrated = 5,
    }
}

message! {
    /// A timer came into being, or is gone. As it came into being it is also what is kept of it.
    pub struct TimerChanged {
        /// The timer.
        1 => pub key: TimerKey,
        /// What happened to it.
        2 => pub to: TimerIntent,
        /// The element instance that waits for it; unset when it starts instances.
        3 => pub element_instance: ElementInstanceKey,
        /// The event that it sets off.
        4 => pub element: ElementNumber,
        /// When it is due.
        5 => pub due: Timestamp,
        /// How often it is due from then on, this time included; −1 without an end.
        6 => pub repetitions: i32,
        /// The process instance; unset when it starts instances.
        7 => pub instance: ProcessInstanceKey,
        /// Its definition.
        8 => pub definition: ProcessDefinitionKey,
        /// The owner.
        9 => pub tenant: Tenant,
    }
}

message! {
    /// An instance exists, since something happened that a start event waits for.
    pub struct InstanceStarted {
        /// The instance.
        1 => pub instance: ProcessInstanceKey,
        /// Its definition.
        2 => pub definition: ProcessDefinitionKey,
        /// The owner.
        3 => pub tenant: Tenant,
        /// When.
        4 => pub at: Timestamp,
        /// The calls that led to it.
        5 => pub lineage: Lineage,
    }
}
