//! Jobs.

use std::ops::Bound;
use std::sync::Arc;

use coreto_machine::{Caller, Tenant, Timestamp};
use coreto_record::{ElementInstanceKey, JobKey, Key, ProcessInstanceKey};

use super::{Answer, Page, element_id, page, process_of};
use crate::state::{JobState, State};

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
    let entries = state.job_keys.range((Bound::Excluded(after), Bound::Unbounded)).map(|key| {
        let view = view(state, *key).filter(|view| {
            caller.sees(view.tenant)
                && filter.job_type.as_ref().is_none_or(|job_type| *job_type == view.job_type)
                && filter.state.is_none_or(|state| state == view.state)
                && filter.instance.is_none_or(|instance| instance == view.instance)
        });
        (key.raw(), view)
    });
    let (found, next) = page(filter.page, entries);
    Answer::Jobs(found, next)
}

pub(super) fn view(state: &State, key: JobKey) -> Option<JobView> {
    let job = state.jobs.peek(&key)?;
    let held = job.state == JobState::Activated;
    Some(JobView {
        key,
        job_type: Arc::clone(&job.job_type),
        state: match job.state {
            JobState::Activatable => JobStateView::Activatable,
            JobState::Activated => JobStateView::Activated,
            JobState::BackingOff => JobStateView::BackingOff,
            JobState::Failed => JobStateView::Failed,
            JobState::ErrorThrown => JobStateView::ErrorThrown,
        },
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
