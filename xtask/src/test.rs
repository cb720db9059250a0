//! `cargo xtask test`: all suites, each in its time.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::budget::Budget;
use crate::process::{self, End};
use crate::workspace::Workspace;
use crate::{EXIT_SKIPPED, Verdict};

/// Variables that name folders of data which is not part of the repository.
const FOLDERS: [&str; 3] = ["CORETO_CONFORM", "CORETO_CORPUS", "CORETO_TCK"];

/// A suite: its name in `.ci/budget`, and the command that runs it.
struct Suite {
    name: &'static str,
    command: Plan,
}

enum Plan {
    Cargo(&'static [&'static str]),
    /// This program, with these arguments.
    Own(Vec<OsString>),
    /// Nothing to run, for want of a variable.
    Skip {
        variable: &'static str,
        to: &'static str,
    },
}

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Verdict> {
    let budget = Budget::of_workspace(workspace)?;
    // Asked before the first suite builds: cargo then puts another file in this one's place, and the system would
    // answer with a path that is no longer there.
    let own = std::env::current_exe().context("where is this program?")?;
    let mut results = Vec::new();
    for suite in suites() {
        let time = budget.of(suite.name)?;
        println!("== {}", suite.name);
        let start = Instant::now();
        let verdict = run_one(workspace, &own, &suite, time)?;
        results.push((suite.name, verdict, start.elapsed(), time));
    }
    Ok(report(&results))
}

fn suites() -> Vec<Suite> {
    let suite = |name, command| Suite { name, command };
    let own = |name: &str| Plan::Own(vec![name.into()]);
    vec![
        suite("fmt", Plan::Cargo(&["fmt", "--all", "--check"])),
        suite("build", Plan::Cargo(&["build", "--release", "--workspace", "--bins"])),
        suite(
            "clippy",
            Plan::Cargo(&["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ),
        suite(
            "test",
            Plan::Cargo(&["test", "--release", "--workspace", "--exclude", "coreto-sim", "--no-fail-fast"]),
        ),
        // Of the workspace, not of the package: with the package's own choice of features all would be built again.
        suite(
            "sim",
            Plan::Cargo(&[
                "test",
                "--release",
                "--workspace",
                "--test",
                "seeds",
                "--test",
                "service",
                "--test",
                "transactions",
            ]),
        ),
        suite("tidy", own("tidy")),
        suite("clients", own("clients")),
        suite("edge-tools", own("edge-tools")),
        suite("corpus", folder_suite("corpus", "CORETO_CORPUS", "check a corpus of models")),
        suite("tck", folder_suite("tck", "CORETO_TCK", "run the test cases of the DMN TCK")),
        suite("conform", folder_suite("conform", "CORETO_CONFORM", "run the conformance kit")),
    ]
}

/// A suite that needs a folder, named by a variable of the environment.
fn folder_suite(name: &'static str, variable: &'static str, to: &'static str) -> Plan {
    match folder(variable) {
        Some(folder) => Plan::Own(vec![name.into(), folder.into()]),
        None => Plan::Skip { variable, to },
    }
}

/// A folder of the environment, as an absolute path: tests run in other directories than the user is in.
fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).filter(|folder| !folder.is_empty())?;
    std::path::absolute(folder).ok()
}

fn run_one(workspace: &Workspace, own: &Path, suite: &Suite, time: Duration) -> anyhow::Result<Verdict> {
    let mut command = match &suite.command {
        Plan::Skip { variable, to } => {
            println!("skipped: set {variable}=DIR to {to}");
            return Ok(Verdict::Skipped);
        }
        Plan::Cargo(arguments) => {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(*arguments);
            cargo
        }
        Plan::Own(arguments) => {
            let mut command = Command::new(own);
            command.args(arguments);
            command
        }
    };
    command.current_dir(&workspace.root);
    for variable in FOLDERS {
        if let Some(folder) = folder(variable) {
            command.env(variable, folder);
        }
    }
    Ok(match process::run(&mut command, time)? {
        End::Exited(status) if status.success() => Verdict::Passed,
        End::Exited(status) if status.code() == Some(i32::from(EXIT_SKIPPED)) => Verdict::Skipped,
        End::Exited(_) => Verdict::Failed,
        End::OutOfTime => {
            println!("{}: stopped, its time of {} minutes is over", suite.name, time.as_secs() / 60);
            Verdict::Failed
        }
    })
}

fn report(results: &[(&str, Verdict, Duration, Duration)]) -> Verdict {
    println!("== timings");
    let count = |wanted| results.iter().filter(|(_, verdict, ..)| *verdict == wanted).count();
    for (name, verdict, taken, time) in results {
        let verdict = match verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "FAILED",
            Verdict::Skipped => "skipped",
        };
        println!("{name:<10} {verdict:<8} {:>7.1} s of {:>4} s", taken.as_secs_f64(), time.as_secs());
    }
    let failed = count(Verdict::Failed);
    println!("{} passed, {failed} failed, {} skipped", count(Verdict::Passed), count(Verdict::Skipped));
    if failed == 0 { Verdict::Passed } else { Verdict::Failed }
}
