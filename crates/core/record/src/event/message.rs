//! Messages, and what waits for them: on the side of the message, and on that of the instance.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp, message, numbered};

use crate::document::Document;
use crate::key::{
    ElementInstanceKey, ElementNumber, MessageKey, ProcessDefinitionKey, ProcessInstanceKey, SubscriptionKey,
};

numbered! {
    /// What happened to a message; the numbers are those of the record protocol.
    pub enum MessageIntent {
        /// It is there.
        Published = 1,
        /// It is gone.
        Expired = 3,
    }
}

message! {
    /// A message came, or is gone. As it came it is also what is kept of it.
    pub struct MessageChanged {
        /// The message.
        1 => pub key: MessageKey,
        /// What happened to it.
        2 => pub to: MessageIntent,
        /// Its name.
        3 => pub name: Arc<str>,
        /// What it is about.
        4 => pub correlation_key: Arc<str>,
        /// By which it is known when it comes again, or empty.
        5 => pub id: Arc<str>,
        /// How long it is kept, in milliseconds; 0 or less is not at all.
        6 => pub ttl: i64,
        /// Until when it is kept.
        7 => pub deadline: Timestamp,
        /// What it brings along.
        8 => pub variables: Document,
        /// The owner.
        9 => pub tenant: Tenant,
    }
}

numbered! {
    /// What happened on the side of the message; the numbers are those of the record protocol.
    pub enum MessageSubscriptionIntent {
        /// It waits.
        Created = 1,
        /// The instance took the message.
        Correlated = 3,
        /// The instance did not take the message.
        Rejected = 5,
        /// It is gone.
        Deleted = 7,
        /// A message is on its way to the instance.
        Correlating = 8,
        /// It waits for another definition.
        Migrated = 10,
    }
}

message! {
    /// Somebody waits for a message, on the partition of the message. As it came into being it is also what is kept.
    pub struct MessageSubscription {
        /// The subscription.
        1 => pub key: SubscriptionKey,
        /// What happened to it.
        2 => pub to: MessageSubscriptionIntent,
        /// The element instance that waits.
        3 => pub element_instance: ElementInstanceKey,
        /// The name of the message.
        4 => pub name: Arc<str>,
        /// What the message is about.
        5 => pub correlation_key: Arc<str>,
        /// The process id in the BPMN.
        6 => pub process: Arc<str>,
        /// It waits for one message, and then no more.
        7 => pub interrupting: bool,
        /// The message that is or was on its way; unset when there is none.
        8 => pub message: MessageKey,
        /// What that message brings along.
        9 => pub variables: Document,
        /// The process instance.
        10 => pub instance: ProcessInstanceKey,
        /// Its definition.
        11 => pub definition: ProcessDefinitionKey,
        /// The owner.
        12 => pub tenant: Tenant,
        /// As a message is on its way: it is the oldest of those that are kept which has not reached the process.
        13 => pub oldest: bool,
    }
}

numbered! {
    /// What happened on the side of the instance; the numbers are those of the record protocol.
    pub enum ProcessSubscriptionIntent {
        /// The side of the message is asked.
        Creating = 0,
        /// The side of the message knows of it.
        Created = 2,
        /// A message has come.
        Correlated = 4,
        /// Nobody waits any more; the side of the message is told.
        Deleting = 5,
        /// It is gone on both sides.
        Deleted = 7,
        /// It waits for another definition; the side of the message is told.
        Migrating = 8,
        /// The side of the message knows of that.
        Migrated = 10,
    }
}

message! {
    /// An element instance waits for a message, on the partition of the instance. It is also what is kept.
    pub struct ProcessSubscription {
        /// The subscription.
        1 => pub key: SubscriptionKey,
        /// What happened to it.
        2 => pub to: ProcessSubscriptionIntent,
        /// The element instance that waits.
        3 => pub element_instance: ElementInstanceKey,
        /// The event that a message sets off.
        4 => pub element: ElementNumber,
        /// The name of the message.
        5 => pub name: Arc<str>,
        /// What the message is about.
        6 => pub correlation_key: Arc<str>,
        /// It waits for one message, and then no more.
        7 => pub interrupting: bool,
        /// The message that came; unset when none did.
        8 => pub message: MessageKey,
        /// What it brought along.
        9 => pub variables: Document,
        /// The process instance.
        10 => pub instance: ProcessInstanceKey,
        /// Its definition.
        11 => pub definition: ProcessDefinitionKey,
        /// The owner.
        12 => pub tenant: Tenant,
    }
}

numbered! {
    /// What happened to what starts instances by messages; the numbers are those of the record protocol.
    pub enum StartSubscriptionIntent {
        /// Messages start instances from now on.
        Created = 0,
        /// A message started an instance.
        Correlated = 1,
        /// Messages start no more instances.
        Deleted = 2,
    }
}

message! {
    /// Messages of a name start instances of a definition. As it came into being it is also what is kept.
    pub struct StartSubscription {
        /// The subscription.
        1 => pub key: SubscriptionKey,
        /// What happened to it.
        2 => pub to: StartSubscriptionIntent,
        /// The name of the message.
        3 => pub name: Arc<str>,
        /// The definition.
        4 => pub definition: ProcessDefinitionKey,
        /// The process id in the BPMN.
        5 => pub process: Arc<str>,
        /// The start event.
        6 => pub element: ElementNumber,
        /// The instance that was started; unset when none was.
        7 => pub instance: ProcessInstanceKey,
        /// The message that started it.
        8 => pub message: MessageKey,
        /// What that message was about.
        9 => pub correlation_key: Arc<str>,
        /// What it brought along.
        10 => pub variables: Document,
        /// The owner.
        11 => pub tenant: Tenant,
        /// As a message starts an instance: it is the oldest of those that are kept which has not reached the process.
        12 => pub oldest: bool,
    }
}
