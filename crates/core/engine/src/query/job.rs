//! Jobs.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use coreto_machine::{Caller, Tenant, Timestamp};
use coreto_record::{ElementInstanceKey, JobKey, Key, ProcessInstanceKey};

use super::{Answer, LOOK_MAX, Page, element_id, page, process_of};
use crate::state::{Job, JobState, State};

/// Which jobs.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only jobs of this type.
    pub job_type: Option<Arc<str>>,
    /// Only jobs in this state.
    pub state: Option<JobStateView>,
    /// Only jobs of this instance.
    pub instance: Option<ProcessInstanceKey>,
    /// Which part of the list.
    pub page: Page,
}

/// What a job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStateView {
    /// A worker.
    Activatable,
    /// The worker that holds it.
    Activated,
    /// The end of its back-off.
    BackingOff,
    /// More retries, and its incident to be resolved.
    Failed,
    /// Its incident to be resolved.
    ErrorThrown,
}

/// A job.
#[derive(Clone, Debug)]
pub struct JobView {
    /// Its key.
    pub key: JobKey,
    /// Its type.
    pub job_type: Arc<str>,
    /// What it waits for.
    pub state: JobStateView,
    /// The process instance.
    pub instance: ProcessInstanceKey,
    /// The element instance.
    pub element_instance: ElementInstanceKey,
    /// The process id.
    pub process: Arc<str>,
    /// The element's id.
    pub element: Arc<str>,
    /// Attempts left.
    pub retries: i32,
    /// Who holds it, or empty.
    pub worker: Arc<str>,
    /// The end of its lock or back-off.
    pub deadline: Option<Timestamp>,
    /// What was said of its last failure.
    pub error_message: Arc<str>,
    /// The owner.
    pub tenant: Tenant,
}

pub(super) fn list(state: &State, caller: &Caller, filter: &JobFilter) -> Answer {
    let after = JobKey::from_raw(filter.page.after);
    let view = |key: JobKey| (key.raw(), matching(state, caller, filter, key));
    let of_instance = filter.instance.and_then(|instance| jobs_of(state, instance));
    let (found, next) = if let Some(keys) = of_instance {
        page(filter.page, keys.into_iter().filter(|key| *key > after).map(view))
    } else {
        let keys = state.job_keys.range((Bound::Excluded(after), Bound::Unbounded));
        page(filter.page, keys.copied().map(view))
    };
    Answer::Jobs(found, next)
}

fn matching(state: &State, caller: &Caller, filter: &JobFilter, key: JobKey) -> Option<JobView> {
    let job = state.jobs.peek(&key)?;
    let matches = caller.sees(job.tenant)
        && filter.job_type.as_ref().is_none_or(|job_type| *job_type == job.job_type)
        && filter.state.is_none_or(|state| state == state_of(job))
        && filter.instance.is_none_or(|instance| instance == job.instance);
    if matches { view(state, key) } else { None }
}

/// The jobs of an instance in the order of their keys, found by what runs in it; `None` when that is too much to look at.
fn jobs_of(state: &State, instance: ProcessInstanceKey) -> Option<BTreeSet<JobKey>> {
    let mut jobs = BTreeSet::new();
    let mut scopes = vec![ElementInstanceKey::from(instance)];
    let mut looked = 0;
    while let Some(scope) = scopes.pop() {
        for child in state.children_from(scope, ElementInstanceKey::default()) {
            let Some(element) = state.elements.peek(&child) else { continue };
            looked += 1;
            if looked > LOOK_MAX {
                return None;
            }
            if element.children > 0 {
                scopes.push(child);
            }
            if !element.job.is_unset() {
                jobs.insert(element.job);
            }
        }
    }
    Some(jobs)
}

const fn state_of(job: &Job) -> JobStateView {
    match job.state {
        JobState::Activatable => JobStateView::Activatable,
        JobState::Activated => JobStateView::Activated,
        JobState::BackingOff => JobStateView::BackingOff,
        JobState::Failed => JobStateView::Failed,
        JobState::ErrorThrown => JobStateView::ErrorThrown,
    }
}

pub(super) fn view(state: &State, key: JobKey) -> Option<JobView> {
    let job = state.jobs.peek(&key)?;
    let held = job.state == JobState::Activated;
    Some(JobView {
        key,
        job_type: Arc::clone(&job.job_type),
        state: state_of(job),
        instance: job.instance,
        element_instance: job.element_instance,
        process: process_of(state, job.definition).0,
        element: element_id(state, job.definition, job.element),
        retries: job.retries,
        worker: if held { Arc::clone(&job.worker) } else { Arc::from("") },
        deadline: job.due(key).map(|(at, ..)| at),
        error_message: Arc::clone(&job.error_message),
        tenant: job.tenant,
    })
}
