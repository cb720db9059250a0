//! Messages, and who waits for them.

use std::sync::Arc;

use coreto_record::event::{
    MessageChanged, MessageIntent, MessageSubscription, MessageSubscriptionIntent, ProcessSubscription,
    ProcessSubscriptionIntent, StartSubscription, StartSubscriptionIntent,
};
use coreto_record::{Document, Key, MessageKey, ProcessInstanceKey};

use crate::state::{DUE_MESSAGE, StartLock, State, Topic, place_of, start_of, topic_of};

pub(super) fn message(state: &mut State, event: &MessageChanged) {
    let due = (event.deadline, DUE_MESSAGE, event.key.raw());
    let topic = topic_of(event);
    match event.to {
        MessageIntent::Published => {
            state.due.insert(due);
            if !event.id.is_empty() {
                state.message_ids.insert((topic.clone(), Arc::clone(&event.id)));
            }
            state.messages_of.insert((topic, event.key));
            state.messages.insert(event.key, event.clone());
        }
        MessageIntent::Expired => {
            state.due.remove(&due);
            state.message_ids.remove(&(topic.clone(), Arc::clone(&event.id)));
            state.messages_of.remove(&(topic, event.key));
            state.messages.remove(&event.key);
            let first = (event.key, Arc::from(""));
            let reached: Vec<_> = state
                .reached
                .scan(&first, |(message, _)| *message == event.key)
                .map(|(reached, _)| reached.clone())
                .collect();
            for reached in reached {
                state.reached.remove(&reached);
            }
            forget_progress(state, &topic_of(event));
        }
    }
}

/// When no message of a topic is kept any more, there is nothing to look at.
fn forget_progress(state: &mut State, topic: &Topic) {
    let oldest = (topic.clone(), MessageKey::default());
    if state.caught_up.is_empty()
        || state.messages_of.scan(&oldest, |(found, _)| found == topic).next().is_some()
    {
        return;
    }
    let first = (topic.clone(), Arc::from(""));
    let all: Vec<_> = state
        .caught_up
        .scan(&first, |(found, _)| found == topic)
        .map(|(progress, _)| progress.clone())
        .collect();
    for progress in all {
        state.caught_up.remove(&progress);
    }
}

pub(super) fn message_subscription(state: &mut State, event: &MessageSubscription) {
    let key = (event.element_instance, Arc::clone(&event.name));
    let reached = (event.message, Arc::clone(&event.process));
    match event.to {
        MessageSubscriptionIntent::Created => {
            state.waiting.insert(place_of(event));
            state.message_subscriptions.insert(key, event.clone());
        }
        MessageSubscriptionIntent::Correlating => {
            state.reached.insert(reached, event.instance.raw());
            if event.oldest {
                state.caught_up.insert((place_of(event).0, Arc::clone(&event.process)), event.message);
            }
            state.message_subscriptions.update(&key, |waiting| waiting.message = event.message);
        }
        MessageSubscriptionIntent::Correlated if !event.interrupting => {
            state.message_subscriptions.update(&key, |waiting| waiting.message = MessageKey::default());
        }
        MessageSubscriptionIntent::Rejected => {
            state.reached.remove(&reached);
            let progress = (place_of(event).0, Arc::clone(&event.process));
            if state.caught_up.peek(&progress).is_some_and(|first| **first > event.message) {
                state.caught_up.insert(progress, event.message);
            }
            state.message_subscriptions.update(&key, |waiting| waiting.message = MessageKey::default());
        }
        MessageSubscriptionIntent::Migrated => {
            if let Some(before) = state.message_subscriptions.get(&key) {
                state.waiting.remove(&place_of(&before));
            }
            state.waiting.insert(place_of(event));
            state.message_subscriptions.insert(key, event.clone());
        }
        MessageSubscriptionIntent::Correlated | MessageSubscriptionIntent::Deleted => {
            state.waiting.remove(&place_of(event));
            state.message_subscriptions.remove(&key);
        }
    }
}

pub(super) fn process_subscription(state: &mut State, event: &ProcessSubscription) {
    let key = (event.element_instance, Arc::clone(&event.name));
    let before = state.process_subscriptions.peek(&key).map(|waiting| waiting.to);
    let waits_on = match event.to {
        ProcessSubscriptionIntent::Creating
        | ProcessSubscriptionIntent::Created
        | ProcessSubscriptionIntent::Migrating
        | ProcessSubscriptionIntent::Migrated
        | ProcessSubscriptionIntent::Deleting => true,
        ProcessSubscriptionIntent::Correlated => !event.interrupting,
        ProcessSubscriptionIntent::Deleted => false,
    };
    if waits_on {
        // A message that was on its way to it does not settle what the side of the message was told since.
        let unsettled = event.to == ProcessSubscriptionIntent::Correlated
            && before == Some(ProcessSubscriptionIntent::Migrating);
        let to = if unsettled { ProcessSubscriptionIntent::Migrating } else { event.to };
        let kept = ProcessSubscription { to, variables: Document::EMPTY, ..event.clone() };
        state.process_subscriptions.insert(key, kept);
    } else {
        state.process_subscriptions.remove(&key);
    }
}

pub(super) fn start_subscription(state: &mut State, event: &StartSubscription) {
    let of = (event.definition, Arc::clone(&event.name));
    match event.to {
        StartSubscriptionIntent::Created => {
            state.starts_of.insert(of);
            state.start_subscriptions.insert(start_of(event), event.clone());
        }
        StartSubscriptionIntent::Correlated => {
            state.reached.insert((event.message, Arc::clone(&event.process)), event.instance.raw());
            if event.oldest {
                let topic = (event.tenant, Arc::clone(&event.name), Arc::clone(&event.correlation_key));
                state.caught_up.insert((topic, Arc::clone(&event.process)), event.message);
            }
            if !event.correlation_key.is_empty() {
                lock(state, event);
            }
        }
        StartSubscriptionIntent::Deleted => {
            state.starts_of.remove(&of);
            state.start_subscriptions.remove(&start_of(event));
        }
    }
}

/// No other instance of the process is started with the same key before this one has ended.
fn lock(state: &mut State, event: &StartSubscription) {
    let StartSubscription { tenant, process, correlation_key, .. } = event.clone();
    let holder = event.instance.raw();
    state.start_locks.insert((tenant, Arc::clone(&process), Arc::clone(&correlation_key)), holder);
    state.lock_of.insert(event.instance, StartLock { tenant, process, correlation_key });
}

/// The instance has ended, and the lock that it held with it.
pub(super) fn unlock(state: &mut State, instance: ProcessInstanceKey) {
    if state.lock_of.is_empty() {
        return;
    }
    if let Some(lock) = state.lock_of.remove(&instance) {
        state.start_locks.remove(&(
            lock.tenant,
            Arc::clone(&lock.process),
            Arc::clone(&lock.correlation_key),
        ));
    }
}

#[cfg(test)]
mod tests {
    use coreto_machine::{Place, Tables};

    use super::*;

    #[test]
    fn message_settles_no_migration() {
        use ProcessSubscriptionIntent::{Correlated, Created, Deleting, Migrated, Migrating};

        let mut state = State::create(Place { number: 1, count: 1 });
        let mut kept_after = |to| {
            process_subscription(&mut state, &ProcessSubscription { to, ..ProcessSubscription::default() });
            state.process_subscriptions.range(..).next().map(|(_, kept)| kept.to)
        };
        let steps = [
            (Created, Created),
            (Correlated, Correlated),
            (Migrating, Migrating),
            (Correlated, Migrating),
            (Migrated, Migrated),
            (Correlated, Correlated),
            (Migrating, Migrating),
            (Deleting, Deleting),
        ];
        for (step, (to, kept)) in steps.into_iter().enumerate() {
            assert_eq!(kept_after(to), Some(kept), "after step {step}");
        }
    }
}
