//! Signals, and what waits for them.

use std::sync::Arc;

use coreto_machine::{Tenant, message, numbered};

use crate::document::Document;
use crate::key::{
    ElementInstanceKey, ElementNumber, ProcessDefinitionKey, ProcessInstanceKey, SignalKey, SubscriptionKey,
};

message! {
    /// A signal was broadcast.
    pub struct SignalBroadcasted {
        /// The signal.
        1 => pub key: SignalKey,
        /// Its name.
        2 => pub name: Arc<str>,
        /// What it brings along.
        3 => pub variables: Document,
        /// The owner.
        4 => pub tenant: Tenant,
    }
}

numbered! {
    /// What happened to what waits for signals; the numbers are those of the record protocol.
    pub enum SignalSubscriptionIntent {
        /// It waits from now on.
        Created = 0,
        /// It is gone.
        Deleted = 1,
        /// It sets off an event of another definition.
        Migrated = 2,
    }
}

message! {
    /// Something waits for a signal. As it came into being it is also what is kept.
    pub struct SignalSubscription {
        /// The subscription.
        1 => pub key: SubscriptionKey,
        /// What happened to it.
        2 => pub to: SignalSubscriptionIntent,
        /// The name of the signal.
        3 => pub name: Arc<str>,
        /// The element instance that waits; unset when instances are started.
        4 => pub element_instance: ElementInstanceKey,
        /// The event that a signal sets off.
        5 => pub element: ElementNumber,
        /// The process instance; unset when instances are started.
        6 => pub instance: ProcessInstanceKey,
        /// Its definition.
        7 => pub definition: ProcessDefinitionKey,
        /// The owner.
        8 => pub tenant: Tenant,
    }
}
