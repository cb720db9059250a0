//! `coreto get`

mod pages;

use std::io::Write;

use clap::Subcommand;
use coreto_machine::Timestamp;
use coreto_protocol::inspect::query_request::Query;
use coreto_protocol::inspect::query_response::Answer;
use coreto_protocol::inspect::{
    Definition, DefinitionsQuery, ElementInstance, Incident, IncidentsQuery, Instance, InstanceAnswer,
    InstanceQuery, InstanceState, InstancesQuery, Job, JobState, JobsQuery, Page, Variable,
};
use serde_json::{Value, json};

use super::json as as_json;
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// What to show of what is there now; what has ended is in the records that exporters write. Answers hold every write that was acknowledged before.
#[derive(Subcommand, Clone, Debug)]
pub enum GetCommand {
    /// Running process instances.
    Instances {
        /// Only those of this process id.
        #[arg(long, value_name = "ID")]
        process: Option<String>,
        /// How many at most, up to 1000.
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those behind this key.
        #[arg(long, default_value_t = 0, value_name = "KEY")]
        after: i64,
    },
    /// One running process instance with all that it holds.
    Instance {
        /// The instance's key.
        instance: i64,
    },
    /// Jobs.
    Jobs {
        /// Only those of this type.
        #[arg(long = "type", value_name = "TYPE")]
        job_type: Option<String>,
        /// Only those of this instance.
        #[arg(long, default_value_t = 0, value_name = "KEY")]
        instance: i64,
        /// How many at most, up to 1000.
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those behind this key.
        #[arg(long, default_value_t = 0, value_name = "KEY")]
        after: i64,
    },
    /// Unresolved incidents.
    Incidents {
        /// Only those of this process id.
        #[arg(long, value_name = "ID")]
        process: Option<String>,
        /// Only those of this instance.
        #[arg(long, default_value_t = 0, value_name = "KEY")]
        instance: i64,
        /// How many at most, up to 1000.
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those behind this key.
        #[arg(long, default_value_t = 0, value_name = "KEY")]
        after: i64,
    },
    /// Process definitions.
    Definitions {
        /// Only versions of this process id.
        #[arg(long, value_name = "ID")]
        process: Option<String>,
        /// Only the latest version of each.
        #[arg(long)]
        latest: bool,
    },
}

fn question(command: GetCommand) -> Query {
    let page = |limit, after| Some(Page { limit, after });
    match command {
        GetCommand::Instances { process, limit, after } => Query::Instances(InstancesQuery {
            process_id: process.unwrap_or_default(),
            state: InstanceState::Unspecified.into(),
            page: page(limit, after),
        }),
        GetCommand::Instance { instance } => Query::Instance(InstanceQuery { key: instance }),
        GetCommand::Jobs { job_type, instance, limit, after } => Query::Jobs(JobsQuery {
            r#type: job_type.unwrap_or_default(),
            state: JobState::Unspecified.into(),
            process_instance_key: instance,
            page: page(limit, after),
        }),
        GetCommand::Incidents { process, instance, limit, after } => Query::Incidents(IncidentsQuery {
            process_id: process.unwrap_or_default(),
            process_instance_key: instance,
            page: page(limit, after),
        }),
        GetCommand::Definitions { process, latest } => Query::Definitions(DefinitionsQuery {
            process_id: process.unwrap_or_default(),
            latest,
            page: page(u32::MAX, 0),
        }),
    }
}

pub(super) async fn run(
    command: GetCommand,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let mut inspect = connection.inspect().await?;
    match pages::ask(&mut inspect, question(command)).await? {
        Some(Answer::Instances(list)) => show(
            format,
            list.instances.iter().map(instance_json).collect(),
            &["INSTANCE", "PROCESS", "VERSION", "STATE", "STARTED", "INCIDENTS"],
            &list.instances.iter().map(instance_row).collect::<Vec<_>>(),
        )
        .and_then(|()| tell_next(list.next)),
        Some(Answer::Instance(instance)) => show_instance(format, &instance),
        Some(Answer::Jobs(list)) => show(
            format,
            list.jobs.iter().map(job_json).collect(),
            &JOB_HEADINGS,
            &list.jobs.iter().map(job_row).collect::<Vec<_>>(),
        )
        .and_then(|()| tell_next(list.next)),
        Some(Answer::Incidents(list)) => show(
            format,
            list.incidents.iter().map(incident_json).collect(),
            &INCIDENT_HEADINGS,
            &list.incidents.iter().map(incident_row).collect::<Vec<_>>(),
        )
        .and_then(|()| tell_next(list.next)),
        Some(Answer::Definitions(list)) => show(
            format,
            list.definitions.iter().map(definition_json).collect(),
            &["DEFINITION", "PROCESS", "VERSION", "TAG", "RESOURCE"],
            &list.definitions.iter().map(definition_row).collect::<Vec<_>>(),
        ),
        Some(Answer::Status(_)) | None => Ok(()),
    }
}

fn show(format: Format, json: Vec<Value>, headings: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
    match format {
        Format::Json => output::line(&Value::Array(json).to_string()),
        Format::Text => output::table(headings, rows),
    }
}

/// Says on standard error that a list goes on, which a table does not show.
fn tell_next(next: i64) -> Result<(), CliError> {
    if next == 0 {
        return Ok(());
    }
    writeln!(std::io::stderr().lock(), "there are more: --after {next}").map_err(CliError::Output)
}

fn show_instance(format: Format, answer: &InstanceAnswer) -> Result<(), CliError> {
    let Some(instance) = &answer.instance else { return Ok(()) };
    if format == Format::Json {
        let mut json = instance_json(instance);
        json["elementInstances"] = answer.element_instances.iter().map(element_json).collect();
        json["variables"] = answer.variables.iter().map(variable_json).collect();
        json["jobs"] = answer.jobs.iter().map(job_json).collect();
        json["incidents"] = answer.incidents.iter().map(incident_json).collect();
        json["truncated"] = answer.truncated.into();
        return output::line(&json.to_string());
    }
    output::line(&format!(
        "instance {} of {} version {}, started {}: {}",
        instance.key,
        instance.process_id,
        instance.version,
        Timestamp::from_millis(instance.started_at),
        state_name(instance.state().as_str_name(), "INSTANCE_STATE_"),
    ))?;
    output::line("")?;
    let rows: Vec<_> = answer.element_instances.iter().map(element_row).collect();
    output::table(&["ELEMENT INSTANCE", "ELEMENT", "TYPE", "STATE"], &rows)?;
    section(&["SCOPE", "VARIABLE", "VALUE"], &answer.variables.iter().map(variable_row).collect::<Vec<_>>())?;
    section(&JOB_HEADINGS, &answer.jobs.iter().map(job_row).collect::<Vec<_>>())?;
    section(&INCIDENT_HEADINGS, &answer.incidents.iter().map(incident_row).collect::<Vec<_>>())?;
    if answer.truncated {
        let told =
            format!("not all is shown; coreto get jobs --instance {} goes through all jobs", instance.key);
        return writeln!(std::io::stderr().lock(), "{told}").map_err(CliError::Output);
    }
    Ok(())
}

/// A table behind an empty line, if it has rows.
fn section(headings: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
    if rows.is_empty() {
        return Ok(());
    }
    output::line("")?;
    output::table(headings, rows)
}

/// The protocol's name without the prefix that tells enumerations apart.
fn state_name(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_owned()
}

/// A key that may be missing, as records have it: -1 for none.
const fn or_none(key: i64) -> i64 {
    if key > 0 { key } else { -1 }
}

fn instance_json(instance: &Instance) -> Value {
    json!({
        "processInstanceKey": instance.key,
        "bpmnProcessId": instance.process_id,
        "version": instance.version,
        "processDefinitionKey": instance.process_definition_key,
        "tenantId": instance.tenant_id,
        "state": state_name(instance.state().as_str_name(), "INSTANCE_STATE_"),
        "startedAt": instance.started_at,
        "incidents": instance.incidents,
    })
}

fn instance_row(instance: &Instance) -> Vec<String> {
    vec![
        instance.key.to_string(),
        instance.process_id.clone(),
        instance.version.to_string(),
        state_name(instance.state().as_str_name(), "INSTANCE_STATE_"),
        Timestamp::from_millis(instance.started_at).to_string(),
        instance.incidents.to_string(),
    ]
}

fn definition_json(definition: &Definition) -> Value {
    json!({
        "processDefinitionKey": definition.key,
        "bpmnProcessId": definition.process_id,
        "version": definition.version,
        "versionTag": definition.version_tag,
        "resourceName": definition.resource_name,
        "tenantId": definition.tenant_id,
    })
}

fn definition_row(definition: &Definition) -> Vec<String> {
    vec![
        definition.key.to_string(),
        definition.process_id.clone(),
        definition.version.to_string(),
        definition.version_tag.clone(),
        definition.resource_name.clone(),
    ]
}

fn element_json(element: &ElementInstance) -> Value {
    json!({
        "elementInstanceKey": element.key,
        "flowScopeKey": or_none(element.scope_key),
        "elementId": element.element_id,
        "bpmnElementType": element.element_type,
        "state": state_name(element.state().as_str_name(), "ELEMENT_STATE_"),
    })
}

fn element_row(element: &ElementInstance) -> Vec<String> {
    vec![
        element.key.to_string(),
        element.element_id.clone(),
        element.element_type.clone(),
        state_name(element.state().as_str_name(), "ELEMENT_STATE_"),
    ]
}

fn variable_json(variable: &Variable) -> Value {
    json!({
        "variableKey": variable.key,
        "scopeKey": variable.scope_key,
        "name": variable.name,
        "value": as_json(&variable.value),
    })
}

fn variable_row(variable: &Variable) -> Vec<String> {
    vec![variable.scope_key.to_string(), variable.name.clone(), variable.value.clone()]
}

const JOB_HEADINGS: [&str; 8] =
    ["JOB", "TYPE", "STATE", "INSTANCE", "ELEMENT", "RETRIES", "WORKER", "MESSAGE"];

fn job_json(job: &Job) -> Value {
    json!({
        "jobKey": job.key,
        "type": job.r#type,
        "state": state_name(job.state().as_str_name(), "JOB_STATE_"),
        "processInstanceKey": job.process_instance_key,
        "elementInstanceKey": job.element_instance_key,
        "bpmnProcessId": job.process_id,
        "elementId": job.element_id,
        "retries": job.retries,
        "worker": job.worker,
        "deadline": job.deadline,
        "errorMessage": job.error_message,
        "tenantId": job.tenant_id,
    })
}

fn job_row(job: &Job) -> Vec<String> {
    vec![
        job.key.to_string(),
        job.r#type.clone(),
        state_name(job.state().as_str_name(), "JOB_STATE_"),
        job.process_instance_key.to_string(),
        job.element_id.clone(),
        job.retries.to_string(),
        job.worker.clone(),
        job.error_message.clone(),
    ]
}

const INCIDENT_HEADINGS: [&str; 7] = ["INCIDENT", "TYPE", "SINCE", "INSTANCE", "ELEMENT", "JOB", "MESSAGE"];

fn incident_json(incident: &Incident) -> Value {
    json!({
        "incidentKey": incident.key,
        "errorType": incident.error_type,
        "errorMessage": incident.error_message,
        "processInstanceKey": incident.process_instance_key,
        "elementInstanceKey": incident.element_instance_key,
        "bpmnProcessId": incident.process_id,
        "elementId": incident.element_id,
        "jobKey": or_none(incident.job_key),
        "createdAt": incident.created_at,
        "tenantId": incident.tenant_id,
    })
}

fn incident_row(incident: &Incident) -> Vec<String> {
    let job = if incident.job_key > 0 { incident.job_key.to_string() } else { String::new() };
    vec![
        incident.key.to_string(),
        incident.error_type.clone(),
        Timestamp::from_millis(incident.created_at).to_string(),
        incident.process_instance_key.to_string(),
        incident.element_id.clone(),
        job,
        incident.error_message.clone(),
    ]
}
