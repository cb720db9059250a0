//! What the elements of a process do: one file a kind.

mod boundary_event;
mod business_rule_task;
mod call_activity;
mod catch_event;
mod catching;
mod end_event;
mod event_based_gateway;
mod event_sub_process;
mod exclusive_gateway;
pub(crate) mod expression;
pub(crate) mod mapping;
mod multi_instance;
mod parallel_gateway;
mod pass_through;
mod process;
mod script_task;
mod service_task;
mod start_event;
mod sub_process;
mod throw_event;

pub(crate) use catching::{admits, trigger};
pub(crate) use multi_instance::enter_some;

use std::sync::Arc;

use coreto_bpmn::{Element, Kind, Process};
use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateElement, CompleteElement, TerminateElement};
use coreto_record::event::{ElementChanged, FlowTaken, ProcessEvent};
use coreto_record::{Command, Document, ElementInstanceKey, ElementNumber, Event, Lifecycle};

use crate::engine::Engine;
use crate::incident::{self, Trouble};
use crate::state::ElementInstance;
use crate::subscription::correlation;
use crate::{handler, keys, variables};

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

    /// Whether more may be entered in it.
    pub(crate) fn goes_on_inside(&self) -> bool {
        self.instance.admits(ElementNumber::PROCESS)
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
            ..ProcessEvent::default()
        }
    }

    /// Emits that the element instance goes on in its life.
    pub(crate) fn goes_on(&self, txn: &mut Txn<'_, Engine>, to: Lifecycle) {
        txn.emit(&Event::Element(self.instance.becomes(self.key, to)));
    }
}

/// Does what the element does once it is ACTIVATING. Trouble becomes an incident, and the instance stays there.
pub(crate) fn activate(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) {
    if visit.instance.loop_counter > 0 {
        multi_instance::give_item(txn, visit);
    }
    let done = match &visit.element().kind {
        Kind::Process => {
            process::activate(txn, visit);
            Ok(())
        }
        Kind::StartEvent(_) => {
            start_event::activate(txn, visit);
            Ok(())
        }
        Kind::EndEvent(event) => end_event::activate(txn, head, visit, event),
        Kind::CatchEvent(_) | Kind::ReceiveTask(_) => catch_event::activate(txn, head, visit),
        Kind::ServiceTask(job) | Kind::SendTask(job) => service_task::activate(txn, head, visit, job),
        Kind::BusinessRuleTask(rule) => business_rule_task::activate(txn, head, visit, rule),
        Kind::CallActivity(called) => call_activity::activate(txn, head, visit, called),
        Kind::ScriptTask(script) => script_task::activate(txn, head, visit, script),
        Kind::ThrowEvent(event) => throw_event::activate(txn, head, visit, event),
        Kind::Task | Kind::ManualTask => {
            pass_through::activate(txn, visit);
            Ok(())
        }
        Kind::SubProcess { start } | Kind::EventSubProcess { start, .. } => {
            sub_process::activate(txn, head, visit, *start)
        }
        Kind::BoundaryEvent(_) => unreachable!("a boundary event is active when it is entered"),
        Kind::ExclusiveGateway(gateway) => exclusive_gateway::activate(txn, head, visit, *gateway),
        Kind::ParallelGateway => {
            parallel_gateway::activate(txn, visit);
            Ok(())
        }
        Kind::EventBasedGateway => event_based_gateway::activate(txn, head, visit),
        Kind::MultiInstance(model) => multi_instance::activate(txn, head, visit, model),
        Kind::SequenceFlow { .. } => unreachable!("a sequence flow is taken, not visited"),
    };
    raise_on(txn, head, visit, done);
}

/// Does what the element does once it is COMPLETING. Trouble becomes an incident, and the instance stays there.
pub(crate) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) {
    let done = match &visit.element().kind {
        Kind::Process => {
            process::complete(txn, head, visit);
            Ok(())
        }
        Kind::StartEvent(event) => start_event::complete(txn, head, visit, event),
        Kind::CatchEvent(_) | Kind::ReceiveTask(_) => catch_event::complete(txn, head, visit),
        Kind::EndEvent(event) => end_event::complete(txn, head, visit, event),
        Kind::ServiceTask(_)
        | Kind::SendTask(_)
        | Kind::BusinessRuleTask(_)
        | Kind::CallActivity(_)
        | Kind::ScriptTask(_)
        | Kind::ThrowEvent(_) => service_task::complete(txn, head, visit),
        Kind::Task | Kind::ManualTask => pass_through::complete(txn, head, visit),
        Kind::SubProcess { .. } | Kind::EventSubProcess { .. } => sub_process::complete(txn, head, visit),
        Kind::BoundaryEvent(event) => boundary_event::complete(txn, head, visit, event),
        Kind::EventBasedGateway => {
            event_based_gateway::complete(txn, visit);
            Ok(())
        }
        Kind::ExclusiveGateway(_) | Kind::ParallelGateway => {
            unreachable!("a gateway completes when it is entered")
        }
        Kind::MultiInstance(model) => multi_instance::complete(txn, visit, model),
        Kind::SequenceFlow { .. } => unreachable!("a sequence flow is taken, not visited"),
    };
    raise_on(txn, head, visit, done);
}

fn raise_on(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit, done: Result<(), Trouble>) {
    if let Err(trouble) = done {
        incident::raise(txn, head, visit.key, &visit.instance, &trouble);
    }
}

/// Emits that a scope is ACTIVATED, and asks for its start event: a token is on its way to it.
fn begin(txn: &mut Txn<'_, Engine>, visit: &Visit, start: Option<coreto_bpmn::ElementNumber>) {
    let activated = visit.instance.becomes(visit.key, Lifecycle::Activated);
    txn.emit(&Event::Element(ElementChanged { begins: start.is_some(), ..activated }));
    if let Some(start) = start {
        txn.follow_up(Command::ActivateElement(ActivateElement {
            instance: visit.instance.instance,
            scope: visit.key,
            element: ElementNumber(start.0),
            begins: true,
            ..ActivateElement::default()
        }));
    }
}

/// Emits ACTIVATED and asks for completion: the element does not wait.
fn pass(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    visit.goes_on(txn, Lifecycle::Activated);
    txn.follow_up(Command::CompleteElement(CompleteElement { key: visit.key }));
}

/// Emits COMPLETED and lets tokens leave; the last one in its scope lets the scope complete. What is repeated has its
/// result taken before, which may fail.
fn leave(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    if visit.instance.loop_counter > 0 {
        return multi_instance::leave(txn, head, visit);
    }
    leave_by(txn, visit, &visit.element().outgoing);
    Ok(())
}

/// Emits COMPLETED and lets a token leave by each of these flows; without any, its way ends here.
fn leave_by(txn: &mut Txn<'_, Engine>, visit: &Visit, flows: &[coreto_bpmn::ElementNumber]) {
    if !completed(txn, visit) {
        return;
    }
    for &flow in flows {
        take_flow(txn, visit, flow);
    }
    if flows.is_empty() {
        complete_scope_if_done(txn, visit.instance.scope);
    }
}

/// Emits COMPLETED. Says whether the process instance goes on after that.
fn completed(txn: &mut Txn<'_, Engine>, visit: &Visit) -> bool {
    visit.goes_on(txn, Lifecycle::Completed);
    !ends_instance(txn, &visit.instance, visit.element())
}

/// Ends the instance where whoever created it has asked for that, once an element has ended. Says whether it ends.
fn ends_instance(txn: &mut Txn<'_, Engine>, ended: &ElementInstance, element: &Element) -> bool {
    let state = txn.state();
    let asked =
        state.ends_after.peek(&ended.instance).is_some_and(|asked| asked.elements.contains(&element.id));
    let key = ElementInstanceKey::from(ended.instance);
    let ends = asked && state.elements.peek(&key).is_some_and(|root| root.state == Lifecycle::Activated);
    if ends {
        txn.follow_up(Command::TerminateElement(TerminateElement { key }));
    }
    ends
}

/// The same for an element instance that was ended early.
fn ends_by_it(txn: &mut Txn<'_, Engine>, ended: &ElementInstance) -> bool {
    if txn.state().ends_after.is_empty() {
        return false;
    }
    let process = handler::process(txn.state(), ended.definition);
    process.is_ok_and(|process| ends_instance(txn, ended, &process.elements[ended.element.0 as usize]))
}

/// Goes through its whole life without a command between: gateways do.
fn pass_at_once(txn: &mut Txn<'_, Engine>, visit: &Visit, flows: &[coreto_bpmn::ElementNumber]) {
    visit.goes_on(txn, Lifecycle::Activated);
    visit.goes_on(txn, Lifecycle::Completing);
    leave_by(txn, visit, flows);
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
        joins: ElementNumber(if visit.process.elements[target.index()].joins() { target.0 } else { 0 }),
        lineage: instance.lineage.clone(),
    };
    txn.emit(&Event::FlowTaken(taken));
    let key = keys::next(txn);
    txn.follow_up(Command::ActivateElement(ActivateElement {
        instance: instance.instance,
        scope: instance.scope,
        element: ElementNumber(target.0),
        key,
        ..ActivateElement::default()
    }));
}

/// A token has ended in the scope: it completes when it was the last one.
fn complete_scope_if_done(txn: &mut Txn<'_, Engine>, scope: ElementInstanceKey) {
    let done = txn.state().elements.peek(&scope).is_some_and(|scope| scope.children == 0 && scope.flows == 0);
    if done {
        txn.follow_up(Command::CompleteElement(CompleteElement { key: scope }));
    }
}

/// Variables that came with what happened, or with a job's result: with an output mapping they are for that, else
/// they go where they are defined. They are taken once: when the output mapping fails and is tried again, what people
/// mended meanwhile among the local variables must not be overwritten.
fn take_result(txn: &mut Txn<'_, Engine>, visit: &Visit, from: ElementInstanceKey) {
    let Some(result) = txn.state().triggers.get(&from) else { return };
    let taken = visit.process_event(result.key, Document::EMPTY);
    txn.emit(&Event::ProcessEventTriggered(ProcessEvent { scope: from, ..taken }));
    if visit.element().outputs.is_some() {
        variables::merge_local(txn, &visit.instance, visit.key, result.variables.entries());
    } else {
        variables::propagate(txn, &visit.instance, visit.key, result.variables.entries());
    }
}

/// Emits TERMINATED, and goes on where that was waited for: at a boundary event, an event subprocess, or around.
pub(crate) fn terminated(txn: &mut Txn<'_, Engine>, head: &Head, key: ElementInstanceKey) {
    let mut key = key;
    // Bound: scopes are nested as elements are in their model.
    while let Some(instance) = txn.state().elements.get(&key) {
        let exit = boundary_event::exit_of(txn.state(), key, &instance);
        let lock = if instance.is_root() { correlation::lock_of(txn, instance.instance) } else { None };
        txn.emit(&Event::Element(instance.becomes(key, Lifecycle::Terminated)));
        if let Some(lock) = lock {
            correlation::after_lock(txn, head, &lock);
        }
        if instance.is_root() {
            handler::after_instance(txn, instance.definition);
        } else if ends_by_it(txn, &instance) {
            return;
        }
        if let Some(exit) = exit {
            return boundary_event::enter(txn, &exit);
        }
        let scope = instance.parent();
        let Some(around) = txn.state().elements.get(&scope).filter(|scope| scope.children == 0) else {
            return;
        };
        if around.state != Lifecycle::Terminating {
            return emptied(txn, head, scope, &around);
        }
        key = scope;
    }
}

/// The last child of a scope that goes on was ended early: what interrupted the scope has its turn. Else all other ways
/// in it had ended before, and it completes.
fn emptied(txn: &mut Txn<'_, Engine>, head: &Head, key: ElementInstanceKey, scope: &ElementInstance) {
    if scope.pending {
        event_sub_process::enter_pending(txn, head, key, scope);
    } else if scope.loops {
        multi_instance::emptied(txn, key, scope);
    } else {
        complete_scope_if_done(txn, key);
    }
}
