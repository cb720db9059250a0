//! Messages, and who waits for them.

use std::sync::Arc;

use coreto_machine::Timestamp;
use coreto_record::command::{
    CorrelateProcessSubscription, MigrateMessageSubscription, OpenMessageSubscription, PublishMessage,
    RejectMessageSubscription,
};
use coreto_record::event::{MessageChanged, MessageSubscription, ProcessSubscription, StartSubscription};
use coreto_record::{Command, ElementInstanceKey, Key, ProcessDefinitionKey};

use super::json::{Object, name};
use super::model::{self, Model};

pub(super) fn message(event: &MessageChanged, value: &mut Object<'_>) {
    value.text(name!("name"), &event.name);
    value.text(name!("correlationKey"), &event.correlation_key);
    value.text(name!("messageId"), &event.id);
    value.number(name!("timeToLive"), event.ttl);
    value.number(name!("deadline"), event.deadline.as_millis());
    value.raw(name!("variables"), event.variables.as_str());
    model::tenant(value, event.tenant);
}

/// A message that a client wished to publish.
pub(super) fn wished(wish: &PublishMessage, value: &mut Object<'_>) {
    let wish = MessageChanged {
        name: Arc::clone(&wish.name),
        correlation_key: Arc::clone(&wish.correlation_key),
        id: Arc::clone(&wish.id),
        ttl: wish.ttl,
        deadline: Timestamp::from_millis(-1),
        variables: wish.variables.clone(),
        tenant: wish.tenant,
        ..MessageChanged::default()
    };
    message(&wish, value);
}

pub(super) fn message_subscription(event: &MessageSubscription, value: &mut Object<'_>) {
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.key(name!("elementInstanceKey"), event.element_instance.raw());
    value.key(name!("processDefinitionKey"), event.definition.raw());
    value.text(name!("bpmnProcessId"), &event.process);
    value.text(name!("messageName"), &event.name);
    value.text(name!("correlationKey"), &event.correlation_key);
    value.key(name!("messageKey"), event.message.raw());
    value.boolean(name!("interrupting"), event.interrupting);
    value.raw(name!("variables"), event.variables.as_str());
    model::tenant(value, event.tenant);
}

pub(super) fn process_subscription(event: &ProcessSubscription, model: &Model, value: &mut Object<'_>) {
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.key(name!("elementInstanceKey"), event.element_instance.raw());
    model.process_of_variable(value);
    model.element_id(name!("elementId"), event.element, value);
    value.text(name!("messageName"), &event.name);
    value.text(name!("correlationKey"), &event.correlation_key);
    value.key(name!("messageKey"), event.message.raw());
    value.boolean(name!("interrupting"), event.interrupting);
    value.raw(name!("variables"), event.variables.as_str());
    model::tenant(value, event.tenant);
}

pub(super) fn start_subscription(event: &StartSubscription, model: &Model, value: &mut Object<'_>) {
    model.process_of_variable(value);
    model.element_id(name!("startEventId"), event.element, value);
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.text(name!("messageName"), &event.name);
    value.text(name!("correlationKey"), &event.correlation_key);
    value.key(name!("messageKey"), event.message.raw());
    value.raw(name!("variables"), event.variables.as_str());
    model::tenant(value, event.tenant);
}

/// What one side of a subscription wished of the other.
pub(super) fn wished_subscription(command: &Command, value: &mut Object<'_>) {
    match command {
        Command::OpenMessageSubscription(it) => message_subscription(&opened(it), value),
        Command::MigrateMessageSubscription(it) => message_subscription(&migrated(it), value),
        Command::CorrelateMessageSubscription(it) => {
            let name = &it.name;
            message_subscription(
                &MessageSubscription { message: it.message, ..of_the_message(it.element_instance, name) },
                value,
            );
        }
        Command::RejectMessageSubscription(it) => message_subscription(&rejected(it), value),
        Command::CloseMessageSubscription(it) => {
            message_subscription(&of_the_message(it.element_instance, &it.name), value);
        }
        Command::OpenedProcessSubscription(it)
        | Command::ClosedProcessSubscription(it)
        | Command::MigratedProcessSubscription(it) => {
            let name = Arc::clone(&it.name);
            let element_instance = it.element_instance;
            of_the_instance(
                &ProcessSubscription { element_instance, name, ..ProcessSubscription::default() },
                value,
            );
        }
        Command::CorrelateProcessSubscription(it) => of_the_instance(&correlated(it), value),
        _ => (),
    }
}

fn opened(open: &OpenMessageSubscription) -> MessageSubscription {
    MessageSubscription {
        element_instance: open.element_instance,
        name: Arc::clone(&open.name),
        correlation_key: Arc::clone(&open.correlation_key),
        process: Arc::clone(&open.process),
        interrupting: open.interrupting,
        instance: open.instance,
        definition: open.definition,
        tenant: open.tenant,
        ..MessageSubscription::default()
    }
}

fn migrated(migrate: &MigrateMessageSubscription) -> MessageSubscription {
    MessageSubscription {
        element_instance: migrate.element_instance,
        name: Arc::clone(&migrate.name),
        process: Arc::clone(&migrate.process),
        interrupting: migrate.interrupting,
        definition: migrate.definition,
        ..MessageSubscription::default()
    }
}

fn rejected(reject: &RejectMessageSubscription) -> MessageSubscription {
    MessageSubscription {
        message: reject.message,
        process: Arc::clone(&reject.process),
        correlation_key: Arc::clone(&reject.correlation_key),
        tenant: reject.tenant,
        ..of_the_message(reject.element_instance, &reject.name)
    }
}

fn correlated(correlate: &CorrelateProcessSubscription) -> ProcessSubscription {
    ProcessSubscription {
        element_instance: correlate.element_instance,
        name: Arc::clone(&correlate.name),
        message: correlate.message,
        variables: correlate.variables.clone(),
        correlation_key: Arc::clone(&correlate.correlation_key),
        tenant: correlate.tenant,
        ..ProcessSubscription::default()
    }
}

fn of_the_message(element_instance: ElementInstanceKey, name: &Arc<str>) -> MessageSubscription {
    MessageSubscription { element_instance, name: Arc::clone(name), ..MessageSubscription::default() }
}

fn of_the_instance(wish: &ProcessSubscription, value: &mut Object<'_>) {
    process_subscription(wish, &Model::unknown(ProcessDefinitionKey::default()), value);
}
