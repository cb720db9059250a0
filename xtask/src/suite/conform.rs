//! The conformance kit against the program: black-box cases with expectations and laws.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::budget::Budget;
use crate::process::{self, End};
use crate::server::{self, Server};
use crate::workspace::Workspace;
use crate::{Verdict, tool};

/// The line of releases whose behaviour is judged.
const VERSION: &str = "8.9";
/// Silence that counts as "nothing more will come", in milliseconds.
const SETTLE: &str = "60";
/// As many partitions as show what partitions can do wrong.
const SEVERAL: u32 = 3;
/// Cases that hold by chance where instances begin on several partitions: an older one may have the larger key.
const ONE_ORDER: [&str; 2] = ["lifecycle/two-instances", "messages/once-per-process"];
/// What is left of the suite's time for setting up before the cases and for telling after them.
const ASIDE: Duration = Duration::from_mins(1);

pub(crate) fn run(workspace: &Workspace, folder: &Path) -> anyhow::Result<Verdict> {
    if !tool::is_here("python3") {
        println!("skipped: the conformance kit needs Python 3");
        return Ok(Verdict::Skipped);
    }
    if !folder.join("cases").is_dir() || !folder.join("requirements.txt").is_file() {
        bail!("`{}` is no conformance kit: `cases/` or `requirements.txt` is missing", folder.display());
    }
    let python = tool::python(&workspace.scratch("python-conform")?, &folder.join("requirements.txt"))?;
    // The kit generates code beside its own, and its folder may be read-only.
    let kit = workspace.scratch("conform")?;
    copy(folder, &kit)?;
    let time = Budget::of_workspace(workspace)?.of("conform")?.saturating_sub(ASIDE) / 2;
    let alone = play(workspace, &python, &kit, 1, time)?;
    // With several partitions the kit leaves out what speaks of the order of records, but for this.
    for case in ONE_ORDER {
        println!(
            "conform: with several partitions without `{case}`, which takes the order of keys for that of time"
        );
        std::fs::remove_dir_all(kit.join("cases").join(case))
            .with_context(|| format!("the kit has no case `{case}`"))?;
    }
    let together = play(workspace, &python, &kit, SEVERAL, time)?;
    Ok(if alone && together { Verdict::Passed } else { Verdict::Failed })
}

/// Plays all cases against a server with so many partitions. Says whether all that can pass did.
fn play(
    workspace: &Workspace,
    python: &Path,
    kit: &Path,
    partitions: u32,
    time: Duration,
) -> anyhow::Result<bool> {
    println!("conform: {partitions} partition(s)");
    let port = server::free_port()?.to_string();
    let sink = format!("http://127.0.0.1:{port}");
    let export = ["--export-elasticsearch", &sink, "--export-elasticsearch-records", "all"];
    let count = partitions.to_string();
    let flags = ["--export-elasticsearch-delay", "5", "--clock", "controlled", "--partitions", &count];
    let mut server = Server::start(workspace, "conform", &[export.as_slice(), &flags].concat())?;

    let report = kit.join(format!("report-{partitions}.txt"));
    let output = File::create(&report).with_context(|| format!("cannot create `{}`", report.display()))?;
    let mut command = Command::new(python);
    command
        .args(["-m", "conform", "run", "--version", VERSION, "--settle", SETTLE, "--skip-unimplemented"])
        .args(["--grpc", &server.grpc, "--management", &server.management, "--sink-port", &port])
        .args((partitions > 1).then_some("--partitions-differ"))
        .current_dir(kit)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let end = process::run(&mut command, time)?;
    let counts = tell(&report)?;
    println!("conform: the whole report is in `{}`", report.display());
    if !server.lives() {
        println!("conform: the server has ended; see `{}`", server.log.display());
        return Ok(false);
    }
    match end {
        End::OutOfTime => {
            println!("conform: stopped after {} s", time.as_secs());
            Ok(false)
        }
        End::Exited(status) if status.success() && counts.passed > 0 => Ok(true),
        End::Exited(status) => {
            println!("conform: the kit ended with {status}");
            Ok(false)
        }
    }
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    not_implemented: usize,
    skipped: usize,
}

/// Prints failures whole, and how many cases ended how.
fn tell(report: &Path) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let mut failing = false;
    let file = File::open(report).with_context(|| format!("cannot read `{}`", report.display()))?;
    for line in BufReader::new(file).lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let status = words.next().unwrap_or_default();
        let is_case = words.next().is_some_and(|name| name.contains('/')) && !line.starts_with(' ');
        match status {
            "pass" if is_case => counts.passed += 1,
            "fail" if is_case => counts.failed += 1,
            "skip" if is_case && line.contains("not implemented") => counts.not_implemented += 1,
            "skip" if is_case => counts.skipped += 1,
            _ => {}
        }
        if is_case {
            failing = status == "fail";
        }
        if failing || !is_case && !line.starts_with(' ') && !line.is_empty() {
            println!("{line}");
        }
    }
    println!(
        "conform: {} passed, {} failed, {} not implemented, {} skipped",
        counts.passed, counts.failed, counts.not_implemented, counts.skipped
    );
    Ok(counts)
}

/// Copies a folder, but for what Python generates.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut open = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = open.pop() {
        std::fs::create_dir_all(&to).with_context(|| format!("cannot create `{}`", to.display()))?;
        let entries =
            std::fs::read_dir(&from).with_context(|| format!("cannot list `{}`", from.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list `{}`", from.display()))?;
            let generated =
                ["_gen", "__pycache__", ".git"].map(OsStr::new).contains(&entry.file_name().as_os_str());
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type()?;
            if kind.is_dir() && !generated {
                open.push((source, target));
            } else if kind.is_file() {
                // Read and written rather than copied, so that a read-only file does not stay read-only.
                let content =
                    std::fs::read(&source).with_context(|| format!("cannot read `{}`", source.display()))?;
                std::fs::write(&target, content)
                    .with_context(|| format!("cannot write `{}`", target.display()))?;
            }
        }
    }
    Ok(())
}
