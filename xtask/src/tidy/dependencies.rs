//! Every package that we use directly has its reason in `docs/dependencies.md`.

use std::collections::BTreeSet;

use anyhow::Context;

use super::Finding;
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let path = workspace.root.join("docs").join("dependencies.md");
    let page = std::fs::read_to_string(&path).context("cannot read `docs/dependencies.md`")?;
    let explained: BTreeSet<&str> = page.lines().filter_map(subject).collect();
    let ours: BTreeSet<&str> = workspace.members().map(|package| package.name.as_str()).collect();
    let used: BTreeSet<&str> = workspace
        .members()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.name.as_str())
        .filter(|name| !ours.contains(name))
        .collect();
    let missing = used
        .iter()
        .filter(|name| !explained.contains(*name))
        .map(|name| format!("`{name}` has no line in `docs/dependencies.md`"));
    Ok(missing.collect())
}

/// The package that a row of the page's table speaks of.
fn subject(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)
}
