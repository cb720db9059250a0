//! Words that may not be in the tree: paths of one machine, hosts of package registries.

use std::path::Path;

use anyhow::Context;

use super::Finding;
use crate::workspace::Workspace;

/// One pattern a line, with the files that may hold it behind a `|`; `#` begins a comment.
const PATTERNS: &str = include_str!("words.txt");
/// The list itself is not looked at.
const LIST: &str = "xtask/src/tidy/words.txt";

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let patterns: Vec<(&str, Vec<&str>)> = PATTERNS
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.split('|').map(str::trim);
            (fields.next().unwrap_or_default(), fields.collect())
        })
        .collect();
    let mut findings = Vec::new();
    for file in workspace.files()?.iter().filter(|file| file.as_path() != Path::new(LIST)) {
        let content = std::fs::read(workspace.root.join(file))
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        // What is not text has no words.
        let Ok(text) = std::str::from_utf8(&content) else { continue };
        for (pattern, allowed) in &patterns {
            if allowed.iter().any(|place| Path::new(place) == file) {
                continue;
            }
            for (number, _) in text.lines().enumerate().filter(|(_, line)| line.contains(pattern)) {
                findings.push(format!("{}:{}: may not say `{pattern}`", file.display(), number + 1));
            }
        }
    }
    Ok(findings)
}
