//! Which of our crates may use which; changing this list is a decision.

use super::Finding;
use crate::workspace::Workspace;

/// A crate, and those of ours that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("coreto-machine", &[]),
    ("coreto-feel", &[]),
    ("coreto-record", &["coreto-machine"]),
    ("coreto-xml", &[]),
    ("coreto-bpmn", &["coreto-feel", "coreto-xml"]),
    ("coreto-dmn", &["coreto-feel", "coreto-xml"]),
    ("coreto-engine", &["coreto-machine", "coreto-feel", "coreto-record", "coreto-bpmn", "coreto-dmn"]),
    ("coreto-catalog", &["coreto-machine", "coreto-record"]),
    ("coreto-listen", &[]),
    ("coreto-log", &["coreto-machine"]),
    ("coreto-partition", &["coreto-machine", "coreto-log"]),
    (
        "coreto-view",
        &[
            "coreto-machine",
            "coreto-feel",
            "coreto-record",
            "coreto-bpmn",
            "coreto-engine",
            "coreto-log",
            "coreto-partition",
        ],
    ),
    ("coreto-proxy", &[]),
    ("coreto-edge", &["coreto-proxy"]),
    (
        "coreto-discovery",
        &[
            "coreto-machine",
            "coreto-record",
            "coreto-catalog",
            "coreto-listen",
            "coreto-log",
            "coreto-partition",
            "coreto-sim",
        ],
    ),
    ("coreto-dns", &["coreto-machine", "coreto-catalog", "coreto-listen", "coreto-partition"]),
    ("coreto-protocol", &[]),
    (
        "coreto-grpc",
        &[
            "coreto-machine",
            "coreto-record",
            "coreto-bpmn",
            "coreto-engine",
            "coreto-log",
            "coreto-partition",
            "coreto-view",
            "coreto-protocol",
            "coreto-sim",
        ],
    ),
    (
        "coreto-rest",
        &[
            "coreto-machine",
            "coreto-listen",
            "coreto-record",
            "coreto-bpmn",
            "coreto-engine",
            "coreto-partition",
            "coreto-view",
            "coreto-protocol",
        ],
    ),
    ("coreto-cli", &["coreto-machine", "coreto-protocol"]),
    ("coreto-worker-macros", &[]),
    ("coreto-worker", &["coreto-protocol", "coreto-worker-macros"]),
    (
        "coreto",
        &[
            "coreto-machine",
            "coreto-feel",
            "coreto-record",
            "coreto-xml",
            "coreto-bpmn",
            "coreto-dmn",
            "coreto-engine",
            "coreto-catalog",
            "coreto-discovery",
            "coreto-dns",
            "coreto-edge",
            "coreto-log",
            "coreto-partition",
            "coreto-view",
            "coreto-protocol",
            "coreto-grpc",
            "coreto-rest",
            "coreto-cli",
            "coreto-worker",
        ],
    ),
    (
        "coreto-cases",
        &[
            "coreto-machine",
            "coreto-record",
            "coreto-bpmn",
            "coreto-catalog",
            "coreto-engine",
            "coreto-log",
            "coreto-partition",
        ],
    ),
    (
        "coreto-sim",
        &[
            "coreto-machine",
            "coreto-catalog",
            "coreto-feel",
            "coreto-record",
            "coreto-bpmn",
            "coreto-engine",
            "coreto-log",
            "coreto-partition",
        ],
    ),
    ("coreto-bench", &["coreto-dmn", "coreto-engine", "coreto-feel", "coreto-machine", "coreto-record"]),
    ("example-order", &["coreto-worker"]),
    ("xtask", &["coreto-dmn", "coreto-feel", "coreto-xml"]),
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let ours: Vec<&str> = workspace.members().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in workspace.members() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            findings.push(format!("`{}` has no line in `xtask/src/tidy/arrows.rs`", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            if ours.contains(&name) && !allowed.contains(&name) && name != package.name {
                findings.push(format!("`{}` may not use `{name}`", package.name));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_arrows_that_are_not_allowed_and_crates_without_a_line() {
        let workspace = Workspace::of(&[
            ("coreto-record", true, &["coreto-machine", "serde"]),
            ("coreto-machine", true, &["coreto-log"]),
            ("coreto-log", true, &[]),
            ("coreto-new", true, &[]),
            ("serde", false, &[]),
        ]);
        assert_eq!(
            check(&workspace),
            [
                "`coreto-machine` may not use `coreto-log`",
                "`coreto-new` has no line in `xtask/src/tidy/arrows.rs`",
            ]
        );
    }
}
