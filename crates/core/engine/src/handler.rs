//! What a command does: one file a command.

mod activate_children;
mod activate_element;
mod activate_jobs;
mod broadcast_signal;
mod by_hand;
mod cancel_instance;
mod clock;
mod complete_element;
mod complete_job;
mod create_instance;
mod delete_resource;
mod deploy;
mod distribution;
mod evaluate_decision;
mod fail_job;
mod fault;
pub(crate) mod message_subscription;
mod migrate_instance;
mod modify_instance;
pub(crate) mod process_subscription;
mod publish_message;
mod resolve_incident;
mod set_variables;
mod terminate_element;
mod throw_error;
mod tick;
mod update_job;
mod yield_job;

pub(crate) use activate_children::activate_children;
pub(crate) use activate_element::{activate_element, enter};
pub(crate) use activate_jobs::activate_jobs;
pub(crate) use broadcast_signal::{broadcast_signal, spread_signal};
pub(crate) use cancel_instance::cancel_instance;
pub(crate) use clock::{pin_clock, reset_clock};
pub(crate) use complete_element::complete_element;
pub(crate) use complete_job::complete_job;
pub(crate) use create_instance::create_instance;
pub(crate) use delete_resource::{after_instance, count_instances, delete_resource, take_deletion};
pub(crate) use deploy::deploy;
pub(crate) use distribution::{acknowledge_distribution, distribute, take_deployment};
pub(crate) use evaluate_decision::evaluate_decision;
pub(crate) use fail_job::fail_job;
pub(crate) use fault::fault;
pub(crate) use migrate_instance::migrate_instance;
pub(crate) use modify_instance::modify_instance;
pub(crate) use publish_message::publish_message;
pub(crate) use resolve_incident::resolve_incident;
pub(crate) use set_variables::set_variables;
pub(crate) use terminate_element::{continue_termination, terminate_children, terminate_element};
pub(crate) use throw_error::throw_error;
pub(crate) use tick::tick;
pub(crate) use update_job::{update_job_retries, update_job_timeout};
pub(crate) use yield_job::yield_job;

use std::sync::Arc;

use coreto_bpmn::Process;
use coreto_machine::{Caller, Head, Outcome};
use coreto_record::{
    ElementInstanceKey, JobKey, Lifecycle, ProcessDefinitionKey, ProcessInstanceKey, Rejection, Reply,
};

use crate::engine::Engine;
use crate::limits::Limits;
use crate::state::{ElementInstance, Job, JobState, State};

type Handled = Result<Outcome<Engine>, Rejection>;

/// The answer to what is simply done.
#[expect(clippy::unnecessary_wraps, reason = "it stands where handlers end, which may reject")]
const fn done() -> Handled {
    Ok(Outcome::Now(Reply::Done(())))
}

/// The job with this key, as far as the caller may see it.
fn find_job(state: &State, caller: &Caller, key: JobKey) -> Result<Arc<Job>, Rejection> {
    state.jobs.get(&key).filter(|job| caller.sees(job.tenant)).ok_or_else(|| {
        Rejection::not_found(format!("no job with key {key} exists; it may have been completed or cancelled"))
    })
}

/// The job with this key, if it is in a state in which a worker may report on it.
fn find_open_job(state: &State, caller: &Caller, key: JobKey, doing: &str) -> Result<Arc<Job>, Rejection> {
    let job = find_job(state, caller, key)?;
    match job.state {
        JobState::Activatable | JobState::Activated => Ok(job),
        JobState::BackingOff | JobState::Failed | JobState::ErrorThrown => {
            Err(Rejection::invalid_state(format!("cannot {doing} job {key}: it is {}", job.state_name())))
        }
    }
}

/// Refuses a name that is too long to be kept.
fn check_name(limits: &Limits, what: &str, name: &str) -> Result<(), Rejection> {
    limits.check_name(name).map_err(|wrong| Rejection::invalid_argument(format!("{what}: {wrong}")))
}

/// Refuses more names of variables than one request may list.
fn check_fetch(limits: &Limits, names: &[Arc<str>]) -> Result<(), Rejection> {
    limits
        .check_fetch(names)
        .map_err(|wrong| Rejection::invalid_argument(format!("the variables to fetch: {wrong}")))
}

/// A text of a client's as it stands in a sentence.
fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    match text.char_indices().nth(CHARS_MAX) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", &text[..end]),
    }
}

fn is_banned(state: &State, instance: ProcessInstanceKey) -> bool {
    state.banned.contains(&instance)
}

/// The root of an instance that is active, and may be changed by hand.
fn running(
    state: &State,
    head: &Head,
    instance: ProcessInstanceKey,
) -> Result<Arc<ElementInstance>, Rejection> {
    let root = state.elements.get(&ElementInstanceKey::from(instance));
    let root = root
        .filter(|root| root.is_root() && head.caller.sees(root.tenant) && root.state == Lifecycle::Activated);
    let root = root.ok_or_else(|| {
        Rejection::not_found(format!(
            "no process instance with key {instance} is running; it may have ended or be ending"
        ))
    })?;
    if is_banned(state, instance) {
        return Err(Rejection::invalid_state(format!(
            "process instance {instance} is banned since the engine failed in it; it takes no more commands"
        )));
    }
    Ok(root)
}

/// The executable process of a definition.
pub(crate) fn process(state: &State, definition: ProcessDefinitionKey) -> Result<Arc<Process>, Rejection> {
    let found = state.definitions.peek(&definition).and_then(|definition| definition.process().cloned());
    found.ok_or_else(|| Rejection::invalid_state(format!("the definition {definition} cannot be loaded")))
}
