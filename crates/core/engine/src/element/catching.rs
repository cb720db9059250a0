//! What happens at an element instance is caught: by a boundary event of it, or an event subprocess in it.

use std::sync::Arc;

use coreto_bpmn::{Kind, Process};
use coreto_machine::{Head, Txn};
use coreto_record::command::{TerminateChildren, TerminateElement};
use coreto_record::event::{ProcessEvent, TriggerEffect};
use coreto_record::{Command, Document, ElementInstanceKey, ElementNumber, Event, Lifecycle};

use super::{boundary_event, event_sub_process};
use crate::engine::Engine;
use crate::state::{ElementInstance, State, Trigger};
use crate::{handler, keys, subscription};

/// How an event catches.
struct Catching {
    /// The boundary event itself, or the event subprocess around the start event.
    entered: ElementNumber,
    interrupting: bool,
    at_boundary: bool,
}

fn catching(process: &Process, event: ElementNumber) -> Option<Catching> {
    let element = process.elements.get(event.0 as usize)?;
    match &element.kind {
        Kind::BoundaryEvent(boundary) => {
            Some(Catching { entered: event, interrupting: boundary.interrupting, at_boundary: true })
        }
        Kind::StartEvent(_) => match process.elements[element.scope.index()].kind {
            Kind::EventSubProcess { interrupting, .. } => {
                Some(Catching { entered: ElementNumber(element.scope.0), interrupting, at_boundary: false })
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether an event may be triggered at an element instance: a boundary event as long as no other one ends its host,
/// the start event of an event subprocess as long as nothing interrupts the scope.
pub(crate) fn admits(state: &State, at: ElementInstanceKey, event: ElementNumber) -> bool {
    let Some(instance) = state.elements.peek(&at) else { return false };
    let Ok(process) = handler::process(state, instance.definition) else { return false };
    catching(&process, event).is_some_and(|catching| may_catch(state, at, instance, &catching))
}

fn may_catch(state: &State, at: ElementInstanceKey, instance: &ElementInstance, catching: &Catching) -> bool {
    if state.is_left(at, instance) {
        return false;
    }
    if catching.at_boundary {
        let lives = matches!(instance.state, Lifecycle::Activated | Lifecycle::Completing);
        let scope = state.elements.peek(&instance.scope);
        lives && scope.is_some_and(|scope| scope.admits(catching.entered))
    } else {
        instance.admits(ElementNumber::PROCESS)
    }
}

/// Triggers a boundary event at its host, or the start event of an event subprocess at the scope around that: ends
/// what it interrupts, and enters it then, with these variables. Nothing happens when it is not admitted.
pub(crate) fn trigger(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    at: ElementInstanceKey,
    event: ElementNumber,
    variables: &Document,
) {
    let Some(instance) = txn.state().elements.get(&at) else { return };
    let Ok(process) = handler::process(txn.state(), instance.definition) else { return };
    let Some(catching) = catching(&process, event) else { return };
    if !may_catch(txn.state(), at, &instance, &catching) {
        return;
    }
    let happened = Happened { at, instance, event, key: keys::next_raw(txn), target: keys::next(txn) };
    happened.tell(txn, &catching, variables);
    if catching.interrupting && !catching.at_boundary {
        // What happens to the scope as a whole may go on happening, but nothing more in it.
        let in_scope =
            |event: ElementNumber| !matches!(process.elements[event.0 as usize].kind, Kind::BoundaryEvent(_));
        subscription::close_those(txn, at, &in_scope);
    }
    match (catching.at_boundary, catching.interrupting) {
        (true, true) => txn.follow_up(Command::TerminateElement(TerminateElement { key: at })),
        (true, false) => happened.enter_boundary(txn, variables),
        (false, true) if happened.has_children(txn.state()) => {
            let from = ElementInstanceKey::default();
            txn.follow_up(Command::TerminateChildren(TerminateChildren { scope: at, from }));
        }
        (false, _) => {
            let Happened { instance, target, .. } = &happened;
            event_sub_process::enter(txn, head, at, instance, catching.entered, *target);
        }
    }
}

/// What has happened, and the keys that it got.
struct Happened {
    at: ElementInstanceKey,
    instance: Arc<ElementInstance>,
    event: ElementNumber,
    key: u64,
    target: ElementInstanceKey,
}

impl Happened {
    fn tell(&self, txn: &mut Txn<'_, Engine>, catching: &Catching, variables: &Document) {
        let effect = match (catching.interrupting, catching.at_boundary) {
            (false, _) => TriggerEffect::Waits,
            (true, true) => TriggerEffect::Leaves,
            (true, false) => TriggerEffect::Interrupts,
        };
        txn.emit(&Event::ProcessEventTriggering(ProcessEvent {
            key: self.key,
            scope: self.at,
            element: self.event,
            instance: self.instance.instance,
            definition: self.instance.definition,
            tenant: self.instance.tenant,
            variables: variables.clone(),
            effect,
            target: self.target,
            entered: catching.entered,
        }));
    }

    fn enter_boundary(&self, txn: &mut Txn<'_, Engine>, variables: &Document) {
        let trigger = Trigger { key: self.key, variables: variables.clone(), element: self.event };
        let host = Arc::clone(&self.instance);
        let exit =
            boundary_event::Exit { host, element: self.event, key: self.target, trigger: Arc::new(trigger) };
        boundary_event::enter(txn, &exit);
    }

    fn has_children(&self, state: &State) -> bool {
        state.elements.peek(&self.at).is_some_and(|scope| scope.children > 0)
    }
}
