//! What waits for something to happen: opened and closed with an element instance, or with a definition that it
//! starts.
//!
//! `timer.rs` time · `start.rs` what starts instances.

pub(crate) mod start;
pub(crate) mod timer;

use coreto_bpmn::{Tick, Trigger};
use coreto_machine::{Head, Txn};
use coreto_record::command::CompleteElement;
use coreto_record::event::ProcessEvent;
use coreto_record::{Command, Document, ElementInstanceKey, ElementNumber, Event, Key, Lifecycle};

use crate::element::{Visit, mapping};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::keys;

/// What an event waits for, with its expressions evaluated.
pub(crate) enum Wanted {
    Timer(Tick),
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
    for (event, Wanted::Timer(tick)) in wanted {
        timer::create(txn, &timer::of_instance(visit, event), tick);
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
        Trigger::Timer(timer) => {
            let tick =
                mapping::with_variables(txn, head, visit, |scope, env| timer::first(timer, scope, env));
            tick.map(|tick| Some(Wanted::Timer(tick)))
        }
    }
}

/// Closes all that an element instance waits for.
pub(crate) fn close(txn: &mut Txn<'_, Engine>, key: ElementInstanceKey) {
    timer::cancel_all(txn, key.raw());
}

/// Sets off an event that an element instance waits for. Says whether it could still be.
pub(crate) fn trigger(
    txn: &mut Txn<'_, Engine>,
    key: ElementInstanceKey,
    event: ElementNumber,
    variables: Document,
) -> bool {
    let Some(instance) = txn.state().elements.get(&key) else { return false };
    if instance.element != event || instance.state != Lifecycle::Activated {
        return false;
    }
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
    true
}
