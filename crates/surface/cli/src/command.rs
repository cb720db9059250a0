//! Commands that are clients of a running server.

mod changes;
mod create;
mod delete;
mod deploy;
mod get;
mod incident;
mod job;
mod kv;
mod message;
mod migrate;
mod modify;
mod register;
mod run;
mod services;
mod set;
mod status;
mod update;
mod watch;

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Subcommand;
use serde::de::IgnoredAny;

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::Format;

pub use create::{CancelArgs, CreateArgs, StartArgs};
pub use delete::DeleteArgs;
pub use deploy::DeployArgs;
pub use get::GetCommand;
pub use incident::ResolveArgs;
pub use job::{ActivateArgs, CompleteArgs, FailArgs, ThrowArgs};
pub use kv::KvCommand;
pub use message::{PublishArgs, SignalArgs};
pub use migrate::MigrateArgs;
pub use modify::ModifyArgs;
pub use register::RegisterArgs;
pub use run::RunArgs;
pub use services::{LookupArgs, ServicesArgs, WatchedArgs};
pub use set::SetArgs;
pub use update::UpdateCommand;
pub use watch::WatchArgs;

/// Commands that are clients of a running server.
#[derive(Subcommand, Clone, Debug)]
pub enum ClientCommand {
    /// Deploy BPMN and DMN files: all of them, or none.
    Deploy(DeployArgs),
    /// Deploy files and start an instance of the process in them.
    Run(RunArgs),
    /// Delete a process definition or a decision requirements graph.
    Delete(DeleteArgs),
    /// Start an instance of a process.
    Create(CreateArgs),
    /// End an instance early.
    Cancel(CancelArgs),
    /// Change what runs in a process instance: start elements, end element instances.
    Modify(ModifyArgs),
    /// Move a process instance to another process definition.
    Migrate(MigrateArgs),
    /// Take jobs of a type.
    Activate(ActivateArgs),
    /// End a job as done.
    Complete(CompleteArgs),
    /// End an attempt at a job.
    Fail(FailArgs),
    /// End an attempt at a job with an error of the business, which a catch event may take.
    Throw(ThrowArgs),
    /// Change a job.
    #[command(subcommand)]
    Update(UpdateCommand),
    /// Set variables of an instance.
    Set(SetArgs),
    /// Publish a message to those who wait for it.
    Publish(PublishArgs),
    /// Broadcast a signal to all who wait for it.
    Signal(SignalArgs),
    /// Let what an incident stopped try again.
    Resolve(ResolveArgs),
    /// Show what the server holds now: instances, jobs, incidents, definitions.
    #[command(subcommand)]
    Get(GetCommand),
    /// Show which services there are.
    Services(ServicesArgs),
    /// Show where the instances of a service are, and how they are.
    Lookup(LookupArgs),
    /// Read and write keys of the catalog.
    #[command(subcommand)]
    Kv(KvCommand),
    /// Run a program as an instance of a service, which is found for as long as it runs.
    ///
    /// The program gets the signals that this command gets. At SIGTERM and SIGINT it is taken out of use first, and gets
    /// the signal after --grace; a second one it gets at once. The exit code is that of the program, or 128 and the
    /// number of the signal that ended it. What this command has to say goes to standard error; standard output is the
    /// program's.
    Register(RegisterArgs),
    /// Show how the server is.
    Status,
    /// Show what happens, as it happens.
    Watch(WatchArgs),
}

/// Runs a command to its end.
///
/// # Errors
/// When the server cannot be reached, or says no.
pub async fn run(
    command: ClientCommand,
    connection: &Connection,
    format: Format,
) -> Result<ExitCode, CliError> {
    if let ClientCommand::Register(args) = command {
        return register::run(args, connection, format).await;
    }
    let done = perform(command, connection, format).await;
    done.map(|()| ExitCode::SUCCESS).map_err(|error| error.at(&connection.url()))
}

async fn perform(command: ClientCommand, connection: &Connection, format: Format) -> Result<(), CliError> {
    match command {
        ClientCommand::Deploy(args) => deploy::run(args, connection, format).await,
        ClientCommand::Run(args) => run::run(args, connection, format).await,
        ClientCommand::Delete(args) => delete::run(args, connection, format).await,
        ClientCommand::Create(args) => create::create(args, connection, format).await,
        ClientCommand::Cancel(args) => create::cancel(args, connection, format).await,
        ClientCommand::Activate(args) => job::activate(args, connection, format).await,
        ClientCommand::Complete(args) => job::complete(args, connection, format).await,
        ClientCommand::Fail(args) => job::fail(args, connection, format).await,
        ClientCommand::Throw(args) => job::throw(args, connection, format).await,
        ClientCommand::Update(command) => update::run(command, connection, format).await,
        ClientCommand::Modify(args) => modify::run(args, connection, format).await,
        ClientCommand::Migrate(args) => migrate::run(args, connection, format).await,
        ClientCommand::Set(args) => set::run(args, connection, format).await,
        ClientCommand::Publish(args) => message::publish(args, connection, format).await,
        ClientCommand::Signal(args) => message::signal(args, connection, format).await,
        ClientCommand::Resolve(args) => incident::resolve(args, connection, format).await,
        ClientCommand::Get(command) => get::run(command, connection, format).await,
        ClientCommand::Services(args) => services::services(args, connection, format).await,
        ClientCommand::Lookup(args) => services::lookup(args, connection, format).await,
        ClientCommand::Kv(command) => kv::run(command, connection, format).await,
        // It alone has an exit code of its own.
        ClientCommand::Register(_) => Ok(()),
        ClientCommand::Status => status::run(connection, format).await,
        ClientCommand::Watch(args) => watch::run(args, connection, format).await,
    }
}

/// The JSON text of variables: the text itself, or the file that `@FILE` names.
#[expect(clippy::zero_sized_map_values, reason = "a set is not read from a JSON object")]
fn document(argument: &str) -> Result<String, CliError> {
    let text = match argument.strip_prefix('@') {
        None => argument.to_owned(),
        Some(path) => std::fs::read_to_string(path).map_err(|source| CliError::File {
            path: path.into(),
            doing: "read",
            source,
        })?,
    };
    match serde_json::from_str::<HashMap<String, IgnoredAny>>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(CliError::Usage(format!("the variables are no JSON object: {error}"))),
    }
}

/// JSON text as a value for output; text that is none stays text.
fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
