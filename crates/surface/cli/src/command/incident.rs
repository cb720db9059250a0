//! `coreto resolve`

use clap::Args;
use coreto_protocol::gateway::{ResolveIncidentRequest, UpdateJobRetriesRequest};
use serde_json::json;

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which incident to resolve.
#[derive(Args, Clone, Debug)]
pub struct ResolveArgs {
    /// The incident's key.
    pub incident: i64,

    /// Give this job so many retries first, as the incident of a failed job needs.
    #[arg(long, value_name = "JOB", requires = "retries")]
    pub job: Option<i64>,

    /// With --job: how often it may be tried again.
    #[arg(long, value_name = "N", requires = "job")]
    pub retries: Option<i32>,
}

pub(super) async fn resolve(
    args: ResolveArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let mut gateway = connection.gateway().await?;
    if let (Some(job_key), Some(retries)) = (args.job, args.retries) {
        let request = UpdateJobRetriesRequest { job_key, retries, ..UpdateJobRetriesRequest::default() };
        gateway.update_job_retries(request).await?;
    }
    let request = ResolveIncidentRequest { incident_key: args.incident, operation_reference: None };
    gateway.resolve_incident(request).await?;
    output::answer(
        format,
        &json!({ "incidentKey": args.incident }),
        &format!("incident {} is resolved", args.incident),
    )
}
