//! One package, one version.

use std::collections::BTreeMap;

use super::Finding;
use super::exceptions::{self, Exception};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &workspace.packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    Ok(judge(versions, &exceptions::read()?))
}

fn judge(versions: BTreeMap<&str, Vec<&str>>, exceptions: &[Exception]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ended = exceptions
        .iter()
        .filter(|exception| versions.get(exception.package).is_none_or(|found| found.len() < 2));
    findings.extend(
        ended.map(|exception| format!("the exception for `{}` has ended: drop its line", exception.package)),
    );
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
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_doubles_without_a_reason_and_reasons_without_a_double() {
        let versions =
            [("syn", vec!["2.0.1", "3.0.0"]), ("http", vec!["1.0.0", "0.2.0"]), ("rand", vec!["1.0.0"])];
        let exceptions = [Exception::of("syn", &["2", "3"]), Exception::of("rand", &["0.9", "1"])];
        assert_eq!(
            judge(versions.into(), &exceptions),
            ["the exception for `rand` has ended: drop its line", "`http` is there as 0.2.0 and 1.0.0",]
        );
        let third = [("syn", vec!["1.0.0", "2.0.1", "3.0.0"])];
        assert_eq!(judge(third.into(), &exceptions[..1]), ["`syn` is there as 1.0.0 and 2.0.1 and 3.0.0"]);
    }
}
