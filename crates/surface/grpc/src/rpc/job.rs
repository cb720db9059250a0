//! What workers and operators say of single jobs.

use coreto_protocol::gateway as pb;
use coreto_record::Command;
use coreto_record::command::{CompleteJob, FailJob, ThrowError, UpdateJobRetries, UpdateJobTimeout};
use tonic::Request;

use crate::convert::{self, unbuilt};
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

pub(crate) async fn complete(
    gateway: &Gateway,
    request: Request<pb::CompleteJobRequest>,
) -> Result<pb::CompleteJobResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    convert::no_lease(request.lease_token.as_deref())?;
    unbuilt(request.business_id.as_ref().is_some_and(|id| !id.is_empty()), "businessId")?;
    unbuilt(request.result.as_ref().is_some_and(says_something), "result")?;
    let command = Command::CompleteJob(CompleteJob {
        job: convert::key(request.job_key, "COMPLETE", "job")?,
        variables: convert::document("variables", &request.variables)?,
    });
    gateway.command(Call { metadata: &metadata, operation_reference: None, command }).await?;
    Ok(pb::CompleteJobResponse {})
}

/// Whether a job's result is more than what some clients send with every completion.
fn says_something(result: &pb::JobResult) -> bool {
    let plain = pb::JobResult {
        r#type: result.r#type.clone().filter(|kind| kind != "adHocSubProcess"),
        denied: result.denied.filter(|denied| !denied),
        denied_reason: result.denied_reason.clone().filter(String::is_empty),
        corrections: result
            .corrections
            .clone()
            .filter(|corrections| *corrections == pb::JobResultCorrections::default()),
        activate_elements: Vec::new(),
        is_completion_condition_fulfilled: result
            .is_completion_condition_fulfilled
            .filter(|fulfilled| !fulfilled),
        is_cancel_remaining_instances: result.is_cancel_remaining_instances.filter(|cancel| !cancel),
    };
    *result != plain
}

pub(crate) async fn fail(
    gateway: &Gateway,
    request: Request<pb::FailJobRequest>,
) -> Result<pb::FailJobResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    convert::no_lease(request.lease_token.as_deref())?;
    let command = Command::FailJob(FailJob {
        job: convert::key(request.job_key, "FAIL", "job")?,
        retries: request.retries,
        backoff: request.retry_back_off,
        message: request.error_message.into(),
        variables: convert::document("variables", &request.variables)?,
    });
    gateway.command(Call { metadata: &metadata, operation_reference: None, command }).await?;
    Ok(pb::FailJobResponse {})
}

pub(crate) async fn throw_error(
    gateway: &Gateway,
    request: Request<pb::ThrowErrorRequest>,
) -> Result<pb::ThrowErrorResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    convert::no_lease(request.lease_token.as_deref())?;
    let command = Command::ThrowError(ThrowError {
        job: convert::key(request.job_key, "THROW_ERROR", "job")?,
        code: convert::name(&gateway.shared.config.limits, "errorCode", request.error_code)?,
        message: request.error_message.into(),
        variables: convert::document("variables", &request.variables)?,
    });
    gateway.command(Call { metadata: &metadata, operation_reference: None, command }).await?;
    Ok(pb::ThrowErrorResponse {})
}

pub(crate) async fn update_retries(
    gateway: &Gateway,
    request: Request<pb::UpdateJobRetriesRequest>,
) -> Result<pb::UpdateJobRetriesResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    convert::no_lease(request.lease_token.as_deref())?;
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let job = convert::key(request.job_key, "UPDATE_RETRIES", "job")?;
    let command = Command::UpdateJobRetries(UpdateJobRetries { job, retries: request.retries });
    gateway.command(Call { metadata: &metadata, operation_reference, command }).await?;
    Ok(pb::UpdateJobRetriesResponse {})
}

pub(crate) async fn update_timeout(
    gateway: &Gateway,
    request: Request<pb::UpdateJobTimeoutRequest>,
) -> Result<pb::UpdateJobTimeoutResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    convert::no_lease(request.lease_token.as_deref())?;
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let job = convert::key(request.job_key, "UPDATE_TIMEOUT", "job")?;
    let command = Command::UpdateJobTimeout(UpdateJobTimeout { job, timeout: request.timeout });
    gateway.command(Call { metadata: &metadata, operation_reference, command }).await?;
    Ok(pb::UpdateJobTimeoutResponse {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_result_says_nothing() {
        let plain = pb::JobResult {
            denied: Some(false),
            r#type: Some("userTask".to_owned()),
            corrections: Some(pb::JobResultCorrections::default()),
            ..Default::default()
        };
        assert!(!says_something(&pb::JobResult::default()));
        assert!(!says_something(&plain));
        assert!(says_something(&pb::JobResult { denied: Some(true), ..plain.clone() }));
        assert!(says_something(&pb::JobResult {
            activate_elements: vec![pb::JobResultActivateElement::default()],
            ..plain
        }));
    }
}
