//! Every package that we use directly has its reason in `docs/dependencies.md`, and the workspace names no other.

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
    let manifest = std::fs::read_to_string(workspace.root.join("Cargo.toml"))
        .context("cannot read the workspace's `Cargo.toml`")?;
    let unused = named(&manifest)
        .filter(|name| !used.contains(name) && !ours.contains(name))
        .map(|name| format!("`Cargo.toml` names `{name}`, which no crate uses"));
    Ok(missing.chain(unused).collect())
}

/// The packages that a manifest lists for the whole workspace.
fn named(manifest: &str) -> impl Iterator<Item = &str> {
    manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
}

/// The package that a row of the page's table speaks of.
fn subject(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_of_one_table() {
        let manifest = "[package]\na = 1\n[workspace.dependencies]\nb = { version = \"1\" }\n\nc-d = \"2\"\n[x]\ne = 1\n";
        assert_eq!(named(manifest).collect::<Vec<_>>(), ["b", "c-d"]);
    }
}
