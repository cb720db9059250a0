//! What waits for something to happen: opened and closed with an element instance, or with a definition that it
//! starts.
//!
//! `timer.rs` time · `message.rs` and `correlation.rs` messages, seen from the instance and from the message ·
//! `start.rs` what starts instances.

pub(crate) mod correlation;
pub(crate) mod message;
pub(crate) mod signal;
pub(crate) mod start;
pub(crate) mod timer;

use std::sync::Arc;

use coreto_bpmn::{Tick, Trigger};
use coreto_machine::{Head, Txn};
use coreto_record::command::CompleteElement;
use coreto_record::event::{ProcessEvent, SignalSubscription};
use coreto_record::{Command, Document, ElementInstanceKey, ElementNumber, Event, Key, Lifecycle};

use crate::element::{Visit, mapping};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::keys;
use crate::state::State;
use message::WantedMessage;

/// What an event waits for, with its expressions evaluated.
pub(crate) enum Wanted {
    Message(WantedMessage),
    Timer(Tick),
    Signal(Arc<str>),
}

impl Wanted {
    /// When its kind is opened.
    const fn turn(&self) -> u8 {
        match self {
            Self::Message(_) => 0,
            Self::Timer(_) => 1,
            Self::Signal(_) => 2,
        }
    }
}

/// Opens what an element instance waits for: messages, then timers, then signals. When one of them cannot be
/// understood, none is opened.
pub(crate) fn open(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    events: &[ElementNumber],
) -> Result<(), Trouble> {
    let mut wanted = Vec::with_capacity(events.len());
    for &event in events {
        if let Some(trigger) = visit.process.elements[event.0 as usize].kind.trigger() {
            wanted.extend(understand(txn, head, visit, trigger)?.map(|wanted| (event, wanted)));
        }
    }
    wanted.sort_by_key(|(_, wanted)| wanted.turn());
    for (event, wanted) in wanted {
        match wanted {
            Wanted::Message(wanted) => message::open(txn, visit, event, wanted),
            Wanted::Signal(name) => signal::open(txn, &signal_of(visit, event), name),
            Wanted::Timer(tick) => timer::create(txn, &timer::of_instance(visit, event), tick),
        }
    }
    Ok(())
}

fn understand(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    trigger: &Trigger,
) -> Result<Option<Wanted>, Trouble> {
    match trigger {
        // Errors are looked for from where they are thrown.
        Trigger::Error(_) => Ok(None),
        Trigger::Message(model) => mapping::with_variables(txn, head, visit, |scope, env| {
            let name = message::name("message", &model.name, scope, env)?;
            let correlation_key = message::correlation_key(model, scope, env)?;
            Ok(Some(Wanted::Message(WantedMessage { name, correlation_key, interrupting: true })))
        }),
        Trigger::Signal(name) => mapping::with_variables(txn, head, visit, |scope, env| {
            message::name("signal", name, scope, env).map(|name| Some(Wanted::Signal(name)))
        }),
        Trigger::Timer(timer) => {
            let tick =
                mapping::with_variables(txn, head, visit, |scope, env| timer::first(timer, scope, env));
            tick.map(|tick| Some(Wanted::Timer(tick)))
        }
    }
}

/// Closes all that an element instance waits for.
pub(crate) fn close(txn: &mut Txn<'_, Engine>, key: ElementInstanceKey) {
    message::close_all(txn, key);
    timer::cancel_all(txn, key.raw());
    signal::close_all(txn, key.raw());
}

/// A wait of an element instance for a signal, which is yet to begin.
fn signal_of(visit: &Visit, event: ElementNumber) -> SignalSubscription {
    SignalSubscription {
        element_instance: visit.key,
        element: event,
        instance: visit.instance.instance,
        definition: visit.instance.definition,
        tenant: visit.instance.tenant,
        ..SignalSubscription::default()
    }
}

/// Whether an event that an element instance waits for may be set off.
pub(crate) fn accepts(state: &State, key: ElementInstanceKey, event: ElementNumber) -> bool {
    state.elements.peek(&key).is_some_and(|instance| {
        instance.element == event && instance.state == Lifecycle::Activated && !state.triggers.contains(&key)
    })
}

/// Sets off an event that an element instance waits for, if it still can be.
pub(crate) fn trigger(
    txn: &mut Txn<'_, Engine>,
    _head: &Head,
    key: ElementInstanceKey,
    event: ElementNumber,
    variables: Document,
) {
    if !accepts(txn.state(), key, event) {
        return;
    }
    let Some(instance) = txn.state().elements.get(&key) else { return };
    let trigger = ProcessEvent {
        key: keys::next_raw(txn),
        scope: key,
        element: event,
        instance: instance.instance,
        definition: instance.definition,
        tenant: instance.tenant,
        variables,
        ..ProcessEvent::default()
    };
    txn.emit(&Event::ProcessEventTriggering(trigger));
    txn.follow_up(Command::CompleteElement(CompleteElement { key }));
}
