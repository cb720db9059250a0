//! `coreto run`

use std::path::PathBuf;

use clap::Args;
use coreto_protocol::gateway::deployment::Metadata;

use super::create::{self, CreateArgs, StartArgs};
use super::deploy;
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::Format;

/// What to deploy, and what to start then.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The files; the suffix decides what each of them is.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The process id in the BPMN, when the files hold several processes.
    #[arg(long, value_name = "ID")]
    pub process: Option<String>,

    /// How the instance begins.
    #[command(flatten)]
    pub start: StartArgs,
}

pub(super) async fn run(args: RunArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    // What is wrong with them is said before anything is deployed.
    super::document(&args.start.variables)?;
    let response = deploy::deploy(args.files, connection).await?;
    let processes: Vec<_> = response
        .deployments
        .into_iter()
        .filter_map(|deployment| match deployment.metadata {
            Some(Metadata::Process(process)) => Some(process),
            _ => None,
        })
        .filter(|process| args.process.as_ref().is_none_or(|id| *id == process.bpmn_process_id))
        .collect();
    let [process] = &*processes else {
        let ids: Vec<_> = processes.iter().map(|process| format!("`{}`", process.bpmn_process_id)).collect();
        return Err(CliError::Usage(match (&args.process, &*ids) {
            (Some(id), _) => format!("the files were deployed, and no process in them has the id `{id}`"),
            (None, []) => "the files were deployed, and no process is in them".to_owned(),
            (None, _) => format!(
                "the files were deployed, and hold the processes {}; say by --process which to start",
                ids.join(", ")
            ),
        }));
    };
    let create =
        CreateArgs { process: process.process_definition_key.to_string(), version: None, start: args.start };
    create::create(create, connection, format).await
}
