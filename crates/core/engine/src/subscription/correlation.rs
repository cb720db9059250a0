//! Bringing messages and those who wait for them together, on the side of the message.
//!
//! A message reaches each process once, whatever its versions and instances; among those who wait in one process, the
//! one that came first.

use std::ops::Bound;
use std::sync::Arc;

use coreto_machine::{Head, Timestamp, Txn};
use coreto_record::command::CorrelateProcessSubscription;
use coreto_record::event::{
    MessageChanged, MessageSubscription, MessageSubscriptionIntent, StartSubscription,
    StartSubscriptionIntent,
};
use coreto_record::{Command, ElementInstanceKey, Event, Key, MessageKey, ProcessInstanceKey, partition_of};

use super::message::send;
use super::start;
use crate::engine::Engine;
use crate::state::{StartLock, State, Topic, topic_of};

/// Brings a new message to one who waits in each process, and lets it start instances.
pub(crate) fn spread(txn: &mut Txn<'_, Engine>, head: &Head, message: &MessageChanged) {
    let topic = topic_of(message);
    let mut process = None;
    // Bound: each round goes on to a later process.
    while let Some(next) = next_process(txn.state(), &topic, process.as_ref()) {
        if let Some(waiting) = first_waiting(txn.state(), &topic, &next, message.key, None) {
            correlate(txn, &waiting, message, false);
        }
        process = Some(next);
    }
    let of_name = (message.tenant, Arc::clone(&message.name));
    let first = (of_name.clone(), coreto_record::ProcessDefinitionKey::default());
    let starts: Vec<_> = txn
        .state()
        .start_subscriptions
        .scan(&first, |(name, _)| *name == of_name)
        .map(|(_, start)| Arc::clone(start))
        .collect();
    for subscription in starts {
        try_to_start(txn, head, &subscription, message, false);
    }
}

/// The first process after another one, in which somebody waits.
fn next_process(state: &State, topic: &Topic, after: Option<&Arc<str>>) -> Option<Arc<str>> {
    let last = ElementInstanceKey::from_raw(u64::MAX);
    let from = match after {
        Some(process) => Bound::Excluded((topic.clone(), (Arc::clone(process), last))),
        None => Bound::Included((topic.clone(), (Arc::from(""), ElementInstanceKey::default()))),
    };
    let (found, (process, _)) = state.waiting.range((from, Bound::Unbounded)).next()?;
    (found == topic).then(|| Arc::clone(process))
}

/// Who has waited longest in a process that the message has not reached, but for one who did not take it.
fn first_waiting(
    state: &State,
    topic: &Topic,
    process: &Arc<str>,
    message: MessageKey,
    refused: Option<ElementInstanceKey>,
) -> Option<Arc<MessageSubscription>> {
    if state.reached.contains(&(message, Arc::clone(process))) {
        return None;
    }
    let first = (topic.clone(), (Arc::clone(process), ElementInstanceKey::default()));
    let inside = |place: &(Topic, (Arc<str>, ElementInstanceKey))| place.0 == *topic && place.1.0 == *process;
    state
        .waiting
        .scan(&first, inside)
        .filter(|(_, (_, waiting))| Some(*waiting) != refused)
        .filter_map(|(_, (_, waiting))| state.message_subscriptions.get(&(*waiting, Arc::clone(&topic.1))))
        .find(|waiting| waiting.message.is_unset())
}

/// Sends a message to who waits for it.
fn correlate(
    txn: &mut Txn<'_, Engine>,
    waiting: &MessageSubscription,
    message: &MessageChanged,
    oldest: bool,
) {
    txn.emit(&Event::MessageSubscription(MessageSubscription {
        to: MessageSubscriptionIntent::Correlating,
        message: message.key,
        variables: message.variables.clone(),
        oldest,
        ..waiting.clone()
    }));
    let correlate = CorrelateProcessSubscription {
        element_instance: waiting.element_instance,
        name: Arc::clone(&waiting.name),
        message: message.key,
        variables: message.variables.clone(),
        process: Arc::clone(&waiting.process),
        correlation_key: Arc::clone(&waiting.correlation_key),
        tenant: waiting.tenant,
    };
    send(txn, partition_of(waiting.instance.raw()), Command::CorrelateProcessSubscription(correlate));
}

/// Brings the oldest message that is kept for it to who waits. Says whether there was one.
pub(crate) fn catch_up(txn: &mut Txn<'_, Engine>, now: Timestamp, waiting: &MessageSubscription) -> bool {
    let topic = (waiting.tenant, Arc::clone(&waiting.name), Arc::clone(&waiting.correlation_key));
    let found = txn.state().oldest_for(topic, &waiting.process, now);
    let Some(message) = found.cloned() else { return false };
    correlate(txn, waiting, &message, true);
    true
}

/// A message that somebody did not take goes to the next one of the same process, if it is still there.
pub(crate) fn pass_on(
    txn: &mut Txn<'_, Engine>,
    now: Timestamp,
    key: MessageKey,
    process: &Arc<str>,
    refused: ElementInstanceKey,
) {
    let state = txn.state();
    let Some(message) = state.messages.get(&key).filter(|message| message.deadline > now) else { return };
    if let Some(waiting) = first_waiting(state, &topic_of(&message), process, key, Some(refused)) {
        correlate(txn, &waiting, &message, false);
    }
}

/// Starts an instance, unless the message has reached the process or an instance with the same key runs.
fn try_to_start(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    subscription: &StartSubscription,
    message: &MessageChanged,
    oldest: bool,
) -> bool {
    let state = txn.state();
    let process = Arc::clone(&subscription.process);
    let lock = (message.tenant, Arc::clone(&process), Arc::clone(&message.correlation_key));
    let locked = !message.correlation_key.is_empty() && state.start_locks.contains(&lock);
    if locked || state.reached.contains(&(message.key, process)) {
        return false;
    }
    let instance = start::instance(txn);
    txn.emit(&Event::StartSubscription(StartSubscription {
        to: StartSubscriptionIntent::Correlated,
        instance,
        message: message.key,
        correlation_key: Arc::clone(&message.correlation_key),
        variables: message.variables.clone(),
        oldest,
        ..subscription.clone()
    }));
    let at = (subscription.definition, subscription.element);
    start::begin(txn, head, instance, at, message.variables.clone());
    true
}

/// The instance that held a lock has ended: the oldest message with its key that has not reached the process starts
/// the next one, of the latest version.
pub(crate) fn after_lock(txn: &mut Txn<'_, Engine>, head: &Head, lock: &StartLock) {
    let state = txn.state();
    let Some(latest) = state.latest.get(&(lock.tenant, Arc::clone(&lock.process))) else { return };
    let first = (latest.key, Arc::from(""));
    let names = state.starts_of.scan(&first, |(definition, _)| *definition == latest.key);
    let oldest = names
        .filter_map(|(_, name)| {
            let topic = (lock.tenant, Arc::clone(name), Arc::clone(&lock.correlation_key));
            state.oldest_for(topic, &lock.process, head.now)
        })
        .min_by_key(|message| message.key);
    let Some(message) = oldest.cloned() else { return };
    let of = ((lock.tenant, Arc::clone(&message.name)), latest.key);
    if let Some(subscription) = txn.state().start_subscriptions.get(&of) {
        try_to_start(txn, head, &subscription, &message, true);
    }
}

/// The lock that an instance holds, if messages started it; also when it is of another process by now.
pub(crate) fn lock_of(txn: &Txn<'_, Engine>, instance: ProcessInstanceKey) -> Option<Arc<StartLock>> {
    let locks = &txn.state().lock_of;
    if locks.is_empty() { None } else { locks.get(&instance) }
}
