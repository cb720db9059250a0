//! Packages come from this repository or from the public registry.

use super::Finding;
use crate::workspace::Workspace;

/// How cargo names the public registry in its lock file.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace
        .packages
        .iter()
        .filter(|package| match package.source.as_deref() {
            Some(source) => source != REGISTRY,
            None => !package.ours,
        })
        .map(|package| {
            let source = package.source.as_deref().unwrap_or("a folder that is no member");
            format!("`{} {}` comes from {source}", package.name, package.version)
        })
        .collect()
}
