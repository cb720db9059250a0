//! What starts instances of a definition: opened when it becomes the latest version, closed when it is that no more.

use std::sync::Arc;

use coreto_bpmn::{Process, Text, Timer, Trigger};
use coreto_feel::{Budget, Env, Nothing};
use coreto_machine::{Head, Tenant, Txn};
use coreto_record::command::ActivateElement;
use coreto_record::event::{
    InstanceStarted, ProcessCreated, ProcessEvent, SignalSubscription, StartSubscription,
    StartSubscriptionIntent, TimerChanged,
};
use coreto_record::{
    Command, Document, ElementInstanceKey, ElementNumber, Event, Key, ProcessDefinitionKey,
    ProcessInstanceKey, RejectionKind,
};

use super::message::WantedMessage;
use super::{Wanted, signal, timer};
use crate::element::expression;
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::keys;

/// What the start events of a process wait for. Their expressions see no variables.
///
/// # Errors
/// What cannot be understood: a name makes the model invalid, a time is tried when it is deployed.
pub(crate) fn understand(
    head: &Head,
    zone: &str,
    process: &Process,
) -> Result<Vec<(ElementNumber, Wanted)>, (RejectionKind, Trouble)> {
    let env = Env { now_ms: head.now.as_millis(), zone, seed: head.seed, budget: Budget::default() };
    let string = |what: &str, text: &Text| {
        expression::string(what, text, &Nothing, &env)
            .map_err(|trouble| (RejectionKind::InvalidArgument, trouble))
    };
    let time = |model: &Timer| {
        timer::first(model, &Nothing, &env).map_err(|trouble| (RejectionKind::ProcessingError, trouble))
    };
    let mut wanted = Vec::with_capacity(process.event_starts.len());
    for event in &process.event_starts {
        let Some(trigger) = process.elements[event.index()].kind.trigger() else { continue };
        let one = match trigger {
            Trigger::Error(_) => continue,
            Trigger::Message(model) => Wanted::Message(WantedMessage {
                name: string("name of the message", &model.name)?,
                correlation_key: Arc::default(),
                interrupting: false,
            }),
            Trigger::Signal(model) => Wanted::Signal(string("name of the signal", model)?),
            Trigger::Timer(model) => Wanted::Timer(time(model)?),
        };
        wanted.push((ElementNumber(event.0), one));
    }
    Ok(wanted)
}

/// Opens what starts instances of a definition.
pub(crate) fn open(
    txn: &mut Txn<'_, Engine>,
    definition: ProcessDefinitionKey,
    tenant: Tenant,
    process: &Arc<str>,
    wanted: Vec<(ElementNumber, Wanted)>,
) {
    for (element, wanted) in wanted {
        match wanted {
            Wanted::Message(wanted) => {
                let key = keys::next(txn);
                txn.emit(&Event::StartSubscription(StartSubscription {
                    key,
                    to: StartSubscriptionIntent::Created,
                    name: wanted.name,
                    definition,
                    process: Arc::clone(process),
                    element,
                    tenant,
                    ..StartSubscription::default()
                }));
            }
            Wanted::Signal(name) => {
                let of = SignalSubscription { element, definition, tenant, ..SignalSubscription::default() };
                signal::open(txn, &of, name);
            }
            Wanted::Timer(tick) => {
                let created = TimerChanged { element, definition, tenant, ..TimerChanged::default() };
                timer::create(txn, &created, tick);
            }
        }
    }
}

/// The partition on which timers start instances.
const FIRST: u32 = 1;

/// On a partition that is not the first one, messages start instances of the new version; timers are left to the first.
pub(crate) fn take_over(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    before: Option<ProcessDefinitionKey>,
    created: &ProcessCreated,
) {
    if let Some(before) = before {
        close(txn, before);
    }
    reopen(txn, head, created);
}

/// A version that was the latest is deleted: the one that is that now starts instances again.
pub(crate) fn fall_back(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    deleted: ProcessDefinitionKey,
    of: &ProcessCreated,
) {
    close(txn, deleted);
    let latest = txn.state().latest.get(&(of.tenant, Arc::clone(&of.id)));
    if let Some(latest) = latest.and_then(|latest| txn.state().definitions.get(&latest.key)) {
        reopen(txn, head, &latest.record);
    }
}

/// Opens what starts instances of a definition that is deployed; timers on the first partition alone.
fn reopen(txn: &mut Txn<'_, Engine>, head: &Head, created: &ProcessCreated) {
    let definition = txn.state().definitions.get(&created.key);
    let Some(process) = definition.as_ref().and_then(|definition| definition.process()) else { return };
    let zone = Arc::clone(&txn.env().zone);
    // They were understood when the process was deployed.
    let Ok(mut wanted) = understand(head, &zone, process) else { return };
    if txn.place().number != FIRST {
        wanted.retain(|(_, wanted)| matches!(wanted, Wanted::Message(_) | Wanted::Signal(_)));
    }
    open(txn, created.key, created.tenant, &created.id, wanted);
}

/// Closes what starts instances of a definition.
pub(crate) fn close(txn: &mut Txn<'_, Engine>, definition: ProcessDefinitionKey) {
    let first = (definition, Arc::from(""));
    let starts = txn.state().starts_of.scan(&first, |(found, _)| *found == definition);
    let names: Vec<_> = starts.map(|(_, name)| Arc::clone(name)).collect();
    let tenant =
        txn.state().definitions.peek(&definition).map(|found| found.record.tenant).unwrap_or_default();
    for name in names {
        if let Some(start) = txn.state().start_subscriptions.get(&((tenant, name), definition)) {
            txn.emit(&Event::StartSubscription(StartSubscription {
                to: StartSubscriptionIntent::Deleted,
                ..StartSubscription::clone(&start)
            }));
        }
    }
    timer::cancel_all(txn, definition.raw(), &|_| true);
    signal::close_all(txn, definition.raw(), &|_| true);
}

/// The key of an instance that is to be started.
pub(super) fn instance(txn: &mut Txn<'_, Engine>) -> ProcessInstanceKey {
    keys::next(txn)
}

/// Starts an instance at a start event that was set off.
pub(super) fn begin(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    instance: ProcessInstanceKey,
    (definition, element): (ProcessDefinitionKey, ElementNumber),
    variables: Document,
) {
    let Some(found) = txn.state().definitions.peek(&definition) else { return };
    let tenant = found.record.tenant;
    let root = ElementInstanceKey::from(instance);
    txn.emit(&Event::InstanceStarted(InstanceStarted {
        instance,
        definition,
        tenant,
        at: head.now,
        ..InstanceStarted::default()
    }));
    let key = keys::next_raw(txn);
    txn.emit(&Event::ProcessEventTriggering(ProcessEvent {
        key,
        scope: root,
        element,
        instance,
        definition,
        tenant,
        variables,
        ..ProcessEvent::default()
    }));
    txn.follow_up(Command::ActivateElement(ActivateElement {
        instance,
        element: ElementNumber::PROCESS,
        key: root,
        ..ActivateElement::default()
    }));
}
