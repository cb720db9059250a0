//! Element instances: their lives, and the tokens that a scope counts.

use std::sync::Arc;

use coreto_record::event::{ElementChanged, FlowTaken, ProcessEvent, TriggerEffect};
use coreto_record::{ElementInstanceKey, ElementNumber, Key, Lifecycle};

use super::{deletion, message, repetition};
use crate::state::{ElementInstance, Interruption, Name, State, Trigger};

/// What holds of the counters of a scope.
const COUNTED: &str = "a scope counts its children and the tokens on its flows";

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
                if event.begins {
                    element.flows = element.flows.checked_add(1).expect(COUNTED);
                }
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
        lineage: event.lineage.clone(),
        loop_counter: event.loop_counter,
        ..ElementInstance::default()
    };
    let tokens = if event.joins { join(state, event) } else { u32::from(event.takes_token) };
    let mut waited_for = false;
    state.elements.update(&event.scope, |scope| {
        scope.children = scope.children.checked_add(1).expect(COUNTED);
        scope.flows = scope.flows.checked_sub(tokens).expect(COUNTED);
        waited_for = scope.pending;
    });
    if waited_for && state.interruptions.peek(&event.scope).is_some_and(|next| next.key == event.key) {
        state.interruptions.remove(&event.scope);
        state.elements.update(&event.scope, |scope| scope.pending = false);
    }
    if event.loop_counter > 0 {
        repetition::entered(state, event.scope);
    }
    state.children.insert((event.scope, event.key));
    state.elements.insert(event.key, element);
}

/// Takes one token of each flow by which some wait. Gives how many those are.
fn join(state: &mut State, event: &ElementChanged) -> u32 {
    let waiting: Vec<_> = state.arrived_at(event.scope, event.element).collect();
    for (key, tokens) in &waiting {
        if *tokens > 1 {
            state.arrived.insert(*key, tokens - 1);
        } else {
            state.arrived.remove(key);
        }
    }
    u32::try_from(waiting.len()).expect("an element has no more flows than its model has elements")
}

/// What there is to clear up when an element instance ends, beside what every one has.
#[derive(Default)]
struct Ending {
    tokens: u32,
    pending: bool,
    loops: bool,
    loop_counter: u32,
}

fn ending(state: &State, key: ElementInstanceKey) -> Ending {
    let of = |element: &ElementInstance| Ending {
        tokens: element.flows,
        pending: element.pending,
        loops: element.loops,
        loop_counter: element.loop_counter,
    };
    state.elements.peek(&key).map(|element| of(element)).unwrap_or_default()
}

fn ended(state: &mut State, event: &ElementChanged) {
    let Ending { tokens, pending, loops, loop_counter } = ending(state, event.key);
    if loops {
        repetition::ended(state, event.key);
    }
    if loop_counter > 0 && event.to == Lifecycle::Completed {
        repetition::completed(state, event.scope);
    }
    if tokens > 0 {
        forget_tokens(state, event.key);
    }
    if let Some(next) = pending.then(|| state.interruptions.get(&event.key)).flatten() {
        state.triggers.remove(&next.key);
        state.interruptions.remove(&event.key);
    }
    state.elements.remove(&event.key);
    state.triggers.remove(&event.key);
    forget_variables(state, event.key);
    if event.scope.is_unset() {
        state.instances.remove(&event.instance);
        deletion::instance_ended(state, event.definition, event.instance);
        state.awaited.remove(&event.instance);
        if !state.ends_after.is_empty() {
            state.ends_after.remove(&event.instance);
        }
        state.banned.remove(&event.instance);
        message::unlock(state, event.instance);
        if let Some(call) = event.lineage.call() {
            leave_parent(state, call.caller(), event.key);
        }
    } else {
        leave_parent(state, event.scope, event.key);
        if event.interrupts {
            interrupt(state, event.scope, event.element);
        }
    }
}

/// An element instance counts one more child.
pub(super) fn join_parent(state: &mut State, parent: ElementInstanceKey, child: ElementInstanceKey) {
    state.elements.update(&parent, |parent| parent.children = parent.children.checked_add(1).expect(COUNTED));
    state.children.insert((parent, child));
}

fn leave_parent(state: &mut State, parent: ElementInstanceKey, child: ElementInstanceKey) {
    state.elements.update(&parent, |parent| parent.children = parent.children.checked_sub(1).expect(COUNTED));
    state.children.remove(&(parent, child));
}

/// From now on only this element may be entered in the scope; tokens on their way are void.
pub(super) fn interrupt(state: &mut State, scope: ElementInstanceKey, by: ElementNumber) {
    forget_tokens(state, scope);
    state.elements.update(&scope, |scope| {
        scope.interrupted_by = by;
        scope.flows = 0;
    });
}

/// Tokens that wait at gateways of a scope that has ended go with it.
fn forget_tokens(state: &mut State, scope: ElementInstanceKey) {
    let waiting: Vec<_> =
        state.arrived.scan(&(scope, (0, 0)), |key| key.0 == scope).map(|(key, _)| *key).collect();
    for key in waiting {
        state.arrived.remove(&key);
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
    state.elements.update(&event.scope, |scope| scope.flows = scope.flows.checked_add(1).expect(COUNTED));
    if event.joins != ElementNumber::PROCESS {
        let at = (event.scope, (event.joins.0, event.element.0));
        let waiting = state.arrived.get(&at).map_or(0, |tokens| *tokens);
        state.arrived.insert(at, waiting.checked_add(1).expect(COUNTED));
    }
}

pub(super) fn triggering(state: &mut State, event: &ProcessEvent) {
    let target = if event.target.is_unset() { event.scope } else { event.target };
    let trigger = Trigger { key: event.key, variables: event.variables.clone(), element: event.element };
    state.triggers.insert(target, trigger);
    let leaves = match event.effect {
        TriggerEffect::Waits => return,
        TriggerEffect::Leaves => true,
        TriggerEffect::Interrupts => {
            interrupt(state, event.scope, event.entered);
            false
        }
    };
    if let Some(before) = state.interruptions.get(&event.scope) {
        state.triggers.remove(&before.key);
    }
    let next = Interruption { element: event.entered, key: target, leaves };
    state.interruptions.insert(event.scope, next);
    state.elements.update(&event.scope, |element| element.pending = true);
}

pub(super) fn triggered(state: &mut State, event: &ProcessEvent) {
    state.triggers.remove(&event.scope);
}

#[cfg(test)]
mod tests {
    use coreto_machine::{Place, Tables};

    use super::*;

    /// A scope of which nothing was counted.
    fn empty_scope() -> (State, ElementChanged) {
        let scope = ElementInstanceKey::from_raw(1);
        let mut state = State::create(Place { number: 1, count: 1 });
        state.elements.insert(scope, ElementInstance::default());
        let key = ElementInstanceKey::from_raw(2);
        (state, ElementChanged { key, scope, ..ElementChanged::default() })
    }

    #[test]
    #[should_panic = "a scope counts its children"]
    fn child_that_was_not_counted_does_not_end() {
        let (mut state, event) = empty_scope();
        changed(&mut state, &ElementChanged { to: Lifecycle::Completed, ..event });
    }

    #[test]
    #[should_panic = "a scope counts its children"]
    fn token_that_was_not_counted_is_not_taken() {
        let (mut state, event) = empty_scope();
        changed(&mut state, &ElementChanged { to: Lifecycle::Activating, takes_token: true, ..event });
    }
}
