//! Messages: from clients, and between the partitions of a message and of who waits for it.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::{ElementInstanceKey, MessageKey, ProcessDefinitionKey, ProcessInstanceKey};

message! {
    /// Publishes a message.
    pub struct PublishMessage {
        /// The owner.
        1 => pub tenant: Tenant,
        /// Its name.
        2 => pub name: Arc<str>,
        /// What it is about; decides on its partition.
        3 => pub correlation_key: Arc<str>,
        /// By which it is known when it comes again, or empty.
        4 => pub id: Arc<str>,
        /// How long it is kept, in milliseconds; 0 or less is not at all.
        5 => pub ttl: i64,
        /// What it brings along.
        6 => pub variables: Document,
    }
}

message! {
    /// Lets an element instance wait for a message, on the partition of the message.
    pub struct OpenMessageSubscription {
        /// The element instance.
        1 => pub element_instance: ElementInstanceKey,
        /// The name of the message.
        2 => pub name: Arc<str>,
        /// What the message is about.
        3 => pub correlation_key: Arc<str>,
        /// The process id in the BPMN.
        4 => pub process: Arc<str>,
        /// It waits for one message, and then no more.
        5 => pub interrupting: bool,
        /// The process instance.
        6 => pub instance: ProcessInstanceKey,
        /// Its definition.
        7 => pub definition: ProcessDefinitionKey,
        /// The owner.
        8 => pub tenant: Tenant,
    }
}

message! {
    /// An element instance and the name of a message that it waits for; which side does what, the command says.
    pub struct Subscribed {
        /// The element instance.
        1 => pub element_instance: ElementInstanceKey,
        /// The name of the message.
        2 => pub name: Arc<str>,
    }
}

message! {
    /// Brings a message to an element instance that waits for it.
    pub struct CorrelateProcessSubscription {
        /// The element instance.
        1 => pub element_instance: ElementInstanceKey,
        /// The name of the message.
        2 => pub name: Arc<str>,
        /// The message.
        3 => pub message: MessageKey,
        /// What it brings along.
        4 => pub variables: Document,
        /// The process id in the BPMN.
        5 => pub process: Arc<str>,
        /// What the message is about.
        6 => pub correlation_key: Arc<str>,
        /// The owner.
        7 => pub tenant: Tenant,
    }
}

message! {
    /// An element instance took a message.
    pub struct CorrelateMessageSubscription {
        /// The element instance.
        1 => pub element_instance: ElementInstanceKey,
        /// The name of the message.
        2 => pub name: Arc<str>,
        /// The message.
        3 => pub message: MessageKey,
        /// Whether it waits no more. Where it does not say, the subscription does.
        4 => pub interrupting: Option<bool>,
    }
}

message! {
    /// An element instance did not take a message, which may go to another one of the same process.
    pub struct RejectMessageSubscription {
        /// The element instance.
        1 => pub element_instance: ElementInstanceKey,
        /// The name of the message.
        2 => pub name: Arc<str>,
        /// The message.
        3 => pub message: MessageKey,
        /// The process id in the BPMN.
        4 => pub process: Arc<str>,
        /// What the message is about.
        5 => pub correlation_key: Arc<str>,
        /// The owner.
        6 => pub tenant: Tenant,
    }
}
