//! What workers and operators do with jobs. Durations are milliseconds.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::JobKey;

message! {
    /// Takes jobs of a type.
    pub struct ActivateJobs {
        /// The job type.
        1 => pub job_type: Arc<str>,
        /// Who takes them.
        2 => pub worker: Arc<str>,
        /// How long the worker holds a job.
        3 => pub timeout: i64,
        /// How many at most.
        4 => pub max: i32,
        /// Names of variables to send; empty means all visible ones.
        5 => pub fetch: Vec<Arc<str>>,
        /// Whose jobs.
        6 => pub tenants: Vec<Tenant>,
        /// The parked request in the environment that waits when there are none; 0 when nobody does.
        7 => pub poll: u64,
    }
}

message! {
    /// Ends a job as done.
    pub struct CompleteJob {
        /// The job.
        1 => pub job: JobKey,
        /// Its result.
        2 => pub variables: Document,
    }
}

message! {
    /// Ends an attempt at a job.
    pub struct FailJob {
        /// The job.
        1 => pub job: JobKey,
        /// Attempts left; 0 or less raises an incident.
        2 => pub retries: i32,
        /// How long before the next attempt.
        3 => pub backoff: i64,
        /// Why, for people.
        4 => pub message: Arc<str>,
        /// Local variables of the job's element.
        5 => pub variables: Document,
    }
}

message! {
    /// Throws a BPMN error at the job's element.
    pub struct ThrowError {
        /// The job.
        1 => pub job: JobKey,
        /// Matched against catch events.
        2 => pub code: Arc<str>,
        /// Why, for people.
        3 => pub message: Arc<str>,
        /// For the catch event.
        4 => pub variables: Document,
    }
}

message! {
    /// Sets how many attempts are left.
    pub struct UpdateJobRetries {
        /// The job.
        1 => pub job: JobKey,
        /// Attempts; more than 0.
        2 => pub retries: i32,
    }
}

message! {
    /// Moves the deadline of a job that a worker holds.
    pub struct UpdateJobTimeout {
        /// The job.
        1 => pub job: JobKey,
        /// From now on.
        2 => pub timeout: i64,
    }
}

message! {
    /// Gives back a job that could not be handed over.
    pub struct YieldJob {
        /// The job.
        1 => pub job: JobKey,
        /// The deadline of the activation that is given back; another one stands.
        2 => pub deadline: coreto_machine::Timestamp,
    }
}
