//! What the elements of a process do: one file a kind.

mod business_rule_task;
mod catch_event;
mod end_event;
pub(crate) mod mapping;
mod pass_through;
mod process;
mod service_task;
mod start_event;

use std::sync::Arc;

use coreto_bpmn::{Element, Kind, Process};
use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateElement, CompleteElement};
use coreto_record::event::{FlowTaken, ProcessEvent};
use coreto_record::{Command, Document, ElementInstanceKey, ElementNumber, Event, Key, Lifecycle};

use crate::engine::Engine;
use crate::incident::{self, Trouble};
use crate::keys;
use crate::state::ElementInstance;

/// One element instance at work.
pub(crate) struct Visit {
    pub(crate) key: ElementInstanceKey,
    pub(crate) instance: Arc<ElementInstance>,
    pub(crate) process: Arc<Process>,
}

impl Visit {
    /// The element in the model.
    pub(crate) fn element(&self) -> &Element {
        &self.process.elements[self.instance.element.0 as usize]
    }

    /// The fact that variables wait for the element instance, or were taken by it.
    fn process_event(&self, key: u64, variables: Document) -> ProcessEvent {
        let instance = &self.instance;
        ProcessEvent {
            key,
            scope: self.key,
            element: instance.element,
            instance: instance.instance,
            definition: instance.definition,
            tenant: instance.tenant,
            variables,
        }
    }

    /// Emits that the element instance goes on in its life.
    pub(crate) fn goes_on(&self, txn: &mut Txn<'_, Engine>, to: Lifecycle) {
        txn.emit(&Event::Element(self.instance.becomes(self.key, to)));
    }
}

/// Does what the element does once it is ACTIVATING. Trouble becomes an incident, and the instance stays there.
pub(crate) fn activate(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) {
    let done = match &visit.element().kind {
        Kind::Process => {
            process::activate(txn, visit);
            Ok(())
        }
        Kind::StartEvent(_) => {
            start_event::activate(txn, visit);
            Ok(())
        }
        Kind::EndEvent(_) => {
            end_event::activate(txn, visit);
            Ok(())
        }
        Kind::CatchEvent(_) => catch_event::activate(txn, head, visit),
        Kind::ServiceTask(job) => service_task::activate(txn, head, visit, job),
        Kind::BusinessRuleTask(rule) => business_rule_task::activate(txn, head, visit, rule),
        Kind::Task | Kind::ManualTask => {
            pass_through::activate(txn, visit);
            Ok(())
        }
        Kind::SequenceFlow { .. } => unreachable!("a sequence flow is taken, not visited"),
    };
    raise_on(txn, head, visit, done);
}

/// Does what the element does once it is COMPLETING. Trouble becomes an incident, and the instance stays there.
pub(crate) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) {
    let done = match &visit.element().kind {
        Kind::Process => {
            process::complete(txn, visit);
            Ok(())
        }
        Kind::StartEvent(event) => start_event::complete(txn, head, visit, event),
        Kind::CatchEvent(_) => catch_event::complete(txn, head, visit),
        Kind::EndEvent(_) => end_event::complete(txn, head, visit),
        Kind::ServiceTask(_) | Kind::BusinessRuleTask(_) => service_task::complete(txn, head, visit),
        Kind::Task | Kind::ManualTask => {
            pass_through::complete(txn, visit);
            Ok(())
        }
        Kind::SequenceFlow { .. } => unreachable!("a sequence flow is taken, not visited"),
    };
    raise_on(txn, head, visit, done);
}

fn raise_on(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit, done: Result<(), Trouble>) {
    if let Err(trouble) = done {
        incident::raise(txn, head, visit.key, &visit.instance, &trouble);
    }
}

/// Emits ACTIVATED and asks for completion: the element does not wait.
fn pass(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    visit.goes_on(txn, Lifecycle::Activated);
    txn.follow_up(Command::CompleteElement(CompleteElement { key: visit.key }));
}

/// Emits COMPLETED and lets tokens leave; the last one in its scope lets the scope complete.
fn leave(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    visit.goes_on(txn, Lifecycle::Completed);
    let outgoing = &visit.element().outgoing;
    for &flow in outgoing {
        take_flow(txn, visit, flow);
    }
    if outgoing.is_empty() {
        complete_scope_if_done(txn, visit.instance.scope);
    }
}

fn take_flow(txn: &mut Txn<'_, Engine>, visit: &Visit, flow: coreto_bpmn::ElementNumber) {
    let Kind::SequenceFlow { target, .. } = visit.process.elements[flow.index()].kind else {
        unreachable!("what leaves an element is a sequence flow");
    };
    let instance = &visit.instance;
    let taken = FlowTaken {
        key: keys::next(txn),
        element: ElementNumber(flow.0),
        scope: instance.scope,
        instance: instance.instance,
        definition: instance.definition,
        tenant: instance.tenant,
    };
    txn.emit(&Event::FlowTaken(taken));
    let key = keys::next(txn);
    txn.follow_up(Command::ActivateElement(ActivateElement {
        instance: instance.instance,
        scope: instance.scope,
        element: ElementNumber(target.0),
        key,
    }));
}

/// A token has ended in the scope: it completes when it was the last one.
fn complete_scope_if_done(txn: &mut Txn<'_, Engine>, scope: ElementInstanceKey) {
    let done = txn.state().elements.peek(&scope).is_some_and(|scope| scope.children == 0 && scope.flows == 0);
    if done {
        txn.follow_up(Command::CompleteElement(CompleteElement { key: scope }));
    }
}

/// Emits TERMINATED; the last child of a terminating scope takes the scope along.
pub(crate) fn terminated(txn: &mut Txn<'_, Engine>, key: ElementInstanceKey) {
    let mut key = key;
    // Bound: scopes are nested as elements are in their model.
    while let Some(instance) = txn.state().elements.get(&key) {
        txn.emit(&Event::Element(instance.becomes(key, Lifecycle::Terminated)));
        let scope = instance.scope;
        let goes_along = !scope.is_unset()
            && txn
                .state()
                .elements
                .peek(&scope)
                .is_some_and(|scope| scope.state == Lifecycle::Terminating && scope.children == 0);
        if !goes_along {
            return;
        }
        key = scope;
    }
}
