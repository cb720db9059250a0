//! `coreto resolve`

use clap::Args;
use coreto_protocol::gateway::{ResolveIncidentRequest, UpdateJobRetriesRequest};
use coreto_protocol::inspect::query_request::Query;
use coreto_protocol::inspect::query_response::Answer;
use coreto_protocol::inspect::{IncidentsQuery, Page, QueryRequest};
use serde_json::json;

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which incident to resolve.
#[derive(Args, Clone, Debug)]
pub struct ResolveArgs {
    /// The incident's key.
    pub incident: i64,

    /// Give its job so many retries first, as the incident of a failed job needs.
    #[arg(long, value_name = "N")]
    pub retries: Option<i32>,

    /// With --retries: the job, where it is not the incident's own.
    #[arg(long, value_name = "JOB", requires = "retries")]
    pub job: Option<i64>,
}

pub(super) async fn resolve(
    args: ResolveArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let mut gateway = connection.gateway().await?;
    if let Some(retries) = args.retries {
        let job_key = match args.job {
            Some(job) => job,
            None => job_of(args.incident, connection).await?,
        };
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

/// The key of the job that an incident is about.
async fn job_of(incident: i64, connection: &Connection) -> Result<i64, CliError> {
    // The list is in order of keys, so the first one behind the key before this one is this one, if it is there.
    let page = Some(Page { limit: 1, after: incident.saturating_sub(1) });
    let query = Query::Incidents(IncidentsQuery { page, ..IncidentsQuery::default() });
    let request = QueryRequest { query: Some(query) };
    let answer = connection.inspect().await?.query(request).await?.into_inner().answer;
    let found = match answer {
        Some(Answer::Incidents(list)) => list.incidents.into_iter().find(|found| found.key == incident),
        _ => None,
    };
    match found {
        Some(found) if found.job_key > 0 => Ok(found.job_key),
        Some(_) => Err(CliError::Usage(format!("incident {incident} is about no job; leave --retries out"))),
        None => Err(tonic::Status::not_found(format!("there is no incident {incident}")).into()),
    }
}
