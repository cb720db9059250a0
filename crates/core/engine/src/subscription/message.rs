//! Waiting for messages, on the side of the instance: what is asked of the side of the message, and what comes back.

use std::sync::Arc;

use coreto_bpmn::Message;
use coreto_feel::{Env, Expression, Scope, Value};
use coreto_machine::Txn;
use coreto_record::command::{MigrateMessageSubscription, OpenMessageSubscription, Subscribed};
use coreto_record::event::{ProcessSubscription, ProcessSubscriptionIntent};
use coreto_record::{Command, ElementInstanceKey, ElementNumber, Event, IncidentKind, partition_of_text};

use super::Goes;
use crate::element::{Visit, expression};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::keys;

/// A message that somebody waits for, with its expressions evaluated.
#[derive(Clone)]
pub(crate) struct WantedMessage {
    pub(crate) name: Arc<str>,
    pub(crate) correlation_key: Arc<str>,
    pub(crate) interrupting: bool,
}

/// Brings a command to a partition; to this one it comes as a follow-up.
pub(crate) fn send(txn: &mut Txn<'_, Engine>, to: u32, command: Command) {
    if to == txn.place().number {
        txn.follow_up(command);
    } else {
        txn.send(to, command);
    }
}

/// What a message must be about: a string, or the whole part of a number.
pub(crate) fn correlation_key(
    message: &Message,
    scope: &dyn Scope,
    env: &Env<'_>,
) -> Result<Arc<str>, Trouble> {
    let Some(expression) = &message.correlation_key else { return Ok(Arc::default()) };
    expression::value("correlation key", "a string or number", expression, scope, env, |found| match found {
        Value::String(_) => found.as_str().map(|text| Ok(text.into())),
        Value::Number(number) => {
            let whole = number.to_i64().map(|whole| whole.to_string().into());
            Some(whole.ok_or_else(|| too_large(expression)))
        }
        _ => None,
    })?
}

fn too_large(expression: &Expression) -> Trouble {
    let message =
        format!("`={}` for the correlation key gave a number of more than 64 bits", expression.source());
    Trouble { kind: IncidentKind::ExtractValueError, message }
}

/// Opens a subscription of an element instance.
pub(super) fn open(txn: &mut Txn<'_, Engine>, visit: &Visit, event: ElementNumber, wanted: WantedMessage) {
    let instance = &visit.instance;
    let creating = ProcessSubscription {
        key: keys::next(txn),
        to: ProcessSubscriptionIntent::Creating,
        element_instance: visit.key,
        element: event,
        name: wanted.name,
        correlation_key: wanted.correlation_key,
        interrupting: wanted.interrupting,
        instance: instance.instance,
        definition: instance.definition,
        tenant: instance.tenant,
        ..ProcessSubscription::default()
    };
    txn.emit(&Event::ProcessSubscription(creating.clone()));
    let open = OpenMessageSubscription {
        element_instance: visit.key,
        name: creating.name,
        correlation_key: creating.correlation_key,
        process: Arc::clone(&visit.process.id),
        interrupting: creating.interrupting,
        instance: creating.instance,
        definition: creating.definition,
        tenant: creating.tenant,
    };
    let to = partition_of_text(&open.correlation_key, txn.place().count);
    send(txn, to, Command::OpenMessageSubscription(open));
}

/// Closes the subscriptions of an element instance that concern these events.
pub(super) fn close_all(
    txn: &mut Txn<'_, Engine>,
    key: ElementInstanceKey,
    concerns: &dyn Fn(ElementNumber) -> bool,
) {
    for name in txn.state().awaited_messages(key) {
        let Some(subscription) = txn.state().process_subscriptions.get(&(key, name)) else { continue };
        if subscription.to != ProcessSubscriptionIntent::Deleting && concerns(subscription.element) {
            close(txn, &subscription);
        }
    }
}

/// Lets the subscriptions of an element instance go on for the events of another definition. They keep their names and
/// correlation keys.
pub(super) fn migrate_all(txn: &mut Txn<'_, Engine>, visit: &Visit, goes: Goes<'_>) {
    for name in txn.state().awaited_messages(visit.key) {
        let Some(subscription) = txn.state().process_subscriptions.get(&(visit.key, name)) else { continue };
        let to = subscription.to;
        if let Some(event) = goes(subscription.element).filter(|_| to != ProcessSubscriptionIntent::Deleting)
        {
            migrate(txn, visit, &subscription, event);
        }
    }
}

fn migrate(
    txn: &mut Txn<'_, Engine>,
    visit: &Visit,
    subscription: &ProcessSubscription,
    event: ElementNumber,
) {
    let (definition, name) = (visit.instance.definition, Arc::clone(&subscription.name));
    let interrupting = visit.process.interrupts(coreto_bpmn::ElementNumber(event.0));
    txn.emit(&Event::ProcessSubscription(ProcessSubscription {
        to: ProcessSubscriptionIntent::Migrating,
        element: event,
        interrupting,
        definition,
        ..subscription.clone()
    }));
    let to = partition_of_text(&subscription.correlation_key, txn.place().count);
    let process = Arc::clone(&visit.process.id);
    let migrate =
        MigrateMessageSubscription { element_instance: visit.key, name, process, interrupting, definition };
    send(txn, to, Command::MigrateMessageSubscription(migrate));
}

fn close(txn: &mut Txn<'_, Engine>, subscription: &ProcessSubscription) {
    txn.emit(&Event::ProcessSubscription(ProcessSubscription {
        to: ProcessSubscriptionIntent::Deleting,
        ..subscription.clone()
    }));
    let to = partition_of_text(&subscription.correlation_key, txn.place().count);
    let closed =
        Subscribed { element_instance: subscription.element_instance, name: Arc::clone(&subscription.name) };
    send(txn, to, Command::CloseMessageSubscription(closed));
}
