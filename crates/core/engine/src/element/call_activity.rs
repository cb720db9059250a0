//! Call activities: another process that runs as an instance of its own, on the same partition.

use std::sync::Arc;

use coreto_bpmn::{Binding, CalledElement, Kind};
use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateElement, CompleteElement};
use coreto_record::event::{Call, InstanceStarted, ProcessEvent};
use coreto_record::{
    Command, Document, ElementInstanceKey, ElementNumber, Event, IncidentKind, Key, Lifecycle,
    ProcessDefinitionKey, ProcessInstanceKey,
};

use super::{Visit, mapping, service_task};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::state::{ElementInstance, State};
use crate::{keys, subscription, variables};

/// Starts an instance of the process that the binding picks, with the variables that are handed over.
pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    called: &CalledElement,
) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    let id = service_task::text(txn, head, visit, "process id", &called.process)?;
    let definition = find(txn.state(), visit, &id, &called.binding)
        .map_err(|why| trouble(format!("the process `{id}`{} {why}", called.binding)))?;
    let (depth, depth_max) = (visit.instance.lineage.calls().len(), txn.env().limits.call_depth_max);
    if depth >= depth_max {
        let message =
            format!("the process `{id}` is not called: {depth} calls led here, and no more are possible");
        return Err(trouble(message));
    }
    if !visit.element().awaited.is_empty() {
        subscription::open(txn, head, visit)?;
    }
    visit.goes_on(txn, Lifecycle::Activated);
    start(txn, head, visit, called, definition);
    Ok(())
}

const fn trouble(message: String) -> Trouble {
    Trouble { kind: IncidentKind::CalledElementError, message }
}

/// The version that the binding picks, if instances of it can be started; else why not.
fn find(
    state: &State,
    visit: &Visit,
    id: &Arc<str>,
    binding: &Binding,
) -> Result<ProcessDefinitionKey, &'static str> {
    let process = (visit.instance.tenant, Arc::clone(id));
    let found = match binding {
        Binding::Latest => state.latest.get(&process).map(|latest| latest.key),
        Binding::Deployment => deployed_together(state, visit.instance.definition, id),
        Binding::VersionTag(tag) => state.latest_tagged(&process, tag),
    };
    let key = found.ok_or("is not deployed")?;
    let process = state.definitions.peek(&key).and_then(|found| found.process()).ok_or("cannot be loaded")?;
    if process.none_start.is_some() { Ok(key) } else { Err("has no none start event") }
}

/// The version of a process that the deployment of another made.
fn deployed_together(state: &State, with: ProcessDefinitionKey, id: &str) -> Option<ProcessDefinitionKey> {
    let deployment = state.definitions.peek(&with)?.record.deployment;
    // Bound: what a deployment makes gets the keys that follow its own.
    let made = state.definitions.range(ProcessDefinitionKey::from_raw(deployment.raw())..);
    let mut made = made.take_while(|(_, definition)| definition.record.deployment == deployment);
    let found = made.find(|(_, definition)| &*definition.record.id == id).map(|(key, _)| *key);
    found.filter(|key| !state.is_deleted(*key))
}

fn start(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    called: &CalledElement,
    definition: ProcessDefinitionKey,
) {
    let around = &visit.instance;
    let instance: ProcessInstanceKey = keys::next(txn);
    let root = ElementInstanceKey::from(instance);
    let tenant = around.tenant;
    txn.emit(&Event::InstanceStarted(InstanceStarted {
        instance,
        definition,
        tenant,
        at: head.now,
        lineage: around.lineage.called(around.instance, around.definition, around.element, visit.key),
    }));
    let handed_over = handed_over(txn.state(), visit, called);
    let owner = ElementInstance { instance, definition, tenant, ..ElementInstance::default() };
    variables::merge_local(txn, &owner, root, handed_over.entries());
    txn.follow_up(Command::ActivateElement(ActivateElement {
        instance,
        element: ElementNumber::PROCESS,
        key: root,
        ..ActivateElement::default()
    }));
}

/// All variables that are visible here; without those of scopes around, what input mappings made.
fn handed_over(state: &State, visit: &Visit, called: &CalledElement) -> Document {
    if called.takes_all {
        variables::visible(state, visit.key, &[], usize::MAX).unwrap_or_default()
    } else if visit.element().inputs.is_some() {
        variables::local_document(state, visit.key)
    } else {
        Document::EMPTY
    }
}

/// What a called process brings back.
pub(super) struct Returned {
    caller: ElementInstanceKey,
    variables: Document,
}

/// What a called process that is about to end brings back: all of its root variables where they are wanted.
pub(super) fn result(state: &State, root: &Visit, call: &Call) -> Returned {
    let caller = call.caller();
    let element = state.definitions.peek(&call.definition).and_then(|found| found.element(call.element));
    let wanted = element.is_some_and(|element| {
        let all = matches!(&element.kind, Kind::CallActivity(target) if target.gives_all);
        all || element.outputs.is_some()
    });
    Returned {
        caller,
        variables: if wanted { variables::local_document(state, root.key) } else { Document::EMPTY },
    }
}

/// A called process has completed: so does who called it. One that was to be ended meanwhile has ended with this.
pub(super) fn give_back(txn: &mut Txn<'_, Engine>, head: &Head, returned: Returned) {
    let Returned { caller, variables } = returned;
    let Some(instance) = txn.state().elements.get(&caller) else { return };
    if instance.state == Lifecycle::Terminating {
        return super::terminated(txn, head, caller);
    }
    if !variables.is_empty() {
        let key = keys::next_raw(txn);
        txn.emit(&Event::ProcessEventTriggering(ProcessEvent {
            key,
            scope: caller,
            element: instance.element,
            instance: instance.instance,
            definition: instance.definition,
            tenant: instance.tenant,
            variables,
            ..ProcessEvent::default()
        }));
    }
    txn.follow_up(Command::CompleteElement(CompleteElement { key: caller }));
}
