//! What waits for something to happen.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp};
use coreto_record::event::{MessageChanged, MessageSubscription, SignalSubscription, StartSubscription};
use coreto_record::{ElementInstanceKey, Key, ProcessDefinitionKey, SubscriptionKey, TimerKey};

use super::State;

/// Who waits for a timer or signal: an element instance, or, where that is unset, a definition of which instances are
/// started. Both have keys of one counter.
pub(crate) fn owner_of(element_instance: ElementInstanceKey, definition: ProcessDefinitionKey) -> u64 {
    if element_instance.is_unset() { definition.raw() } else { element_instance.raw() }
}

/// What messages meet by: their owner, name and correlation key.
pub(crate) type Topic = (Tenant, Arc<str>, Arc<str>);

/// The topic of a message.
pub(crate) fn topic_of(message: &MessageChanged) -> Topic {
    (message.tenant, Arc::clone(&message.name), Arc::clone(&message.correlation_key))
}

/// The place of a subscription among those of its topic: by process, and by the age of who waits.
pub(crate) fn place_of(subscription: &MessageSubscription) -> (Topic, (Arc<str>, ElementInstanceKey)) {
    let MessageSubscription { tenant, name, correlation_key, process, element_instance, .. } = subscription;
    let topic = (*tenant, Arc::clone(name), Arc::clone(correlation_key));
    (topic, (Arc::clone(process), *element_instance))
}

/// The place of what starts instances by a message among all that wait for its name.
pub(crate) fn start_of(subscription: &StartSubscription) -> ((Tenant, Arc<str>), ProcessDefinitionKey) {
    ((subscription.tenant, Arc::clone(&subscription.name)), subscription.definition)
}

coreto_machine::message! {
    /// What keeps a second instance from being started by messages with the same key.
    pub(crate) struct StartLock {
        /// The owner.
        1 => pub(crate) tenant: Tenant,
        /// The process id in the BPMN.
        2 => pub(crate) process: Arc<str>,
        /// What the messages are about.
        3 => pub(crate) correlation_key: Arc<str>,
    }
}

impl State {
    /// Timers that an element instance or a definition waits for, oldest first.
    pub(crate) fn timers_of(&self, owner: u64) -> impl Iterator<Item = TimerKey> {
        let first = (owner, TimerKey::from_raw(0));
        self.timers_of.scan(&first, move |(found, _)| *found == owner).map(|(_, timer)| *timer)
    }

    /// The oldest kept message of a topic that has not reached a process and still may.
    pub(crate) fn oldest_for(
        &self,
        topic: Topic,
        process: &Arc<str>,
        now: Timestamp,
    ) -> Option<&Arc<MessageChanged>> {
        let of_process = (topic, Arc::clone(process));
        let first = self.caught_up.peek(&of_process).map(|first| **first).unwrap_or_default();
        let topic = of_process.0;
        self.messages_of
            .scan(&(topic.clone(), first), move |(found, _)| *found == topic)
            .filter_map(|(_, key)| self.messages.peek(key))
            .find(|it| it.deadline > now && !self.reached.contains(&(it.key, Arc::clone(process))))
    }

    /// What waits for a signal, oldest first, from a key on.
    pub(crate) fn waiting_for_signal(
        &self,
        tenant: Tenant,
        name: &Arc<str>,
        from: SubscriptionKey,
    ) -> impl Iterator<Item = &Arc<SignalSubscription>> {
        let of = (tenant, Arc::clone(name));
        self.signals
            .scan(&(of.clone(), from), move |(found, _)| *found == of)
            .filter_map(|(_, key)| self.signal_subscriptions.peek(key))
    }

    /// The waits for signals of an element instance or a definition.
    pub(crate) fn signals_of(&self, owner: u64) -> Vec<Arc<SignalSubscription>> {
        let first = (owner, SubscriptionKey::from_raw(0));
        self.signals_of
            .scan(&first, |(found, _)| *found == owner)
            .filter_map(|(_, key)| self.signal_subscriptions.get(key))
            .collect()
    }

    /// Names of the messages that an element instance waits for.
    pub(crate) fn awaited_messages(&self, key: ElementInstanceKey) -> Vec<Arc<str>> {
        let first = (key, Arc::from(""));
        self.process_subscriptions
            .scan(&first, |(found, _)| *found == key)
            .map(|((_, name), _)| Arc::clone(name))
            .collect()
    }
}
