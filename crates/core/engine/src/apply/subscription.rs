//! What waits for something to happen.

use std::sync::Arc;

use coreto_record::Key;
use coreto_record::event::{SignalSubscription, SignalSubscriptionIntent, TimerChanged, TimerIntent};

use crate::state::{DUE_TIMER, State, owner_of};

pub(super) fn timer(state: &mut State, event: &TimerChanged) {
    let due = (event.due, DUE_TIMER, event.key.raw());
    let owned = (owner_of(event.element_instance, event.definition), event.key);
    match event.to {
        TimerIntent::Created => {
            state.due.insert(due);
            state.timers_of.insert(owned);
            state.timers.insert(event.key, event.clone());
        }
        TimerIntent::Migrated => state.timers.insert(event.key, event.clone()),
        TimerIntent::Triggered | TimerIntent::Canceled => {
            state.due.remove(&due);
            state.timers_of.remove(&owned);
            state.timers.remove(&event.key);
        }
    }
}

pub(super) fn signal(state: &mut State, event: &SignalSubscription) {
    let by_name = ((event.tenant, Arc::clone(&event.name)), event.key);
    let by_owner = (owner_of(event.element_instance, event.definition), event.key);
    match event.to {
        SignalSubscriptionIntent::Created => {
            state.signals.insert(by_name);
            state.signals_of.insert(by_owner);
            state.signal_subscriptions.insert(event.key, event.clone());
        }
        SignalSubscriptionIntent::Migrated => state.signal_subscriptions.insert(event.key, event.clone()),
        SignalSubscriptionIntent::Deleted => {
            state.signals.remove(&by_name);
            state.signals_of.remove(&by_owner);
            state.signal_subscriptions.remove(&event.key);
        }
    }
}
