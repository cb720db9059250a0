//! `coreto deploy`

use std::path::PathBuf;

use clap::Args;
use coreto_protocol::gateway::deployment::Metadata;
use coreto_protocol::gateway::{DeployResourceRequest, Resource};
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
    let resources = args
        .files
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
    let mut gateway = connection.gateway().await?;
    let request = DeployResourceRequest { resources, tenant_id: String::new() };
    let response = gateway.deploy_resource(request).await?.into_inner();

    let mut rows = Vec::new();
    let mut deployments = Vec::new();
    for deployment in response.deployments {
        match deployment.metadata {
            Some(Metadata::Process(process)) => {
                deployments.push(json!({
                    "process": {
                        "bpmnProcessId": process.bpmn_process_id,
                        "version": process.version,
                        "processDefinitionKey": process.process_definition_key,
                        "resourceName": process.resource_name,
                        "tenantId": process.tenant_id,
                    }
                }));
                rows.push(vec![
                    process.bpmn_process_id,
                    process.version.to_string(),
                    process.process_definition_key.to_string(),
                    process.resource_name,
                ]);
            }
            Some(Metadata::Decision(_) | Metadata::DecisionRequirements(_) | Metadata::Form(_)) | None => (),
        }
    }
    match format {
        Format::Json => {
            let answer: Value =
                json!({ "key": response.key, "tenantId": response.tenant_id, "deployments": deployments });
            output::line(&answer.to_string())
        }
        Format::Text => output::table(&["PROCESS", "VERSION", "DEFINITION", "RESOURCE"], &rows),
    }
}
