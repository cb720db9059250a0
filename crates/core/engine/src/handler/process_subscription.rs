//! Who waits for a message, on the side of the instance.

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::{
    CorrelateMessageSubscription, CorrelateProcessSubscription, RejectMessageSubscription, Subscribed,
};
use coreto_record::event::{ProcessSubscription, ProcessSubscriptionIntent};
use coreto_record::{Command, Event, Rejection, partition_of_text};

use super::{Handled, done, is_banned, quoted};
use crate::engine::Engine;
use crate::state::State;
use crate::subscription::message::send;
use crate::subscription::{accepts, trigger};

fn find(state: &State, command: &Subscribed) -> Result<Arc<ProcessSubscription>, Rejection> {
    let key = (command.element_instance, Arc::clone(&command.name));
    state.process_subscriptions.get(&key).ok_or_else(|| {
        Rejection::not_found(format!(
            "element instance {} does not wait for the message {}",
            command.element_instance,
            quoted(&command.name)
        ))
    })
}

/// The side of the message knows who waits. Where that was over before it began, it is told so, since it may have been
/// asked to forget it before it knew of it: what follows from one command comes before commands that wait.
pub(crate) fn opened(txn: &mut Txn<'_, Engine>, command: &Subscribed) -> Handled {
    let key = (command.element_instance, Arc::clone(&command.name));
    let place = txn.place();
    match txn.state().process_subscriptions.get(&key) {
        Some(waiting) if waiting.to == ProcessSubscriptionIntent::Creating => {
            txn.emit(&Event::ProcessSubscription(ProcessSubscription {
                to: ProcessSubscriptionIntent::Created,
                ..ProcessSubscription::clone(&waiting)
            }));
        }
        Some(waiting) => {
            let to = partition_of_text(&waiting.correlation_key, place.count);
            send(txn, to, Command::CloseMessageSubscription(command.clone()));
        }
        // Commands between partitions keep their order, so this one came from here.
        None => send(txn, place.number, Command::CloseMessageSubscription(command.clone())),
    }
    done()
}

/// A message has come: it sets off its event, or goes back when that cannot be any more.
pub(crate) fn correlate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &CorrelateProcessSubscription,
) -> Handled {
    let to = partition_of_text(&command.correlation_key, txn.place().count);
    let key = (command.element_instance, Arc::clone(&command.name));
    let waiting = txn.state().process_subscriptions.get(&key).filter(|waiting| {
        waiting.to != ProcessSubscriptionIntent::Deleting
            && !is_banned(txn.state(), waiting.instance)
            && accepts(txn.state(), waiting.element_instance, waiting.element)
    });
    let Some(waiting) = waiting else {
        let reject = RejectMessageSubscription {
            element_instance: command.element_instance,
            name: Arc::clone(&command.name),
            message: command.message,
            process: Arc::clone(&command.process),
            correlation_key: Arc::clone(&command.correlation_key),
            tenant: command.tenant,
        };
        send(txn, to, Command::RejectMessageSubscription(reject));
        return done();
    };
    txn.emit(&Event::ProcessSubscription(ProcessSubscription {
        to: ProcessSubscriptionIntent::Correlated,
        message: command.message,
        variables: command.variables.clone(),
        ..ProcessSubscription::clone(&waiting)
    }));
    trigger(txn, head, waiting.element_instance, waiting.element, command.variables.clone());
    let taken = CorrelateMessageSubscription {
        element_instance: command.element_instance,
        name: Arc::clone(&command.name),
        message: command.message,
        interrupting: Some(waiting.interrupting),
    };
    send(txn, to, Command::CorrelateMessageSubscription(taken));
    done()
}

/// The side of the message knows for which definition it waits. What has happened to the wait meanwhile comes behind.
pub(crate) fn migrated(txn: &mut Txn<'_, Engine>, command: &Subscribed) -> Handled {
    let subscription = find(txn.state(), command)?;
    if subscription.to == ProcessSubscriptionIntent::Migrating {
        txn.emit(&Event::ProcessSubscription(ProcessSubscription {
            to: ProcessSubscriptionIntent::Migrated,
            ..ProcessSubscription::clone(&subscription)
        }));
    }
    done()
}

/// The side of the message knows that nobody waits.
pub(crate) fn closed(txn: &mut Txn<'_, Engine>, command: &Subscribed) -> Handled {
    let subscription = find(txn.state(), command)?;
    txn.emit(&Event::ProcessSubscription(ProcessSubscription {
        to: ProcessSubscriptionIntent::Deleted,
        ..ProcessSubscription::clone(&subscription)
    }));
    done()
}
