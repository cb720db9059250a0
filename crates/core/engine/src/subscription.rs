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

use std::collections::BTreeSet;
use std::sync::Arc;

use coreto_bpmn::{Element, Kind, Process, Tick, Trigger};
use coreto_feel::{Env, Scope};
use coreto_machine::{Head, Txn};
use coreto_record::command::CompleteElement;
use coreto_record::event::{ProcessEvent, SignalSubscription};
use coreto_record::{
    Command, Document, ElementInstanceKey, ElementNumber, Event, IncidentKind, Key, Lifecycle,
};

use crate::element::{self, Visit, expression, mapping};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::limits::Limits;
use crate::state::{ElementInstance, State};
use crate::variables::{Given, Visible};
use crate::{handler, keys};
use message::WantedMessage;

/// What an event waits for, with its expressions evaluated.
#[derive(Clone)]
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

/// Opens what an element instance waits for: what it is itself, and what may happen to it or in it. Messages come
/// first, then timers, then signals. When one of them cannot be understood, none is opened.
pub(crate) fn open(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    let itself = coreto_bpmn::ElementNumber(visit.instance.element.0);
    let events: Vec<_> = std::iter::once(&itself).chain(&visit.element().awaited).copied().collect();
    let wanted = understand_all(txn, head, visit, &events)?;
    begin(txn, visit, wanted);
    Ok(())
}

/// What events of an element instance wait for, in the order in which it is opened.
pub(crate) fn understand_all(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    events: &[coreto_bpmn::ElementNumber],
) -> Result<Vec<(ElementNumber, Wanted)>, Trouble> {
    let mut wanted = Vec::with_capacity(events.len());
    for &event in events {
        if let Some(trigger) = visit.process.elements[event.index()].kind.trigger() {
            let event = ElementNumber(event.0);
            wanted.extend(understand(txn, head, visit, event, trigger)?.map(|wanted| (event, wanted)));
        }
    }
    wanted.sort_by_key(|(_, wanted)| wanted.turn());
    check_names(&txn.env().limits, &wanted)?;
    Ok(wanted)
}

/// Opens what was understood.
pub(crate) fn begin(txn: &mut Txn<'_, Engine>, visit: &Visit, wanted: Vec<(ElementNumber, Wanted)>) {
    for (event, wanted) in wanted {
        match wanted {
            Wanted::Message(wanted) => message::open(txn, visit, event, wanted),
            Wanted::Signal(name) => signal::open(txn, &signal_of(visit, event), name),
            Wanted::Timer(tick) => timer::create(txn, &timer::of_instance(visit, event), tick),
        }
    }
}

/// Deployment has compared the names that are not computed. What nobody could publish or broadcast is not waited for.
fn check_names(limits: &Limits, wanted: &[(ElementNumber, Wanted)]) -> Result<(), Trouble> {
    let mut names = BTreeSet::new();
    for (_, wanted) in wanted {
        match wanted {
            Wanted::Message(message) => {
                Trouble::check_name(limits, "name of the message", &message.name)?;
                if !message.correlation_key.is_empty() {
                    Trouble::check_name(limits, "correlation key", &message.correlation_key)?;
                }
                if !names.insert(&message.name) {
                    return Err(Trouble {
                        kind: IncidentKind::ExtractValueError,
                        message: format!(
                            "two events wait for the message `{}`; only one of them could be set off",
                            message.name
                        ),
                    });
                }
            }
            Wanted::Signal(name) => Trouble::check_name(limits, "name of the signal", name)?,
            Wanted::Timer(_) => (),
        }
    }
    Ok(())
}

fn understand(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    event: ElementNumber,
    trigger: &Trigger,
) -> Result<Option<Wanted>, Trouble> {
    // What happens to an activity concerns the scope around it: its local variables are not seen.
    let around = match visit.process.elements[event.0 as usize].kind {
        Kind::BoundaryEvent(_) => visit.instance.scope,
        _ => visit.key,
    };
    mapping::with_variables(txn, head, visit, |scope, env| {
        let around = Visible { scope: around, ..*scope };
        evaluated(&visit.process, event, trigger, (scope, &around), env)
    })
}

/// What an event waits for. Its name and time are evaluated in the first scope, its correlation key in the other one.
fn evaluated(
    process: &Process,
    event: ElementNumber,
    trigger: &Trigger,
    (scope, around): (&dyn Scope, &dyn Scope),
    env: &Env<'_>,
) -> Result<Option<Wanted>, Trouble> {
    Ok(Some(match trigger {
        // Errors are looked for from where they are thrown.
        Trigger::Error(_) => return Ok(None),
        Trigger::Message(model) => Wanted::Message(WantedMessage {
            name: expression::string("name of the message", &model.name, scope, env)?,
            correlation_key: message::correlation_key(model, around, env)?,
            interrupting: process.interrupts(coreto_bpmn::ElementNumber(event.0)),
        }),
        Trigger::Signal(name) => Wanted::Signal(expression::string("name of the signal", name, scope, env)?),
        Trigger::Timer(timer) => Wanted::Timer(timer::first(timer, scope, env)?),
    }))
}

/// Whether all that may happen to an element or in it can be understood with nothing but these variables.
///
/// # Errors
/// What cannot.
pub(crate) fn check(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    process: &Process,
    element: &Element,
    scope: &Given<'_>,
) -> Result<(), Trouble> {
    let wanted: Vec<_> = mapping::with_env(txn, head, 0, |_, env| {
        let one = |event: &coreto_bpmn::ElementNumber| {
            let trigger = process.elements[event.index()].kind.trigger()?;
            let event = ElementNumber(event.0);
            let wanted = evaluated(process, event, trigger, (scope, scope), env).transpose()?;
            Some(wanted.map(|wanted| (event, wanted)))
        };
        element.awaited.iter().filter_map(one).collect::<Result<_, _>>()
    })?;
    check_names(&txn.env().limits, &wanted)
}

/// Closes all that an element instance waits for.
pub(crate) fn close(txn: &mut Txn<'_, Engine>, key: ElementInstanceKey) {
    close_those(txn, key, &|_| true);
}

/// Closes what an element instance waits for, as far as these events are concerned.
pub(crate) fn close_those(
    txn: &mut Txn<'_, Engine>,
    key: ElementInstanceKey,
    concerns: &dyn Fn(ElementNumber) -> bool,
) {
    message::close_all(txn, key, concerns);
    timer::cancel_all(txn, key.raw(), concerns);
    signal::close_all(txn, key.raw(), concerns);
}

/// Lets what an element instance waits for go on for the events of another definition, which it is one of by now.
pub(crate) fn migrate(txn: &mut Txn<'_, Engine>, visit: &Visit, goes: Goes<'_>) {
    message::migrate_all(txn, visit, goes);
    timer::migrate_all(txn, visit, goes);
    signal::migrate_all(txn, visit, goes);
}

/// The event of another definition that an event becomes.
pub(crate) type Goes<'a> = &'a dyn Fn(ElementNumber) -> Option<ElementNumber>;

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
    let Some(instance) = state.elements.peek(&key) else { return false };
    if waits_itself(state, instance, event) {
        return instance.state == Lifecycle::Activated && !state.triggers.contains(&key);
    }
    element::admits(state, key, event)
}

/// Whether an event lets the element instance go on that waits for it, as a catch event or the gateway before it.
fn waits_itself(state: &State, instance: &ElementInstance, event: ElementNumber) -> bool {
    let is_caught =
        |process: &Process| matches!(process.elements[event.0 as usize].kind, Kind::CatchEvent(_));
    instance.element == event
        || handler::process(state, instance.definition).is_ok_and(|process| is_caught(&process))
}

/// Sets off an event that an element instance waits for and accepts.
pub(crate) fn trigger(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    key: ElementInstanceKey,
    event: ElementNumber,
    variables: Document,
) {
    let Some(instance) = txn.state().elements.get(&key) else { return };
    if !waits_itself(txn.state(), &instance, event) {
        return element::trigger(txn, head, key, event, &variables);
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
}
