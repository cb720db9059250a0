//! The rules of the house that no compiler checks.
//!
//! Each rule is a file with one function that returns its findings; none stops at the first.

mod arrows;
mod codes;
mod dependencies;
mod doubles;
mod exceptions;
mod licences;
mod purity;
mod size;
mod source;
mod sources;
mod words;

use crate::Verdict;
use crate::workspace::Workspace;

/// What is wrong, in one sentence with its place.
type Finding = String;

/// Checks all rules and prints what they found.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Verdict> {
    let rules: [(&str, Vec<Finding>); 9] = [
        ("arrows between crates", arrows::check(workspace)),
        ("purity of the core", purity::check(workspace)?),
        ("licences", licences::check(workspace)),
        ("doubled versions", doubles::check(workspace)?),
        ("sources of packages", sources::check(workspace)),
        ("reasons for dependencies", dependencies::check(workspace)?),
        ("long functions and files", size::check(workspace)?),
        ("words", words::check(workspace)?),
        ("pages of codes", codes::check(workspace)?),
    ];
    let mut verdict = Verdict::Passed;
    for (rule, findings) in rules {
        println!("tidy: {rule}: {}", if findings.is_empty() { "in order" } else { "not in order" });
        for finding in findings {
            println!("  {finding}");
            verdict = Verdict::Failed;
        }
    }
    Ok(verdict)
}
