//! `coreto completion`

use std::io::Write;
use std::process::ExitCode;

use crate::args::{Cli, CompletionArgs};

/// Prints the script of a shell.
pub(crate) fn print(args: &CompletionArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::shown(), "coreto", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
