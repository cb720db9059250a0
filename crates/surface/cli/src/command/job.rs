//! `coreto activate`, `complete`, `fail` and `throw`

use clap::Args;
use coreto_protocol::gateway::{
    ActivateJobsRequest, ActivatedJob, CompleteJobRequest, FailJobRequest, ThrowErrorRequest,
};
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use super::{document, json as as_json};
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which jobs to take.
#[derive(Args, Clone, Debug)]
pub struct ActivateArgs {
    /// The job type.
    pub job_type: String,

    /// How many at most.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub max: i32,

    /// Who takes them.
    #[arg(long, default_value = "coreto-cli", value_name = "NAME")]
    pub worker: String,

    /// How long they are held, in milliseconds.
    #[arg(long, default_value_t = 300_000, allow_negative_numbers = true, value_name = "MS")]
    pub timeout: i64,

    /// How long to wait for one, in milliseconds; not at all when negative.
    #[arg(long, default_value_t = -1, allow_negative_numbers = true, value_name = "MS")]
    pub wait: i64,

    /// The variables to show; all without it.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub fetch: Vec<String>,
}

/// Which job is done, and with what result.
#[derive(Args, Clone, Debug)]
pub struct CompleteArgs {
    /// The job's key.
    pub job: i64,

    /// The result: a JSON object, or @FILE.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub variables: String,
}

/// Which job failed, and what is left to try.
#[derive(Args, Clone, Debug)]
pub struct FailArgs {
    /// The job's key.
    pub job: i64,

    /// How often it may still be tried; 0 raises an incident.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub retries: i32,

    /// Why it failed.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub message: String,

    /// How long to wait before the next attempt, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub backoff: i64,

    /// Local variables for the job's element: a JSON object, or @FILE.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub variables: String,
}

/// Which job ends with an error of the business, and with which.
#[derive(Args, Clone, Debug)]
pub struct ThrowArgs {
    /// The job's key.
    pub job: i64,

    /// The code that catch events are matched by.
    pub code: String,

    /// Text for people.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub message: String,

    /// Variables for the catch event: a JSON object, or @FILE.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub variables: String,
}

pub(super) async fn activate(
    args: ActivateArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let mut gateway = connection.gateway().await?;
    let request = ActivateJobsRequest {
        r#type: args.job_type,
        worker: args.worker,
        timeout: args.timeout,
        max_jobs_to_activate: args.max,
        fetch_variable: args.fetch,
        request_timeout: if args.wait < 0 { -1 } else { args.wait.max(1) },
        ..ActivateJobsRequest::default()
    };
    let mut responses = gateway.activate_jobs(request).await?.into_inner();
    let mut jobs = Vec::new();
    while let Some(response) = responses.next().await {
        jobs.extend(response?.jobs);
    }
    match format {
        Format::Json => output::line(&jobs.iter().map(render).collect::<Value>().to_string()),
        Format::Text if jobs.is_empty() => output::line("no jobs"),
        Format::Text => {
            let rows: Vec<_> = jobs
                .into_iter()
                .map(|job| {
                    vec![
                        job.key.to_string(),
                        job.r#type,
                        job.process_instance_key.to_string(),
                        job.element_id,
                        job.retries.to_string(),
                        job.variables,
                    ]
                })
                .collect();
            output::table(&["JOB", "TYPE", "INSTANCE", "ELEMENT", "RETRIES", "VARIABLES"], &rows)
        }
    }
}

fn render(job: &ActivatedJob) -> Value {
    json!({
        "jobKey": job.key,
        "type": job.r#type,
        "processInstanceKey": job.process_instance_key,
        "bpmnProcessId": job.bpmn_process_id,
        "processDefinitionVersion": job.process_definition_version,
        "processDefinitionKey": job.process_definition_key,
        "elementId": job.element_id,
        "elementInstanceKey": job.element_instance_key,
        "customHeaders": as_json(&job.custom_headers),
        "worker": job.worker,
        "retries": job.retries,
        "deadline": job.deadline,
        "variables": as_json(&job.variables),
        "tenantId": job.tenant_id,
    })
}

pub(super) async fn complete(
    args: CompleteArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let mut gateway = connection.gateway().await?;
    let request = CompleteJobRequest {
        job_key: args.job,
        variables: document(&args.variables)?,
        ..CompleteJobRequest::default()
    };
    gateway.complete_job(request).await?;
    output::answer(format, &json!({ "jobKey": args.job }), &format!("job {} is completed", args.job))
}

pub(super) async fn fail(args: FailArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let mut gateway = connection.gateway().await?;
    let request = FailJobRequest {
        job_key: args.job,
        retries: args.retries,
        error_message: args.message,
        retry_back_off: args.backoff,
        variables: document(&args.variables)?,
        ..FailJobRequest::default()
    };
    gateway.fail_job(request).await?;
    let left = args.retries;
    output::answer(
        format,
        &json!({ "jobKey": args.job, "retries": left }),
        &format!("job {} has failed, retries left: {left}", args.job),
    )
}

pub(super) async fn throw(args: ThrowArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let request = ThrowErrorRequest {
        job_key: args.job,
        error_code: args.code.clone(),
        error_message: args.message,
        variables: document(&args.variables)?,
        lease_token: None,
    };
    connection.gateway().await?.throw_error(request).await?;
    output::answer(
        format,
        &json!({ "jobKey": args.job, "errorCode": args.code }),
        &format!("job {} has thrown error `{}`", args.job, args.code),
    )
}
