//! What becomes of what an element instance waits for: what is mapped goes on, what is not is closed, and what only the
//! other process has is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_bpmn::{Element, Kind, Trigger};
use coreto_machine::{Head, Txn};
use coreto_record::event::ProcessSubscriptionIntent;
use coreto_record::{ElementInstanceKey, ElementNumber, Lifecycle, Rejection};

use super::check::refused;
use super::plan::{Plan, number};
use crate::element::Visit;
use crate::engine::Engine;
use crate::state::{ElementInstance, State};
use crate::subscription::{self, Wanted};

/// What becomes of what an element instance waits for.
#[derive(Default)]
pub(super) struct Waits {
    /// Events whose waits go on, each with the event that it is then.
    goes: BTreeMap<ElementNumber, ElementNumber>,
    /// What is opened.
    pub(super) opened: Vec<(ElementNumber, Wanted)>,
}

impl Waits {
    /// The event that an event is then, if it goes on being waited for.
    pub(super) fn goes(&self, event: ElementNumber) -> Option<ElementNumber> {
        self.goes.get(&event).copied()
    }
}

/// Finds what becomes of it.
pub(super) fn find(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    plan: &Plan,
    before: &ElementInstance,
    then: &Visit,
) -> Result<Waits, Rejection> {
    let from = &plan.source.elements[number(before.element).index()];
    check_settled(txn.state(), then.key, from)?;
    let goes = mapped(plan, before, then)?;
    if !waits(from) || !has_begun(txn.state(), then.key, before.state) {
        return Ok(Waits { goes, opened: Vec::new() });
    }
    let interrupted = then.instance.interrupted_by != ElementNumber::PROCESS;
    let kept: BTreeSet<_> = goes.values().map(|to| to.0).collect();
    let is_new = |event: &&coreto_bpmn::ElementNumber| {
        let at_boundary = matches!(then.process.elements[event.index()].kind, Kind::BoundaryEvent(_));
        (at_boundary || !interrupted) && !kept.contains(&event.0)
    };
    let events: Vec<_> = then.element().awaited.iter().filter(is_new).copied().collect();
    let opened = subscription::understand_all(txn, head, then, &events)
        .map_err(|trouble| refused(from, trouble.message))?;
    check_names(txn.state(), then.key, from, &opened)?;
    Ok(Waits { goes, opened })
}

/// Whether an element waits for what may happen to it or in it.
fn waits(element: &Element) -> bool {
    let kind = &element.kind;
    let is_scope = matches!(
        kind,
        Kind::Process
            | Kind::SubProcess { .. }
            | Kind::EventSubProcess { .. }
            | Kind::MultiInstance(_)
            | Kind::CallActivity(_)
            | Kind::EventBasedGateway
    );
    is_scope || kind.job().is_some() || kind.trigger().is_some()
}

/// Whether an element instance has begun to wait: one that could not, and has an incident for that, does once the
/// incident is resolved.
fn has_begun(state: &State, key: ElementInstanceKey, at: Lifecycle) -> bool {
    let of_itself = |incident| state.incidents.peek(&incident).is_some_and(|incident| incident.job.is_none());
    match at {
        Lifecycle::Activated => !state.incidents_at(key).any(of_itself),
        Lifecycle::Completing => true,
        Lifecycle::Activating | Lifecycle::Terminating | Lifecycle::Completed | Lifecycle::Terminated => {
            false
        }
    }
}

/// The partition of a message must know all that was asked of it.
fn check_settled(state: &State, key: ElementInstanceKey, from: &Element) -> Result<(), Rejection> {
    use ProcessSubscriptionIntent as Intent;
    for name in state.awaited_messages(key) {
        let told = state.process_subscriptions.peek(&(key, Arc::clone(&name))).map(|waiting| waiting.to);
        if matches!(told, Some(Intent::Creating | Intent::Migrating | Intent::Deleting)) {
            let why = format_args!("its wait for the message `{name}` is not settled; try again in a moment");
            return Err(refused(from, why));
        }
    }
    Ok(())
}

/// The element itself, and the events that are waited for and mapped.
fn mapped(
    plan: &Plan,
    before: &ElementInstance,
    then: &Visit,
) -> Result<BTreeMap<ElementNumber, ElementNumber>, Rejection> {
    let (source, target) = (&plan.source.elements, &plan.target.elements);
    let from = &source[number(before.element).index()];
    let kind = |element: &Element| element.kind.trigger().map(Trigger::event_type);
    let mut goes = BTreeMap::from([(before.element, then.instance.element)]);
    let awaited: BTreeSet<_> = then.element().awaited.iter().copied().collect();
    let mut taken = BTreeSet::new();
    for &event in &from.awaited {
        let Some(to) = plan.mapped(event) else { continue };
        let (event_id, to_id) = (&source[event.index()].id, &target[to.index()].id);
        if !awaited.contains(&to) {
            let host = &then.element().id;
            let why = format_args!("`{event_id}` is mapped to `{to_id}`, for which `{host}` does not wait");
            return Err(refused(from, why));
        }
        if kind(&source[event.index()]) != kind(&target[to.index()]) {
            let why = format_args!("`{event_id}` is mapped to `{to_id}`, which waits for something else");
            return Err(refused(from, why));
        }
        if !taken.insert(to) {
            return Err(refused(from, format_args!("more than one event is mapped to `{to_id}`")));
        }
        goes.insert(ElementNumber(event.0), ElementNumber(to.0));
    }
    Ok(goes)
}

/// A wait for a message is known by its name, also until it is closed.
fn check_names(
    state: &State,
    key: ElementInstanceKey,
    from: &Element,
    opened: &[(ElementNumber, Wanted)],
) -> Result<(), Rejection> {
    // In the order of the names.
    let taken = state.awaited_messages(key);
    let name = |wanted: &Wanted| match wanted {
        Wanted::Message(message) => Some(Arc::clone(&message.name)),
        Wanted::Timer(_) | Wanted::Signal(_) => None,
    };
    match opened.iter().filter_map(|(_, wanted)| name(wanted)).find(|name| taken.binary_search(name).is_ok())
    {
        None => Ok(()),
        Some(name) => {
            let why = format_args!("it waits for the message `{name}` already; map the event that does");
            Err(refused(from, why))
        }
    }
}
