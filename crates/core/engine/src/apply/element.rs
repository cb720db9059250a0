//! Element instances: their lives, and the tokens that a scope counts.

use std::sync::Arc;

use coreto_record::event::{ElementChanged, FlowTaken, ProcessEvent};
use coreto_record::{ElementInstanceKey, Key, Lifecycle};

use crate::state::{ElementInstance, Name, State, Trigger};

pub(super) fn changed(state: &mut State, event: &ElementChanged) {
    match event.to {
        Lifecycle::Activating => activating(state, event),
        Lifecycle::Activated | Lifecycle::Completing | Lifecycle::Terminating => {
            state.elements.update(&event.key, |element| {
                assert!(
                    element.state.may_become(event.to),
                    "an element instance lives as its lifecycle says"
                );
                element.state = event.to;
            });
        }
        Lifecycle::Completed | Lifecycle::Terminated => ended(state, event),
    }
}

fn activating(state: &mut State, event: &ElementChanged) {
    if event.scope.is_unset() {
        // A root is there since its creation.
        return;
    }
    let element = ElementInstance {
        state: Lifecycle::Activating,
        element: event.element,
        scope: event.scope,
        instance: event.instance,
        definition: event.definition,
        tenant: event.tenant,
        ..ElementInstance::default()
    };
    state.elements.update(&event.scope, |scope| {
        scope.children += 1;
        scope.flows -= u32::from(event.takes_token);
    });
    state.children.insert((event.scope, event.key));
    state.elements.insert(event.key, element);
}

fn ended(state: &mut State, event: &ElementChanged) {
    state.elements.remove(&event.key);
    state.triggers.remove(&event.key);
    forget_variables(state, event.key);
    if event.scope.is_unset() {
        state.instances.remove(&event.instance);
        state.awaited.remove(&event.instance);
        state.banned.remove(&event.instance);
    } else {
        state.elements.update(&event.scope, |scope| scope.children -= 1);
        state.children.remove(&(event.scope, event.key));
    }
}

fn forget_variables(state: &mut State, scope: ElementInstanceKey) {
    let first = Name { scope, name: Arc::default() };
    let names: Vec<_> =
        state.variables.scan(&first, |name| name.scope == scope).map(|(name, _)| name.clone()).collect();
    for name in names {
        state.variables.remove(&name);
    }
}

pub(super) fn flow_taken(state: &mut State, event: &FlowTaken) {
    state.elements.update(&event.scope, |scope| scope.flows += 1);
}

pub(super) fn triggering(state: &mut State, event: &ProcessEvent) {
    let trigger = Trigger { key: event.key, variables: event.variables.clone(), element: event.element };
    state.triggers.insert(event.scope, trigger);
}

pub(super) fn triggered(state: &mut State, event: &ProcessEvent) {
    state.triggers.remove(&event.scope);
}
