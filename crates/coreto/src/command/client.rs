//! Commands that are clients of a running server.

use std::process::ExitCode;

use coreto_cli::command::{self, ClientCommand};
use coreto_cli::connect::Connection;
use coreto_cli::output::Format;

use crate::command::check::{self, Report};

pub(crate) fn run(command: ClientCommand, connection: &Connection, json: bool) -> anyhow::Result<ExitCode> {
    let files = match &command {
        ClientCommand::Deploy(args) => &*args.files,
        ClientCommand::Run(args) => &*args.files,
        _ => &[],
    };
    if !files.is_empty() {
        // A server tells what it refuses, in words, and no warnings. What cannot be read is told by the command.
        let mut found = Report::beside_a_server(std::io::stderr().lock(), json);
        let _ = check::check(files, &mut found);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let format = if json { Format::Json } else { Format::Text };
    Ok(runtime.block_on(command::run(command, connection, format))?)
}
