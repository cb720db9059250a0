//! Process instances as a whole.

use coreto_record::event::{InstanceBanned, InstanceCreated, InstanceStarted, ResultAwaited};
use coreto_record::{ElementInstanceKey, ElementNumber, Lifecycle};

use crate::state::{ElementInstance, State};

/// The root is there from now on, also while it waits to be entered: it has variables, and may be cancelled.
pub(super) fn created(state: &mut State, event: &InstanceCreated) {
    let root = ElementInstance {
        state: Lifecycle::Activating,
        element: ElementNumber::PROCESS,
        instance: event.instance,
        definition: event.definition,
        tenant: event.tenant,
        started: event.at,
        ..ElementInstance::default()
    };
    state.elements.insert(ElementInstanceKey::from(event.instance), root);
    state.instances.insert(event.instance);
}

/// As [`created`], without a command for it.
pub(super) fn started(state: &mut State, event: &InstanceStarted) {
    created(
        state,
        &InstanceCreated {
            instance: event.instance,
            definition: event.definition,
            tenant: event.tenant,
            at: event.at,
            ..InstanceCreated::default()
        },
    );
}

pub(super) fn result_awaited(state: &mut State, event: &ResultAwaited) {
    state.awaited.insert(event.instance, event.clone());
}

pub(super) fn banned(state: &mut State, event: &InstanceBanned) {
    state.banned.insert(event.instance, event.clone());
}
