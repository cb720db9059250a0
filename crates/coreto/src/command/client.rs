//! Commands that are clients of a running server.

use std::process::ExitCode;

use coreto_cli::command::{self, ClientCommand};
use coreto_cli::connect::Connection;
use coreto_cli::output::Format;

pub(crate) fn run(command: ClientCommand, connection: &Connection, json: bool) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let format = if json { Format::Json } else { Format::Text };
    runtime.block_on(command::run(command, connection, format))?;
    Ok(ExitCode::SUCCESS)
}
