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
            let job = as_changed(event, JobState::Activatable);
            enlist(state, event.key, &job);
            state.jobs.insert(event.key, job);
        }
        JobIntent::ErrorThrown if event.incident => become_as_told(state, event, JobState::ErrorThrown),
        // An error that is caught ends its job.
        JobIntent::Completed | JobIntent::Canceled | JobIntent::ErrorThrown => {
            if let Some(job) = state.jobs.remove(&event.key) {
                strike(state, event.key, &job);
            }
            state.job_keys.remove(&event.key);
            state.elements.update(&event.element_instance, |element| element.job = JobKey::default());
        }
        JobIntent::Failed if event.incident => become_as_told(state, event, JobState::Failed),
        JobIntent::Failed if event.recurs_at.is_some() => become_as_told(state, event, JobState::BackingOff),
        JobIntent::Failed | JobIntent::TimedOut | JobIntent::RecurredAfterBackoff | JobIntent::Yielded => {
            become_as_told(state, event, JobState::Activatable);
        }
        JobIntent::RetriesUpdated => {
            state.jobs.update(&event.key, |job| job.retries = event.retries);
        }
        JobIntent::Migrated => {
            state.jobs.update(&event.key, |job| {
                (job.element, job.definition) = (event.element, event.definition);
            });
        }
        JobIntent::TimeoutUpdated => become_as_told(state, event, JobState::Activated),
    }
}

pub(super) fn activated(state: &mut State, event: &JobsActivated) {
    for taken in &event.jobs {
        change(state, taken.key, |job| {
            job.state = JobState::Activated;
            job.worker = Arc::clone(&event.worker);
            job.until = event.deadline;
        });
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

fn become_as_told(state: &mut State, event: &JobChanged, to: JobState) {
    change(state, event.key, |job| *job = as_changed(event, to));
}

/// Lets a job that waits for its incident be handed out again.
pub(super) fn make_activatable(state: &mut State, key: JobKey) {
    change(state, key, |job| job.state = JobState::Activatable);
}

/// Changes a job that is there, and the indexes with it.
fn change(state: &mut State, key: JobKey, change: impl FnOnce(&mut Job)) {
    let Some(before) = state.jobs.get(&key) else { return };
    strike(state, key, &before);
    state.jobs.update(&key, change);
    if let Some(after) = state.jobs.get(&key) {
        enlist(state, key, &after);
    }
}

/// Puts a job into the indexes of its state.
fn enlist(state: &mut State, key: JobKey, job: &Job) {
    if job.state == JobState::Activatable {
        state.activatable.insert((Arc::clone(&job.job_type), key));
    }
    if let Some(entry) = job.due(key) {
        state.due.insert(entry);
    }
}

/// Takes a job out of the indexes of its state.
fn strike(state: &mut State, key: JobKey, job: &Job) {
    if job.state == JobState::Activatable {
        state.activatable.remove(&(Arc::clone(&job.job_type), key));
    }
    if let Some(entry) = job.due(key) {
        state.due.remove(&entry);
    }
}
