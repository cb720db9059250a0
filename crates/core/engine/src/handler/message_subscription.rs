//! Who waits for a message, on the side of the message.

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::{
    CorrelateMessageSubscription, MigrateMessageSubscription, OpenMessageSubscription,
    RejectMessageSubscription, Subscribed,
};
use coreto_record::event::{MessageSubscription, MessageSubscriptionIntent};
use coreto_record::{Command, Event, Key, Rejection, partition_of};

use super::{Handled, done, quoted};
use crate::engine::Engine;
use crate::keys;
use crate::subscription::correlation;
use crate::subscription::message::send;

/// Lets an element instance wait for a message; one that is kept for it comes at once.
pub(crate) fn open(txn: &mut Txn<'_, Engine>, head: &Head, command: &OpenMessageSubscription) -> Handled {
    let key = (command.element_instance, Arc::clone(&command.name));
    if txn.state().message_subscriptions.contains(&key) {
        return Err(Rejection::invalid_state(format!(
            "element instance {} waits for the message {} already",
            command.element_instance,
            quoted(&command.name)
        )));
    }
    let created = MessageSubscription {
        key: keys::next(txn),
        to: MessageSubscriptionIntent::Created,
        element_instance: command.element_instance,
        name: Arc::clone(&command.name),
        correlation_key: Arc::clone(&command.correlation_key),
        process: Arc::clone(&command.process),
        interrupting: command.interrupting,
        instance: command.instance,
        definition: command.definition,
        tenant: command.tenant,
        ..MessageSubscription::default()
    };
    txn.emit(&Event::MessageSubscription(created.clone()));
    let to = partition_of(command.instance.raw());
    let opened = Subscribed { element_instance: command.element_instance, name: Arc::clone(&command.name) };
    send(txn, to, Command::OpenedProcessSubscription(opened));
    correlation::catch_up(txn, head.now, &created);
    done()
}

/// Who waited took the message: it is done with, or waits for the next one.
pub(crate) fn correlate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &CorrelateMessageSubscription,
) -> Handled {
    let key = (command.element_instance, Arc::clone(&command.name));
    let found = txn.state().message_subscriptions.get(&key).filter(|found| found.message == command.message);
    let Some(waiting) = found else {
        return Err(Rejection::not_found(format!(
            "element instance {} does not wait for the message {} any more",
            command.element_instance,
            quoted(&command.name)
        )));
    };
    txn.emit(&Event::MessageSubscription(MessageSubscription {
        to: MessageSubscriptionIntent::Correlated,
        interrupting: command.interrupting.unwrap_or(waiting.interrupting),
        ..MessageSubscription::clone(&waiting)
    }));
    if let Some(waiting) = txn.state().message_subscriptions.get(&key) {
        correlation::catch_up(txn, head.now, &waiting);
    }
    done()
}

/// Who waited did not take the message: it goes to the next one of the process.
pub(crate) fn reject(txn: &mut Txn<'_, Engine>, head: &Head, command: &RejectMessageSubscription) -> Handled {
    txn.emit(&Event::MessageSubscription(MessageSubscription {
        to: MessageSubscriptionIntent::Rejected,
        element_instance: command.element_instance,
        name: Arc::clone(&command.name),
        correlation_key: Arc::clone(&command.correlation_key),
        process: Arc::clone(&command.process),
        message: command.message,
        tenant: command.tenant,
        ..MessageSubscription::default()
    }));
    correlation::pass_on(txn, head.now, command.message, &command.process, command.element_instance);
    done()
}

/// Who waits does so for another definition. Messages that have reached the process that it was of may be new to the one
/// that it is of now.
pub(crate) fn migrate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &MigrateMessageSubscription,
) -> Handled {
    let key = (command.element_instance, Arc::clone(&command.name));
    if let Some(waiting) = txn.state().message_subscriptions.get(&key) {
        let migrated = MessageSubscription {
            to: MessageSubscriptionIntent::Migrated,
            process: Arc::clone(&command.process),
            interrupting: command.interrupting,
            definition: command.definition,
            ..MessageSubscription::clone(&waiting)
        };
        txn.emit(&Event::MessageSubscription(migrated.clone()));
        if waiting.process != command.process && waiting.message.is_unset() {
            correlation::catch_up(txn, head.now, &migrated);
        }
    }
    let to = partition_of(command.element_instance.raw());
    let migrated = Subscribed { element_instance: command.element_instance, name: Arc::clone(&command.name) };
    send(txn, to, Command::MigratedProcessSubscription(migrated));
    done()
}

/// Nobody waits any more.
pub(crate) fn close(txn: &mut Txn<'_, Engine>, command: &Subscribed) -> Handled {
    let key = (command.element_instance, Arc::clone(&command.name));
    if let Some(waiting) = txn.state().message_subscriptions.get(&key) {
        txn.emit(&Event::MessageSubscription(MessageSubscription {
            to: MessageSubscriptionIntent::Deleted,
            ..MessageSubscription::clone(&waiting)
        }));
    }
    let to = partition_of(command.element_instance.raw());
    send(txn, to, Command::ClosedProcessSubscription(command.clone()));
    done()
}
