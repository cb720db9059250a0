//! What starts instances of a definition: opened when it becomes the latest version, closed when it is that no more.

use coreto_bpmn::{Process, Trigger};
use coreto_feel::{Budget, Env, Nothing};
use coreto_machine::{Head, Tenant, Txn};
use coreto_record::command::ActivateElement;
use coreto_record::event::{InstanceStarted, ProcessEvent, TimerChanged};
use coreto_record::{
    Command, Document, ElementInstanceKey, ElementNumber, Event, Key, ProcessDefinitionKey,
    ProcessInstanceKey,
};

use super::{Wanted, timer};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::keys;

/// What the start events of a process wait for. Their expressions see no variables.
///
/// # Errors
/// What cannot be understood.
pub(crate) fn understand(
    head: &Head,
    zone: &str,
    process: &Process,
) -> Result<Vec<(ElementNumber, Wanted)>, Trouble> {
    let env = Env { now_ms: head.now.as_millis(), zone, seed: head.seed, budget: Budget::default() };
    let mut wanted = Vec::with_capacity(process.event_starts.len());
    for event in &process.event_starts {
        let Some(trigger) = process.elements[event.index()].kind.trigger() else { continue };
        let one = match trigger {
            Trigger::Error(_) => continue,
            Trigger::Timer(model) => Wanted::Timer(timer::first(model, &Nothing, &env)?),
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
    wanted: Vec<(ElementNumber, Wanted)>,
) {
    for (element, Wanted::Timer(tick)) in wanted {
        let created = TimerChanged { element, definition, tenant, ..TimerChanged::default() };
        timer::create(txn, &created, tick);
    }
}

/// Closes what starts instances of a definition.
pub(crate) fn close(txn: &mut Txn<'_, Engine>, definition: ProcessDefinitionKey) {
    timer::cancel_all(txn, definition.raw());
}

/// Starts an instance at a start event that was set off. `None` when the definition is gone.
pub(super) fn begin(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    definition: ProcessDefinitionKey,
    element: ElementNumber,
    variables: Document,
) -> Option<ProcessInstanceKey> {
    let tenant = txn.state().definitions.peek(&definition)?.record.tenant;
    let instance: ProcessInstanceKey = keys::next(txn);
    let root = ElementInstanceKey::from(instance);
    txn.emit(&Event::InstanceStarted(InstanceStarted { instance, definition, tenant, at: head.now }));
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
    Some(instance)
}
