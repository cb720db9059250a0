//! `coreto bench`: a load generator, and what this machine can do at best.

use std::io::Write;
use std::process::ExitCode;

use coreto_cli::bench::{self, Options};

pub(crate) fn run(options: &Options, json: bool) -> anyhow::Result<ExitCode> {
    let Some(report) = bench::run(options)? else { return Ok(ExitCode::SUCCESS) };
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(ExitCode::SUCCESS)
}
