//! One package, one version.

use std::collections::BTreeMap;

use super::{Finding, exceptions};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &workspace.packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let exceptions = exceptions::read()?;
    let mut findings = Vec::new();
    for (package, mut found) in versions {
        found.sort_unstable();
        let exception = exceptions.iter().find(|exception| exception.package == package);
        let unexpected = match exception {
            None => found.len() > 1,
            Some(exception) => found.iter().any(|version| !exception.covers(version)),
        };
        if unexpected {
            findings.push(format!("`{package}` is there as {}", found.join(" and ")));
        }
    }
    for exception in exceptions {
        let count = workspace.packages.iter().filter(|package| package.name == exception.package).count();
        if count < 2 {
            findings.push(format!("the exception for `{}` has ended: drop its line", exception.package));
        }
    }
    Ok(findings)
}
