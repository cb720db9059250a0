//! `coreto bench`: a load generator, what this machine can do at best, and the engine without its doors.

mod in_process;

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use coreto_cli::bench::{self, Options};

#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// Measure partition and disk log in this process, without a gateway and without a server.
    #[arg(long)]
    in_process: bool,

    /// With --in-process: the directory that holds the log; a temporary one without it.
    #[arg(long, value_name = "DIR", requires = "in_process")]
    in_process_data: Option<std::path::PathBuf>,

    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(args: &BenchArgs, json: bool) -> anyhow::Result<ExitCode> {
    // Not locked: as the ceiling's server this call says where it listens from another thread.
    let mut out = std::io::stdout();
    if args.in_process {
        let shown = in_process::run(args.in_process_data.as_deref(), &args.options)?;
        if json {
            writeln!(out, "{}", shown.json)?;
        } else {
            writeln!(out, "{}", shown.text)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(report) = bench::run(&args.options)? else { return Ok(ExitCode::SUCCESS) };
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(ExitCode::SUCCESS)
}
