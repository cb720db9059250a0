//! `coreto status`

use coreto_protocol::inspect::query_request::Query;
use coreto_protocol::inspect::query_response::Answer;
use coreto_protocol::inspect::{QueryRequest, StatusQuery};
use serde_json::json;

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

pub(super) async fn run(connection: &Connection, format: Format) -> Result<(), CliError> {
    let mut inspect = connection.inspect().await?;
    let query = QueryRequest { query: Some(Query::Status(StatusQuery {})) };
    let response = inspect.query(query).await?.into_inner();
    let Some(Answer::Status(status)) = response.answer else { return Ok(()) };
    if format == Format::Json {
        let partitions: Vec<_> = status
            .partitions
            .iter()
            .map(|partition| {
                json!({
                    "partitionId": partition.number,
                    "serving": partition.serving,
                    "trouble": partition.trouble,
                    "position": partition.position,
                    "instances": partition.instances,
                    "jobs": partition.jobs,
                    "incidents": partition.incidents,
                    "definitions": partition.definitions,
                    "jobStreams": partition.job_streams,
                    "parkedPolls": partition.parked_polls,
                })
            })
            .collect();
        let json = json!({
            "address": connection.url(),
            "version": status.version,
            "gatewayVersion": status.gateway_version,
            "startedAt": status.started_at,
            "partitions": partitions,
        });
        return output::line(&json.to_string());
    }
    output::line(&format!(
        "{}: coreto {}, gateway protocol {}",
        connection.url(),
        status.version,
        status.gateway_version
    ))?;
    let rows: Vec<_> = status
        .partitions
        .iter()
        .map(|partition| {
            let health = if partition.serving { "healthy".to_owned() } else { partition.trouble.clone() };
            vec![
                partition.number.to_string(),
                health,
                partition.instances.to_string(),
                partition.jobs.to_string(),
                partition.incidents.to_string(),
                partition.definitions.to_string(),
                partition.job_streams.to_string(),
                partition.parked_polls.to_string(),
            ]
        })
        .collect();
    output::table(
        &["PARTITION", "HEALTH", "INSTANCES", "JOBS", "INCIDENTS", "DEFINITIONS", "STREAMS", "POLLS"],
        &rows,
    )
}
