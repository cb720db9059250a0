//! `coreto update`

use clap::Subcommand;
use coreto_protocol::gateway::{UpdateJobRetriesRequest, UpdateJobTimeoutRequest};
use serde_json::json;

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// What to change of a job.
#[derive(Subcommand, Clone, Debug)]
pub enum UpdateCommand {
    /// How often a job may still be tried.
    Retries {
        /// The job's key.
        job: i64,
        /// How often; above 0.
        #[arg(value_name = "N")]
        retries: i32,
    },
    /// How long a job is still held by the worker that has it.
    Timeout {
        /// The job's key.
        job: i64,
        /// How long from now, in milliseconds.
        #[arg(value_name = "MS")]
        timeout: i64,
    },
}

pub(super) async fn run(
    command: UpdateCommand,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let mut gateway = connection.gateway().await?;
    match command {
        UpdateCommand::Retries { job, retries } => {
            let request =
                UpdateJobRetriesRequest { job_key: job, retries, ..UpdateJobRetriesRequest::default() };
            gateway.update_job_retries(request).await?;
            output::answer(
                format,
                &json!({ "jobKey": job, "retries": retries }),
                &format!("job {job} has {retries} retries"),
            )
        }
        UpdateCommand::Timeout { job, timeout } => {
            let request =
                UpdateJobTimeoutRequest { job_key: job, timeout, ..UpdateJobTimeoutRequest::default() };
            gateway.update_job_timeout(request).await?;
            output::answer(
                format,
                &json!({ "jobKey": job, "timeout": timeout }),
                &format!("job {job} is held for {timeout} ms from now"),
            )
        }
    }
}
