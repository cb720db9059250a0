//! Jobs, and the indexes that follow their states.

use std::sync::Arc;

use coreto_record::JobKey;
use coreto_record::event::{JobChanged, JobIntent, JobsActivated};

use crate::state::{Job, JobState, State};

pub(super) fn changed(state: &mut State, event: &JobChanged) {
    match event.to {
        JobIntent::Created => {
            state.job_keys.insert(event.key);
            state.elements.update(&event.element_instance, |element| element.job = event.key);
            put(state, event.key, as_changed(event, JobState::Activatable));
        }
        JobIntent::Completed | JobIntent::Canceled => {
            take(state, event.key);
            state.job_keys.remove(&event.key);
            state.elements.update(&event.element_instance, |element| element.job = JobKey::default());
        }
        JobIntent::Failed if event.incident => change(state, event, JobState::Failed),
        JobIntent::Failed if event.recurs_at.is_some() => change(state, event, JobState::BackingOff),
        JobIntent::Failed | JobIntent::TimedOut | JobIntent::RecurredAfterBackoff | JobIntent::Yielded => {
            change(state, event, JobState::Activatable);
        }
        JobIntent::ErrorThrown => change(state, event, JobState::ErrorThrown),
        JobIntent::RetriesUpdated => {
            state.jobs.update(&event.key, |job| job.retries = event.retries);
        }
        JobIntent::TimeoutUpdated => change(state, event, JobState::Activated),
    }
}

pub(super) fn activated(state: &mut State, event: &JobsActivated) {
    for taken in &event.jobs {
        let Some(mut job) = take(state, taken.key) else { continue };
        job.state = JobState::Activated;
        job.worker = Arc::clone(&event.worker);
        job.until = event.deadline;
        put(state, taken.key, job);
    }
}

/// The job as an event tells it.
fn as_changed(event: &JobChanged, state: JobState) -> Job {
    let until = match state {
        JobState::Activated => event.deadline,
        JobState::BackingOff => event.recurs_at,
        JobState::Activatable | JobState::Failed | JobState::ErrorThrown => None,
    };
    Job {
        state,
        job_type: Arc::clone(&event.job_type),
        worker: Arc::clone(&event.worker),
        retries: event.retries,
        until: until.unwrap_or_default(),
        element_instance: event.element_instance,
        element: event.element,
        instance: event.instance,
        definition: event.definition,
        tenant: event.tenant,
        error_message: Arc::clone(&event.error_message),
    }
}

fn change(state: &mut State, event: &JobChanged, to: JobState) {
    take(state, event.key);
    put(state, event.key, as_changed(event, to));
}

/// Lets a job that waits for its incident be handed out again.
pub(super) fn make_activatable(state: &mut State, key: JobKey) {
    if let Some(mut job) = take(state, key) {
        job.state = JobState::Activatable;
        put(state, key, job);
    }
}

fn put(state: &mut State, key: JobKey, job: Job) {
    if job.state == JobState::Activatable {
        state.activatable.insert((Arc::clone(&job.job_type), key));
    }
    if let Some(entry) = job.due(key) {
        state.due.insert(entry);
    }
    state.jobs.insert(key, job);
}

fn take(state: &mut State, key: JobKey) -> Option<Job> {
    let job = state.jobs.remove(&key)?;
    if job.state == JobState::Activatable {
        state.activatable.remove(&(Arc::clone(&job.job_type), key));
    }
    if let Some(entry) = job.due(key) {
        state.due.remove(&entry);
    }
    Some(Job::clone(&job))
}
