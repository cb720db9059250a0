//! Ending element instances early, children first.

use coreto_machine::{Head, Txn};
use coreto_record::command::{ContinueTermination, TerminateChildren, TerminateElement};
use coreto_record::{Command, ElementInstanceKey, ElementNumber, Event, Lifecycle, Rejection};

use super::{Handled, done, is_banned};
use crate::engine::Engine;
use crate::state::{ElementInstance, State};
use crate::{element, incident, jobs, subscription};

/// Ends early what an element instance holds: its job, what it waits for, its children. Those that are ended together
/// are all TERMINATING before the first of them is TERMINATED.
pub(crate) fn terminate_element(txn: &mut Txn<'_, Engine>, command: &TerminateElement) -> Handled {
    let key = command.key;
    let Some(instance) = txn.state().elements.get(&key) else {
        return Err(Rejection::not_found(format!("no element instance with key {key} is active")));
    };
    if is_stuck(txn.state(), key, &instance) {
        return done();
    }
    if !instance.state.may_become(Lifecycle::Terminating) {
        return Err(Rejection::invalid_state(format!("element instance {key} is ending already")));
    }
    txn.emit(&Event::Element(instance.becomes(key, Lifecycle::Terminating)));
    jobs::cancel(txn, key);
    subscription::close(txn, key);
    incident::resolve_all(txn, key);
    if instance.children == 0 {
        txn.follow_up(Command::ContinueTermination(ContinueTermination { key }));
    } else {
        txn.follow_up(Command::TerminateChildren(TerminateChildren {
            scope: key,
            from: ElementInstanceKey::default(),
        }));
    }
    done()
}

/// Whether the element instance stays where it is, since its process instance is banned. One that was called ends all
/// the same with the call activity, which would wait for it for ever.
fn is_stuck(state: &State, key: ElementInstanceKey, instance: &ElementInstance) -> bool {
    let root = ElementInstanceKey::from(instance.instance);
    let ends = || {
        let root = state.elements.peek(&root);
        root.is_some_and(|found| found.lineage.call().is_some() && found.state == Lifecycle::Terminating)
    };
    let told = || key == root && instance.lineage.call().is_some();
    is_banned(state, instance.instance) && !told() && !ends()
}

/// Ends an element instance that holds nothing any more.
pub(crate) fn continue_termination(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &ContinueTermination,
) -> Handled {
    let key = command.key;
    let Some(instance) = txn.state().elements.get(&key) else { return done() };
    if instance.state == Lifecycle::Terminating && !is_stuck(txn.state(), key, &instance) {
        element::terminated(txn, head, key);
    }
    done()
}

/// Tells some of the children that their scope ends, and leaves the others to a follow-up.
pub(crate) fn terminate_children(txn: &mut Txn<'_, Engine>, command: &TerminateChildren) -> Handled {
    let limit = txn.env().limits.children_per_step;
    let state = txn.state();
    // What interrupts a scope may have been entered already, when the last of the others ended early. Before that, one
    // of the same element that was entered by hand ends like the others.
    let stays = state.elements.peek(&command.scope).map_or(ElementNumber::PROCESS, |scope| {
        let is_entered = scope.state != Lifecycle::Terminating && !scope.pending;
        if is_entered { scope.interrupted_by } else { ElementNumber::PROCESS }
    });
    let ends = |child: &ElementInstanceKey| {
        let element = state.elements.peek(child).map(|child| child.element);
        stays == ElementNumber::PROCESS || element != Some(stays)
    };
    let mut children: Vec<_> =
        state.children_from(command.scope, command.from).filter(ends).take(limit + 1).collect();
    let next = if children.len() > limit { children.pop() } else { None };
    for key in children {
        txn.follow_up(Command::TerminateElement(TerminateElement { key }));
    }
    if let Some(from) = next {
        txn.follow_up(Command::TerminateChildren(TerminateChildren { scope: command.scope, from }));
    }
    done()
}
