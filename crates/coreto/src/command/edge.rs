//! `coreto edge`: the gateway, and its configuration without a gateway.

mod serve;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use coreto_cli::CliError;
use coreto_edge::diff::{Kind, diff};
use coreto_edge::explain::{Question, explain};
use coreto_edge::{Config, Fault, render};
use serde_json::json;

use crate::command::check::content;

/// A gateway to run, or what else is to be done with its configuration.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct EdgeArgs {
    #[command(subcommand)]
    command: Option<EdgeCommand>,
    #[command(flatten)]
    serve: EdgeServeArgs,
}

/// A gateway to run.
#[derive(Args, Debug)]
pub(crate) struct EdgeServeArgs {
    /// The configuration. SIGHUP reads it again.
    #[arg(long, default_value = "edge.toml", value_name = "FILE")]
    config: PathBuf,
    /// Threads that serve; one per processor without it.
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// Where a line of JSON goes for each request: a file, `-` for standard output, or `off`.
    #[arg(long, default_value = "-", value_name = "FILE")]
    access_log: String,
    /// A Unix socket: the gateway that listens there hands its sockets over and ends; then this one listens there.
    #[arg(long, value_name = "SOCKET")]
    hand_over: Option<PathBuf>,
}

/// What can be done with a gateway's configuration.
#[derive(Subcommand, Debug)]
pub(crate) enum EdgeCommand {
    /// Check configurations: all that is wrong with them, with line and key.
    Check(EdgeCheckArgs),
    /// What changes from one configuration to another.
    Diff(EdgeDiffArgs),
    /// Which route takes a request, which others fit, and why they come later.
    Explain(EdgeExplainArgs),
    /// The whole configuration, with every default in it.
    Print(EdgePrintArgs),
}

/// Configurations to check.
#[derive(Args, Debug)]
pub(crate) struct EdgeCheckArgs {
    #[arg(default_value = "edge.toml", value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Configurations to compare.
#[derive(Args, Debug)]
pub(crate) struct EdgeDiffArgs {
    /// The configuration before.
    before: PathBuf,
    /// The configuration after.
    after: PathBuf,
}

/// A request to ask about.
#[derive(Args, Debug)]
pub(crate) struct EdgeExplainArgs {
    /// The configuration.
    file: PathBuf,
    /// The method, such as `GET`.
    method: String,
    /// The URL, such as `http://api.example/orders?v=2`.
    url: String,
    /// A header of the request; may be there several times.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
}

/// A configuration to print.
#[derive(Args, Debug)]
pub(crate) struct EdgePrintArgs {
    #[arg(default_value = "edge.toml", value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: &EdgeArgs, json: bool) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => serve::serve(&args.serve, json),
        Some(EdgeCommand::Check(args)) => check(args, json),
        Some(EdgeCommand::Diff(args)) => tell_diff(args, json),
        Some(EdgeCommand::Explain(args)) => tell_contest(args, json),
        Some(EdgeCommand::Print(args)) => print(args, json),
    }
}

fn check(args: &EdgeCheckArgs, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut refused = 0;
    for file in &args.files {
        let faults = Config::read(&text(file)?).err().unwrap_or_default();
        refused += usize::from(!faults.is_empty());
        if json {
            let list: Vec<_> = faults.iter().map(fault_json).collect();
            writeln!(out, "{}", json!({ "file": file, "ok": faults.is_empty(), "faults": list }))?;
        } else {
            faults.iter().try_for_each(|fault| writeln!(out, "{}: {fault}", file.display()))?;
        }
    }
    if !json {
        let count = args.files.len();
        writeln!(out, "{count} file{} checked, {refused} refused", if count == 1 { "" } else { "s" })?;
    }
    Ok(ExitCode::from(u8::from(refused > 0)))
}

fn tell_diff(args: &EdgeDiffArgs, json: bool) -> anyhow::Result<ExitCode> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let mut out = std::io::stdout().lock();
    let changes = diff(&before, &after);
    if json {
        let changes: Vec<_> = changes
            .iter()
            .map(|change| match &change.kind {
                Kind::Added => json!({ "part": change.part, "change": "added" }),
                Kind::Removed => json!({ "part": change.part, "change": "removed" }),
                Kind::Moved => json!({ "part": change.part, "change": "moved" }),
                Kind::Changed(gone, new) => {
                    json!({ "part": change.part, "change": "changed", "before": gone, "after": new })
                }
            })
            .collect();
        writeln!(out, "{}", json!({ "changes": changes }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if changes.is_empty() {
        writeln!(out, "nothing changes")?;
    }
    for change in &changes {
        match &change.kind {
            Kind::Added => writeln!(out, "+ {}", change.part)?,
            Kind::Removed => writeln!(out, "- {}", change.part)?,
            Kind::Moved => writeln!(out, "~ {} stands elsewhere", change.part)?,
            Kind::Changed(gone, new) => {
                writeln!(out, "~ {}", change.part)?;
                gone.iter().try_for_each(|line| writeln!(out, "  - {line}"))?;
                new.iter().try_for_each(|line| writeln!(out, "  + {line}"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell_contest(args: &EdgeExplainArgs, json: bool) -> anyhow::Result<ExitCode> {
    let config = read(&args.file)?;
    let question = Question::read(&args.method, &args.url, &args.headers).map_err(CliError::Usage)?;
    let told = explain(&config, &question);
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "lines": told.lines().collect::<Vec<_>>() }))?;
    } else {
        write!(out, "{told}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(args: &EdgePrintArgs, json: bool) -> anyhow::Result<ExitCode> {
    let rendered = render(&read(&args.file)?);
    let mut out = std::io::stdout().lock();
    if json {
        let table: toml::Table = rendered.parse().context("what was rendered does not read back")?;
        writeln!(out, "{}", serde_json::to_string(&table)?)?;
    } else {
        write!(out, "{rendered}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(file: &Path) -> anyhow::Result<String> {
    String::from_utf8(content(file)?).with_context(|| format!("`{}` is no text in UTF-8", file.display()))
}

/// A configuration that must be sound, since it is not what is asked about.
fn read(file: &Path) -> anyhow::Result<Config> {
    Config::read(&text(file)?).map_err(|faults| {
        let list: Vec<String> = faults.iter().map(|fault| format!("{}: {fault}", file.display())).collect();
        anyhow!("`{}` is not sound:\n{}", file.display(), list.join("\n"))
    })
}

fn fault_json(fault: &Fault) -> serde_json::Value {
    json!({ "line": fault.line, "place": fault.place, "message": fault.message })
}
