//! Jobs.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp, message, numbered};

use crate::document::Document;
use crate::key::{ElementInstanceKey, ElementNumber, JobKey, ProcessDefinitionKey, ProcessInstanceKey};

numbered! {
    /// What happened to a job; the numbers are those of the record protocol.
    pub enum JobIntent {
        /// It came into being.
        Created = 0,
        /// It is done and gone.
        Completed = 2,
        /// The worker's time is over.
        TimedOut = 4,
        /// An attempt ended.
        Failed = 6,
        /// It has another number of attempts left.
        RetriesUpdated = 8,
        /// Its element ended early; it is gone.
        Canceled = 10,
        /// A BPMN error was thrown.
        ErrorThrown = 12,
        /// Its back-off is over.
        RecurredAfterBackoff = 14,
        /// It could not be handed over.
        Yielded = 16,
        /// Its deadline moved.
        TimeoutUpdated = 18,
        /// It is one of another definition now.
        Migrated = 19,
    }
}

message! {
    /// A job after what happened to it.
    pub struct JobChanged {
        /// The job.
        1 => pub key: JobKey,
        /// What happened.
        2 => pub to: JobIntent,
        /// Its type.
        3 => pub job_type: Arc<str>,
        /// Who holds or held it last, or empty.
        4 => pub worker: Arc<str>,
        /// Attempts left.
        5 => pub retries: i32,
        /// Until when the worker holds it, if one does.
        6 => pub deadline: Option<Timestamp>,
        /// The element instance that waits for it.
        7 => pub element_instance: ElementInstanceKey,
        /// The element.
        8 => pub element: ElementNumber,
        /// The process instance.
        9 => pub instance: ProcessInstanceKey,
        /// Its definition.
        10 => pub definition: ProcessDefinitionKey,
        /// The owner.
        11 => pub tenant: Tenant,
        /// Variables of the command, if it had any.
        12 => pub variables: Document,
        /// Why the attempt ended or the error was thrown.
        13 => pub error_message: Arc<str>,
        /// The thrown error.
        14 => pub error_code: Arc<str>,
        /// Milliseconds before the next attempt.
        15 => pub backoff: i64,
        /// When the next attempt may begin.
        16 => pub recurs_at: Option<Timestamp>,
        /// The error or failure leaves the job waiting for an incident to be resolved.
        17 => pub incident: bool,
    }
}

message! {
    /// Jobs were handed to a worker.
    pub struct JobsActivated {
        /// The key of the hand-out.
        1 => pub key: u64,
        /// The jobs' type.
        2 => pub job_type: Arc<str>,
        /// Who took them.
        3 => pub worker: Arc<str>,
        /// Milliseconds that the worker asked for.
        4 => pub timeout: i64,
        /// Until when the worker holds them.
        5 => pub deadline: Timestamp,
        /// How many the worker asked for.
        6 => pub max: i32,
        /// More would have fitted the number, but not the size.
        7 => pub truncated: bool,
        /// The jobs, in the order of their keys.
        8 => pub jobs: Vec<JobTaken>,
    }
}

message! {
    /// One of the jobs that were handed out.
    pub struct JobTaken {
        /// The job.
        1 => pub key: JobKey,
        /// Attempts left.
        2 => pub retries: i32,
        /// The element instance that waits for it.
        3 => pub element_instance: ElementInstanceKey,
        /// The element.
        4 => pub element: ElementNumber,
        /// The process instance.
        5 => pub instance: ProcessInstanceKey,
        /// Its definition.
        6 => pub definition: ProcessDefinitionKey,
        /// The owner.
        7 => pub tenant: Tenant,
    }
}
