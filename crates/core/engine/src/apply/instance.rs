//! Process instances as a whole.

use coreto_record::command::EndsAfter;
use coreto_record::event::{InstanceBanned, InstanceCreated, InstanceStarted, ResultAwaited};
use coreto_record::{ElementInstanceKey, ElementNumber, Lifecycle};

use super::{deletion, element};
use crate::state::{ElementInstance, State};

pub(super) fn created(state: &mut State, event: &InstanceCreated) {
    begin(
        state,
        InstanceStarted {
            instance: event.instance,
            definition: event.definition,
            tenant: event.tenant,
            at: event.at,
            ..InstanceStarted::default()
        },
    );
    if let Some(ends_after) = &event.ends_after {
        state.ends_after.insert(event.instance, EndsAfter::clone(ends_after));
    }
}

/// An instance that no command asked for.
pub(super) fn started(state: &mut State, event: &InstanceStarted) {
    begin(state, event.clone());
}

/// The root is there from now on, also while it waits to be entered: it has variables, and may be cancelled.
fn begin(state: &mut State, event: InstanceStarted) {
    let key = ElementInstanceKey::from(event.instance);
    state.instances.insert(event.instance);
    if let Some(call) = event.lineage.call() {
        element::join_parent(state, call.caller(), key);
    }
    let root = ElementInstance {
        state: Lifecycle::Activating,
        element: ElementNumber::PROCESS,
        instance: event.instance,
        definition: event.definition,
        tenant: event.tenant,
        started: event.at,
        lineage: event.lineage,
        ..ElementInstance::default()
    };
    state.elements.insert(key, root);
}

pub(super) fn result_awaited(state: &mut State, event: &ResultAwaited) {
    state.awaited.insert(event.instance, event.clone());
}

pub(super) fn banned(state: &mut State, event: &InstanceBanned) {
    let root = state.elements.peek(&ElementInstanceKey::from(event.instance));
    if let Some(definition) = root.map(|root| root.definition) {
        deletion::instance_ended(state, definition, event.instance);
    }
    state.banned.insert(event.instance, event.clone());
}
