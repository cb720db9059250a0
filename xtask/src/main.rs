//! What continuous integration and newcomers run: `cargo xtask test`, and its parts one by one.
//!
//! **In:** the name of a suite, and for some of them a folder.
//! **Out:** a report for people; the exit status is 0 (passed), 1 (failed), 2 (wrong use) or 77 (skipped).
//!
//! # Invariants
//! - Nothing is installed by compiling it, and nothing outside the target directory and `tests/clients/.setup` is
//!   written.
//! - Every suite has its minutes in `.ci/budget`; one that needs more is stopped and has failed.
//! - Servers listen on 127.0.0.1 at free ports, and are stopped whatever happened.
//!
//! # Where to look
//! `test.rs` runs all suites · `suite/` those that need the program · `tidy/` the rules of the house · `server.rs`
//! a running program · `tool.rs` Python and Node · `workspace.rs` what cargo knows.

#![expect(clippy::print_stdout, reason = "the report on standard output is what this program is for")]

mod budget;
mod process;
mod server;
mod suite;
mod test;
mod tidy;
mod tool;
mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask SUITE

  test           all suites, as continuous integration runs them
  tidy           arrows between crates, purity of the core, licences, doubled versions, sizes, words
  clients        unmodified foreign clients against the program (Python 3, Node 20)
  edge-tools     curl, wrk, h2load, hey, openssl, npm's ws and gRPC's Python library against the gateway
  conform DIR    the conformance kit in DIR against the program (Python 3)
  corpus DIR     every BPMN and DMN model below DIR through `coreto check`
  tck DIR        the test cases of the DMN TCK below DIR";

/// How a suite ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// Something that it needs is not here; one line has said what.
    Skipped,
}

/// The exit status that says "skipped", as in other test runners.
pub(crate) const EXIT_SKIPPED: u8 = 77;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_none_or(|first| first == "--help" || first == "-h" || first == "help") {
        println!("{USAGE}");
        return ExitCode::from(u8::from(arguments.is_empty()) * 2);
    }
    match run(&arguments) {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::FAILURE,
        Ok(Verdict::Skipped) => ExitCode::from(EXIT_SKIPPED),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[OsString]) -> anyhow::Result<Verdict> {
    let name = arguments[0].to_str().context("the name of the suite is not UTF-8")?;
    let folder = arguments.get(1).map(PathBuf::from);
    if arguments.len() > 2 {
        bail!("`{name}` takes at most one argument\n{USAGE}");
    }
    let workspace = Workspace::read()?;
    match (name, folder) {
        ("test", None) => test::run(&workspace),
        ("tidy", None) => tidy::run(&workspace),
        ("clients", None) => suite::clients::run(&workspace),
        ("edge-tools", None) => suite::edge_tools::run(&workspace),
        ("conform", Some(folder)) => suite::conform::run(&workspace, &folder),
        ("corpus", Some(folder)) => suite::corpus::run(&workspace, &folder),
        ("tck", Some(folder)) => suite::tck::run(&folder),
        ("conform" | "corpus" | "tck", None) => bail!("`{name}` needs a folder: cargo xtask {name} DIR"),
        ("test" | "tidy" | "clients" | "edge-tools", Some(_)) => bail!("`{name}` takes no argument"),
        _ => bail!("unknown suite `{name}`\n{USAGE}"),
    }
}
