//! Timers: created, due, due again, cancelled.

use std::sync::Arc;

use coreto_bpmn::{Process, Schedule, Text, Tick, Timer, Trigger};
use coreto_feel::{Env, Nothing, Scope};
use coreto_machine::{Head, Timestamp, Txn};
use coreto_record::event::{TimerChanged, TimerIntent};
use coreto_record::{Document, ElementNumber, Event, IncidentKind, Key, TimerKey};

use super::{Goes, start, trigger};
use crate::element::{Visit, expression, mapping};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::keys;
use crate::variables::Visible;

/// When a timer is due first.
pub(super) fn first(timer: &Timer, scope: &dyn Scope, env: &Env<'_>) -> Result<Tick, Trouble> {
    let schedule = schedule(timer, scope, env)?;
    schedule.first(env.now_ms, env.zone).ok_or_else(|| Trouble {
        kind: IncidentKind::ExtractValueError,
        message: format!(
            "the {} `{}` of the timer leads beyond the calendar",
            timer.kind,
            timer.text.source()
        ),
    })
}

fn schedule(timer: &Timer, scope: &dyn Scope, env: &Env<'_>) -> Result<Schedule, Trouble> {
    let kind = timer.kind;
    let expression = match &timer.text {
        Text::Static(text) => {
            return Schedule::parse(kind, text).ok_or_else(|| Trouble {
                kind: IncidentKind::ExtractValueError,
                message: format!("the {kind} of the timer is `{text}`, expected {}", kind.wanted_of(text)),
            });
        }
        Text::Expression(expression) => expression,
    };
    let what = format!("{kind} of the timer");
    expression::value(&what, kind.wanted(), expression, scope, env, |found| Schedule::of(kind, found))
}

/// A timer that an element instance waits for, which is yet to be created.
pub(super) fn of_instance(visit: &Visit, event: ElementNumber) -> TimerChanged {
    TimerChanged {
        element_instance: visit.key,
        element: event,
        instance: visit.instance.instance,
        definition: visit.instance.definition,
        tenant: visit.instance.tenant,
        ..TimerChanged::default()
    }
}

/// Creates a timer for a time.
pub(super) fn create(txn: &mut Txn<'_, Engine>, timer: &TimerChanged, tick: Tick) {
    let key = keys::next(txn);
    txn.emit(&Event::Timer(TimerChanged {
        key,
        to: TimerIntent::Created,
        due: Timestamp::from_millis(tick.at_ms),
        repetitions: tick.repetitions,
        ..timer.clone()
    }));
}

/// Cancels the timers that an element instance or a definition waits for and that concern these events.
pub(super) fn cancel_all(txn: &mut Txn<'_, Engine>, owner: u64, concerns: &dyn Fn(ElementNumber) -> bool) {
    let timers: Vec<_> = txn.state().timers_of(owner).collect();
    for key in timers {
        if let Some(timer) = txn.state().timers.get(&key).filter(|timer| concerns(timer.element)) {
            cancel(txn, &timer);
        }
    }
}

/// Lets the timers of an element instance go on for the events of another definition.
pub(super) fn migrate_all(txn: &mut Txn<'_, Engine>, visit: &Visit, goes: Goes<'_>) {
    let timers: Vec<_> = txn.state().timers_of(visit.key.raw()).collect();
    for timer in timers {
        let Some(timer) = txn.state().timers.get(&timer) else { continue };
        if let Some(element) = goes(timer.element) {
            let (to, definition) = (TimerIntent::Migrated, visit.instance.definition);
            txn.emit(&Event::Timer(TimerChanged { to, element, definition, ..TimerChanged::clone(&timer) }));
        }
    }
}

fn cancel(txn: &mut Txn<'_, Engine>, timer: &TimerChanged) {
    txn.emit(&Event::Timer(TimerChanged { to: TimerIntent::Canceled, ..timer.clone() }));
}

/// A timer is due: its event is set off, and a cycle goes on. Where it comes too late, and in a banned instance,
/// nothing happens any more.
pub(crate) fn fire(txn: &mut Txn<'_, Engine>, head: &Head, key: TimerKey) {
    let Some(timer) = txn.state().timers.get(&key) else { return };
    let waits = timer.element_instance.is_unset()
        || super::accepts(txn.state(), timer.element_instance, timer.element);
    if !waits || txn.state().banned.contains(&timer.instance) {
        return cancel(txn, &timer);
    }
    txn.emit(&Event::Timer(TimerChanged { to: TimerIntent::Triggered, ..TimerChanged::clone(&timer) }));
    if timer.element_instance.is_unset() {
        let instance = start::instance(txn);
        start::begin(txn, head, instance, (timer.definition, timer.element), Document::EMPTY);
    } else {
        trigger(txn, head, timer.element_instance, timer.element, Document::EMPTY);
    }
    let tick = Tick { at_ms: timer.due.as_millis(), repetitions: timer.repetitions };
    if tick.repeats() && still_waits(txn, &timer) {
        again(txn, head, &timer, tick);
    }
}

/// The engine failed when a timer was due: what it belongs to stops.
pub(crate) fn give_up(txn: &mut Txn<'_, Engine>, key: TimerKey) {
    if let Some(timer) = txn.state().timers.get(&key) {
        cancel(txn, &timer);
    }
}

/// Whether who waited for the timer waits on.
fn still_waits(txn: &Txn<'_, Engine>, timer: &TimerChanged) -> bool {
    timer.element_instance.is_unset() || txn.state().elements.contains(&timer.element_instance)
}

/// The next time of a cycle, for which its expression is evaluated again. A cycle that cannot be understood any more
/// ends.
fn again(txn: &mut Txn<'_, Engine>, head: &Head, timer: &TimerChanged, last: Tick) {
    let Some(process) = process(txn, timer) else { return };
    let Some(Trigger::Timer(model)) = process.elements[timer.element.0 as usize].kind.trigger() else {
        return;
    };
    let next = mapping::with_env(txn, head, timer.key.raw(), |state, env| {
        let schedule = if timer.element_instance.is_unset() {
            schedule(model, &Nothing, env)
        } else {
            schedule(model, &Visible { state, scope: timer.element_instance }, env)
        };
        schedule.ok()?.next(last, env.now_ms, env.zone)
    });
    if let Some(tick) = next {
        create(txn, timer, tick);
    }
}

fn process(txn: &Txn<'_, Engine>, timer: &TimerChanged) -> Option<Arc<Process>> {
    txn.state().definitions.peek(&timer.definition)?.process().cloned()
}
