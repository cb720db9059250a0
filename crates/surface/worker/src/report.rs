//! Telling the server how a job went.

use std::time::Duration;

use coreto_protocol::gateway::{ActivatedJob, CompleteJobRequest, FailJobRequest, ThrowErrorRequest};
use tonic::{Code, Status};
use tracing::warn;

use crate::backoff::Backoff;
use crate::client::{Client, millis};
use crate::job::{BpmnError, JobError};

const ATTEMPTS_MAX: u32 = 8;

/// What outlives the handler of a job.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) key: i64,
    pub(crate) retries: i32,
    lease: Option<String>,
}

impl Held {
    pub(crate) fn of(job: &ActivatedJob) -> Self {
        Self { key: job.key, retries: job.retries, lease: job.lease_token.clone() }
    }
}

/// Reports an outcome, again and again while the server cannot be reached or is busy.
pub(crate) async fn report(client: &Client, held: &Held, outcome: Result<String, JobError>) {
    let report = Report::of(held, outcome);
    let seed = held.key.unsigned_abs();
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5), seed);
    for attempt in 1..=ATTEMPTS_MAX {
        let Err(status) = report.send(client).await else { return };
        // Each of these commands may be repeated: the second one finds the job gone.
        let passing =
            matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded);
        if status.code() == Code::NotFound && attempt > 1 {
            return;
        }
        if !passing || attempt == ATTEMPTS_MAX {
            warn!(job = held.key, code = ?status.code(), "{} was refused: {}", report.name(), status.message());
            return;
        }
        tokio::time::sleep(backoff.pause()).await;
    }
}

/// Gives back a job that was never begun, with the retries that it had.
pub(crate) async fn give_back(client: &Client, held: &Held) {
    let error = JobError::fail("given back: the worker is stopping").with_retries(held.retries);
    report(client, held, Err(error)).await;
}

enum Report {
    Complete(CompleteJobRequest),
    Fail(FailJobRequest),
    Throw(ThrowErrorRequest),
}

impl Report {
    fn of(held: &Held, outcome: Result<String, JobError>) -> Self {
        let (job_key, lease_token) = (held.key, held.lease.clone());
        match outcome {
            Ok(variables) => Self::Complete(CompleteJobRequest {
                job_key,
                variables,
                result: None,
                lease_token,
                business_id: None,
            }),
            Err(JobError::Fail { message, retries, backoff, variables }) => Self::Fail(FailJobRequest {
                job_key,
                retries: retries.unwrap_or(held.retries.saturating_sub(1)).max(0),
                error_message: message,
                retry_back_off: millis(backoff),
                variables: text(variables.as_ref()),
                lease_token,
            }),
            Err(JobError::Bpmn(BpmnError { code, message, variables })) => Self::Throw(ThrowErrorRequest {
                job_key,
                error_code: code,
                error_message: message,
                variables: text(variables.as_ref()),
                lease_token,
            }),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Complete(_) => "CompleteJob",
            Self::Fail(_) => "FailJob",
            Self::Throw(_) => "ThrowError",
        }
    }

    async fn send(&self, client: &Client) -> Result<(), Status> {
        match self {
            Self::Complete(request) => client.complete(request.clone()).await,
            Self::Fail(request) => client.fail(request.clone()).await,
            Self::Throw(request) => client.throw(request.clone()).await,
        }
    }
}

fn text(variables: Option<&serde_json::Value>) -> String {
    variables.map(ToString::to_string).unwrap_or_default()
}
