//! Jobs.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp};
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{
    ElementInstanceKey, ElementNumber, JobKey, Key, ProcessDefinitionKey, ProcessInstanceKey,
};

use super::{DUE_BACKOFF, DUE_DEADLINE, Due};

coreto_machine::numbered! {
    /// What a job waits for.
    pub(crate) enum JobState {
        /// A worker.
        Activatable = 0,
        /// The worker that holds it.
        Activated = 1,
        /// The end of its back-off.
        BackingOff = 2,
        /// More retries, and its incident to be resolved.
        Failed = 3,
        /// Its incident to be resolved: it threw an error that nothing catches.
        ErrorThrown = 4,
    }
}

coreto_machine::message! {
    /// One unit of work.
    #[expect(clippy::struct_field_names, reason = "a job's type is called its job type")]
    pub(crate) struct Job {
        /// What it waits for.
        1 => pub(crate) state: JobState,
        /// Its type.
        2 => pub(crate) job_type: Arc<str>,
        /// Who holds or held it last, or empty.
        3 => pub(crate) worker: Arc<str>,
        /// Attempts left.
        4 => pub(crate) retries: i32,
        /// The deadline while it is activated, the end of the back-off while it backs off.
        5 => pub(crate) until: Timestamp,
        /// The element instance that waits for it.
        6 => pub(crate) element_instance: ElementInstanceKey,
        /// The element.
        7 => pub(crate) element: ElementNumber,
        /// The process instance.
        8 => pub(crate) instance: ProcessInstanceKey,
        /// Its definition.
        9 => pub(crate) definition: ProcessDefinitionKey,
        /// The owner.
        10 => pub(crate) tenant: Tenant,
        /// What was said of the last failure.
        11 => pub(crate) error_message: Arc<str>,
    }
}

impl Job {
    /// When something is due about it.
    pub(crate) fn due(&self, key: JobKey) -> Option<Due> {
        match self.state {
            JobState::Activated => Some((self.until, DUE_DEADLINE, key.raw())),
            JobState::BackingOff => Some((self.until, DUE_BACKOFF, key.raw())),
            JobState::Activatable | JobState::Failed | JobState::ErrorThrown => None,
        }
    }

    /// Until when a worker holds it.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        (self.state == JobState::Activated).then_some(self.until)
    }

    /// The fact that something happened to it, with nothing else changed.
    pub(crate) fn becomes(&self, key: JobKey, to: JobIntent) -> JobChanged {
        JobChanged {
            key,
            to,
            job_type: Arc::clone(&self.job_type),
            worker: Arc::clone(&self.worker),
            retries: self.retries,
            deadline: self.deadline(),
            element_instance: self.element_instance,
            element: self.element,
            instance: self.instance,
            definition: self.definition,
            tenant: self.tenant,
            error_message: Arc::clone(&self.error_message),
            ..JobChanged::default()
        }
    }

    /// How a rejection calls its state.
    pub(crate) const fn state_name(&self) -> &'static str {
        match self.state {
            JobState::Activatable => "activatable",
            JobState::Activated => "activated",
            JobState::BackingOff => "failed and backing off",
            JobState::Failed => "failed, with an incident",
            JobState::ErrorThrown => "waiting for its error's incident to be resolved",
        }
    }
}
