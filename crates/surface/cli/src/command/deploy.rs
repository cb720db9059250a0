//! `coreto deploy`

use std::path::PathBuf;

use clap::Args;
use coreto_protocol::gateway::deployment::Metadata;
use coreto_protocol::gateway::{DeployResourceRequest, DeployResourceResponse, Resource};
use serde_json::{Value, json};

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// What to deploy.
#[derive(Args, Clone, Debug)]
pub struct DeployArgs {
    /// The files; the suffix decides what each of them is.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

pub(super) async fn run(args: DeployArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let response = deploy(args.files, connection).await?;
    let metadata = response.deployments.into_iter().filter_map(|deployment| deployment.metadata);
    let (deployments, rows): (Vec<_>, Vec<_>) = metadata.filter_map(told).unzip();
    match format {
        Format::Json => {
            let answer: Value =
                json!({ "key": response.key, "tenantId": response.tenant_id, "deployments": deployments });
            output::line(&answer.to_string())
        }
        Format::Text => output::table(&["KIND", "ID", "VERSION", "KEY", "RESOURCE"], &rows),
    }
}

/// Deploys files, all or none.
pub(super) async fn deploy(
    files: Vec<PathBuf>,
    connection: &Connection,
) -> Result<DeployResourceResponse, CliError> {
    let resources = files
        .into_iter()
        .map(|path| {
            if path.is_dir() {
                let path = path.display();
                return Err(CliError::Usage(format!("`{path}` is a directory; name the files in it")));
            }
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let content =
                std::fs::read(&path).map_err(|source| CliError::File { path, doing: "read", source })?;
            Ok(Resource { name, content: content.into() })
        })
        .collect::<Result<_, CliError>>()?;
    let request = DeployResourceRequest { resources, tenant_id: String::new() };
    Ok(connection.gateway().await?.deploy_resource(request).await?.into_inner())
}

/// What was deployed, as JSON and as a row.
fn told(metadata: Metadata) -> Option<(Value, Vec<String>)> {
    match metadata {
        Metadata::Process(process) => Some((
            json!({ "process": {
                "bpmnProcessId": process.bpmn_process_id,
                "version": process.version,
                "processDefinitionKey": process.process_definition_key,
                "resourceName": process.resource_name,
                "tenantId": process.tenant_id,
            }}),
            row(
                "process",
                process.bpmn_process_id,
                process.version,
                process.process_definition_key,
                process.resource_name,
            ),
        )),
        Metadata::Decision(decision) => Some((
            json!({ "decision": {
                "dmnDecisionId": decision.dmn_decision_id,
                "dmnDecisionName": decision.dmn_decision_name,
                "version": decision.version,
                "decisionKey": decision.decision_key,
                "dmnDecisionRequirementsId": decision.dmn_decision_requirements_id,
                "decisionRequirementsKey": decision.decision_requirements_key,
                "tenantId": decision.tenant_id,
            }}),
            row("decision", decision.dmn_decision_id, decision.version, decision.decision_key, String::new()),
        )),
        Metadata::DecisionRequirements(graph) => Some((
            json!({ "decisionRequirements": {
                "dmnDecisionRequirementsId": graph.dmn_decision_requirements_id,
                "dmnDecisionRequirementsName": graph.dmn_decision_requirements_name,
                "version": graph.version,
                "decisionRequirementsKey": graph.decision_requirements_key,
                "resourceName": graph.resource_name,
                "tenantId": graph.tenant_id,
            }}),
            row(
                "requirements",
                graph.dmn_decision_requirements_id,
                graph.version,
                graph.decision_requirements_key,
                graph.resource_name,
            ),
        )),
        Metadata::Form(_) => None,
    }
}

fn row(kind: &str, id: String, version: i32, key: i64, resource: String) -> Vec<String> {
    vec![kind.to_owned(), id, version.to_string(), key.to_string(), resource]
}
