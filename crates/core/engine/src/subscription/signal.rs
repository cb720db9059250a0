//! Waiting for signals.

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::SpreadSignal;
use coreto_record::event::{SignalSubscription, SignalSubscriptionIntent};
use coreto_record::{ElementNumber, Event, Key};

use super::{Goes, accepts, start, trigger};
use crate::element::Visit;
use crate::engine::Engine;
use crate::keys;

/// Waits for a signal.
pub(super) fn open(txn: &mut Txn<'_, Engine>, of: &SignalSubscription, name: Arc<str>) {
    let key = keys::next(txn);
    txn.emit(&Event::SignalSubscription(SignalSubscription {
        key,
        to: SignalSubscriptionIntent::Created,
        name,
        ..of.clone()
    }));
}

/// Ends the waits for signals of an element instance or a definition that concern these events.
pub(super) fn close_all(txn: &mut Txn<'_, Engine>, owner: u64, concerns: &dyn Fn(ElementNumber) -> bool) {
    let waits = txn.state().signals_of(owner);
    for waiting in waits.iter().filter(|waiting| concerns(waiting.element)) {
        txn.emit(&Event::SignalSubscription(SignalSubscription {
            to: SignalSubscriptionIntent::Deleted,
            ..SignalSubscription::clone(waiting)
        }));
    }
}

/// Lets the waits of an element instance for signals go on for the events of another definition.
pub(super) fn migrate_all(txn: &mut Txn<'_, Engine>, visit: &Visit, goes: Goes<'_>) {
    for waiting in txn.state().signals_of(visit.key.raw()) {
        if let Some(element) = goes(waiting.element) {
            txn.emit(&Event::SignalSubscription(SignalSubscription {
                to: SignalSubscriptionIntent::Migrated,
                element,
                definition: visit.instance.definition,
                ..SignalSubscription::clone(&waiting)
            }));
        }
    }
}

/// Lets a signal set off its event, or start an instance.
pub(crate) fn set_off(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    waiting: &SignalSubscription,
    signal: &SpreadSignal,
) {
    let is_there = txn.state().signal_subscriptions.contains(&waiting.key);
    if !is_there || txn.state().banned.contains(&waiting.instance) {
        return;
    }
    if waiting.element_instance.is_unset() {
        if signal.starts {
            let instance = start::instance(txn);
            let at = (waiting.definition, waiting.element);
            start::begin(txn, head, instance, at, signal.variables.clone());
        }
    } else if accepts(txn.state(), waiting.element_instance, waiting.element) {
        trigger(txn, head, waiting.element_instance, waiting.element, signal.variables.clone());
    }
}
