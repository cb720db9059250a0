//! What must hold of every state between two transactions; each has an id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_record::event::ProcessSubscriptionIntent;
use coreto_record::{ElementInstanceKey, Key, ProcessDefinitionKey, ProcessInstanceKey};

use crate::state::{Job, JobState, State, owner_of};

/// Everything that does not hold, each with the id of its invariant; empty when all is well.
///
/// - ENG-1: a scope counts its children.
/// - ENG-2: what belongs to an element instance is gone when that has ended: variables, jobs, incidents, triggers,
///   timers, waits for messages and signals, locks.
/// - ENG-3: the indexes say what the tables say.
/// - ENG-4: tokens that wait at gateways are among those that their scope counts.
/// - ENG-5: a loop counts its repetitions, and is of an element instance that knows of it.
/// - ENG-6: a job and the element instance that waits for it name each other, and a job that waits for its incident to
///   be resolved has one.
/// - ENG-7: a deleted definition counts the instances of it that run, as far as it has looked at them.
/// - ENG-8: all that goes on in an instance is of its definition.
pub fn broken(state: &State) -> Vec<String> {
    let mut broken = Vec::new();
    elements(state, &mut broken);
    belongings(state, &mut broken);
    tokens(state, &mut broken);
    loops(state, &mut broken);
    incidents(state, &mut broken);
    jobs(state, &mut broken);
    due(state, &mut broken);
    subscriptions(state, &mut broken);
    deletions(state, &mut broken);
    of_one_definition(state, &mut broken);
    broken
}

/// What does not hold of all partitions together, when nothing is on its way between them; empty when all is well.
///
/// - ENG-9: who waits for a message is known on both sides, as waiting for the same.
pub fn apart(states: &[&State]) -> Vec<String> {
    let mut broken = Vec::new();
    let on_messages: BTreeMap<_, _> =
        states.iter().flat_map(|state| state.message_subscriptions.range(..)).collect();
    let mut waiting = 0;
    for ((key, name), here) in states.iter().flat_map(|state| state.process_subscriptions.range(..)) {
        waiting += 1;
        let Some(there) = on_messages.get(&(*key, Arc::clone(name))) else {
            broken.push(format!("ENG-9: {key} waits for the message `{name}`, and its side does not know"));
            continue;
        };
        let (is, knows) = (
            (&here.correlation_key, here.interrupting, here.definition),
            (&there.correlation_key, there.interrupting, there.definition),
        );
        if is != knows || !there.message.is_unset() {
            broken.push(format!(
                "ENG-9: {key} waits for the message `{name}` as {is:?}, its side has {there:?}"
            ));
        }
    }
    if waiting != on_messages.len() {
        let known = on_messages.len();
        broken.push(format!("ENG-9: {waiting} wait for messages, and {known} are known to wait"));
    }
    broken
}

fn elements(state: &State, broken: &mut Vec<String>) {
    let (mut roots, mut uncalled) = (0, 0);
    state.elements.for_each(|key, element| {
        let children = state.children_from(*key, ElementInstanceKey::default()).count();
        if children != element.children as usize {
            broken.push(format!("ENG-1: {key} counts {} children and has {children}", element.children));
        }
        if element.is_root() {
            roots += 1;
            if !state.instances.contains(&element.instance) {
                broken.push(format!("ENG-3: instance {key} is in no index"));
            }
        }
        let parent = element.parent();
        if parent.is_unset() {
            uncalled += 1;
        } else if !state.elements.contains(&parent) {
            broken.push(format!("ENG-2: {key} outlived what is around it, {parent}"));
        }
        let waits_for = |job: &Job| job.element_instance == *key;
        if !element.job.is_unset() && !state.jobs.peek(&element.job).is_some_and(|job| waits_for(job)) {
            broken.push(format!("ENG-6: {key} waits for job {} that is not its own", element.job));
        }
    });
    if roots != state.instances.len() {
        broken.push(format!("ENG-3: {roots} instances run, the index has {}", state.instances.len()));
    }
    let others = state.elements.len() - uncalled;
    if others != state.children.len() {
        broken
            .push(format!("ENG-3: {others} elements have a parent, the index has {}", state.children.len()));
    }
}

fn belongings(state: &State, broken: &mut Vec<String>) {
    for (name, _) in state.variables.range(..) {
        if !state.elements.contains(&name.scope) {
            broken.push(format!("ENG-2: variable `{}` outlived its scope {}", name.name, name.scope));
        }
    }
    let mut awaited = BTreeSet::new();
    state.interruptions.for_each(|key, next| {
        awaited.insert(next.key);
        if !state.elements.peek(key).is_some_and(|element| element.pending) {
            broken.push(format!("ENG-2: nobody knows what waits for the end of {key}"));
        }
    });
    state.triggers.for_each(|key, _| {
        if !state.elements.contains(key) && !awaited.contains(key) {
            broken.push(format!("ENG-2: a trigger outlived its element instance {key}"));
        }
    });
}

fn tokens(state: &State, broken: &mut Vec<String>) {
    let mut waiting: BTreeMap<ElementInstanceKey, u64> = BTreeMap::new();
    for ((scope, _), tokens) in state.arrived.range(..) {
        *waiting.entry(*scope).or_default() += **tokens;
    }
    for (scope, tokens) in waiting {
        let counted = state.elements.peek(&scope).map_or(0, |scope| u64::from(scope.flows));
        if tokens > counted {
            broken.push(format!("ENG-4: {tokens} tokens wait in {scope}, which counts {counted}"));
        }
    }
}

fn loops(state: &State, broken: &mut Vec<String>) {
    let mut known = 0;
    state.elements.for_each(|_, element| known += usize::from(element.loops));
    state.loops.for_each(|key, kept| {
        if !state.elements.peek(key).is_some_and(|body| body.loops) {
            broken.push(format!("ENG-2: a loop outlived its element instance {key}"));
        }
        let children = state.children_from(*key, ElementInstanceKey::default()).count();
        if kept.entered > kept.total || children + kept.completed as usize > kept.entered as usize {
            broken.push(format!("ENG-5: {key} has {children} repetitions and counts {kept:?}"));
        }
    });
    for ((key, number), _) in state.outputs.range(..) {
        if !state.loops.contains(key) {
            broken.push(format!("ENG-2: result {number} outlived its loop {key}"));
        }
    }
    if (known, known) != (state.loops.len(), state.items.len()) {
        let (counted, kept) = (state.loops.len(), state.items.len());
        broken.push(format!("ENG-5: {known} loops run, {counted} are counted, the items of {kept} are kept"));
    }
}

fn incidents(state: &State, broken: &mut Vec<String>) {
    for (key, incident) in state.incidents.range(..) {
        if !state.elements.contains(&incident.element_instance) {
            broken.push(format!("ENG-2: incident {key} outlived its element instance"));
        }
        if !state.incidents_of.contains(&(incident.element_instance, *key)) {
            broken.push(format!("ENG-3: incident {key} is in no index"));
        }
    }
    if state.incidents.len() != state.incidents_of.len() {
        let (open, indexed) = (state.incidents.len(), state.incidents_of.len());
        broken.push(format!("ENG-3: {open} incidents are open, the index has {indexed}"));
    }
}

fn jobs(state: &State, broken: &mut Vec<String>) {
    let mut activatable = 0;
    state.jobs.for_each(|key, job| {
        let waiting = state.elements.peek(&job.element_instance);
        if waiting.is_none() {
            broken.push(format!("ENG-2: job {key} outlived its element instance"));
        }
        if waiting.is_some_and(|element| element.job != *key) {
            broken.push(format!("ENG-6: nobody waits for job {key}"));
        }
        let mut at = state.incidents_at(job.element_instance);
        let stopped = matches!(job.state, JobState::Failed | JobState::ErrorThrown);
        let has_incident = at.any(|incident| {
            state.incidents.peek(&incident).is_some_and(|incident| incident.job == Some(*key))
        });
        if stopped != has_incident {
            let found = if has_incident { "an incident" } else { "none" };
            broken.push(format!("ENG-6: job {key} is {} and has {found}", job.state_name()));
        }
        if !state.job_keys.contains(key) {
            broken.push(format!("ENG-3: job {key} is not among the keys"));
        }
        activatable += usize::from(job.state == JobState::Activatable);
    });
    let counts = [
        ("jobs exist", state.jobs.len(), state.job_keys.len()),
        ("jobs are activatable", activatable, state.activatable.len()),
    ];
    compare(&counts, broken);
}

fn due(state: &State, broken: &mut Vec<String>) {
    let mut due = 0;
    state.jobs.for_each(|key, job| due += usize::from(job.due(*key).is_some()));
    due += state.distributions.range(..).filter(|(_, it)| it.answer_by.is_some()).count();
    state.timers.for_each(|key, timer| {
        due += 1;
        let waits = if timer.element_instance.is_unset() {
            state.definitions.contains(&timer.definition)
        } else {
            state.elements.contains(&timer.element_instance)
        };
        if !waits {
            broken.push(format!("ENG-2: timer {key} outlived who waits for it"));
        }
        if !state.timers_of.contains(&(owner_of(timer.element_instance, timer.definition), *key)) {
            broken.push(format!("ENG-3: timer {key} is in no index"));
        }
    });
    due += state.messages.len();
    let counts = [
        ("things are due", due, state.due.len()),
        ("timers wait", state.timers.len(), state.timers_of.len()),
    ];
    compare(&counts, broken);
}

fn subscriptions(state: &State, broken: &mut Vec<String>) {
    for ((key, name), waiting) in state.process_subscriptions.range(..) {
        if waiting.to != ProcessSubscriptionIntent::Deleting && !state.elements.contains(key) {
            broken
                .push(format!("ENG-2: a wait for the message `{name}` outlived its element instance {key}"));
        }
    }
    for (key, waiting) in state.signal_subscriptions.range(..) {
        let starts = waiting.element_instance.is_unset();
        if !starts && !state.elements.contains(&waiting.element_instance) {
            broken.push(format!("ENG-2: the wait {key} for a signal outlived its element instance"));
        }
    }
    for (key, _) in state.lock_of.range(..) {
        if !state.instances.contains(key) {
            broken.push(format!("ENG-2: a lock outlived its instance {key}"));
        }
    }
    let counts = [
        ("messages are kept", state.messages.len(), state.messages_of.len()),
        ("wait for messages", state.message_subscriptions.len(), state.waiting.len()),
        ("messages start instances", state.start_subscriptions.len(), state.starts_of.len()),
        ("wait for signals", state.signal_subscriptions.len(), state.signals.len()),
        ("wait for signals by owner", state.signal_subscriptions.len(), state.signals_of.len()),
        ("locks are held", state.start_locks.len(), state.lock_of.len()),
    ];
    compare(&counts, broken);
}

fn deletions(state: &State, broken: &mut Vec<String>) {
    for (key, deletion) in state.deletions.range(..).filter(|(_, deletion)| deletion.drains) {
        let runs = |instance: &&ProcessInstanceKey| {
            let root = state.elements.peek(&ElementInstanceKey::from(**instance));
            root.is_some_and(|root| root.definition.raw() == *key) && !state.banned.contains(*instance)
        };
        let running = state.instances.range(..deletion.next).filter(runs).count() as u64;
        if running != deletion.running {
            let counted = deletion.running;
            broken.push(format!("ENG-7: {running} instances of {key} run, it has counted {counted}"));
        }
    }
}

fn of_one_definition(state: &State, broken: &mut Vec<String>) {
    let of = |key: ElementInstanceKey| state.elements.peek(&key).map(|element| element.definition);
    let mut check = |what: &str, key: u64, definition, of: Option<ProcessDefinitionKey>| {
        if of.is_some_and(|of| of != definition) {
            broken.push(format!("ENG-8: the {what} {key} is of another definition than its instance"));
        }
    };
    state.elements.for_each(|key, element| {
        check("element instance", key.raw(), element.definition, of(element.instance.into()));
    });
    state.jobs.for_each(|key, job| check("job", key.raw(), job.definition, of(job.element_instance)));
    state
        .timers
        .for_each(|key, timer| check("timer", key.raw(), timer.definition, of(timer.element_instance)));
    for (key, incident) in state.incidents.range(..) {
        check("incident", key.raw(), incident.definition, of(incident.element_instance));
    }
    for (key, waiting) in state.signal_subscriptions.range(..) {
        check("wait for a signal", key.raw(), waiting.definition, of(waiting.element_instance));
    }
    let messages = state.process_subscriptions.range(..);
    for (_, waiting) in messages.filter(|(_, waiting)| waiting.to != ProcessSubscriptionIntent::Deleting) {
        check("wait for a message", waiting.key.raw(), waiting.definition, of(waiting.element_instance));
    }
}

/// Whether indexes have as many entries as were counted.
fn compare(counts: &[(&str, usize, usize)], broken: &mut Vec<String>) {
    for (what, counted, indexed) in counts {
        if counted != indexed {
            broken.push(format!("ENG-3: {counted} {what}, the index has {indexed}"));
        }
    }
}
