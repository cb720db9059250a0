//! `.ci/budget`: how many minutes each suite may take on the machine of continuous integration.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::workspace::Workspace;

/// Minutes by suite.
pub(crate) struct Budget(BTreeMap<String, Duration>);

impl Budget {
    /// Reads `.ci/budget`.
    pub(crate) fn of_workspace(workspace: &Workspace) -> anyhow::Result<Budget> {
        let text = std::fs::read_to_string(workspace.root.join(".ci").join("budget"))
            .context("cannot read `.ci/budget`")?;
        Budget::parse(&text).context("in `.ci/budget`")
    }

    /// Reads lines of `suite minutes`; `#` begins a comment.
    fn parse(text: &str) -> anyhow::Result<Budget> {
        let mut minutes = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let parsed = line
                .split_once(char::is_whitespace)
                .and_then(|(suite, minutes)| Some((suite, minutes.trim().parse::<u32>().ok()?)));
            let Some((suite, count)) = parsed else {
                bail!("line {}: expected `suite minutes`, found `{line}`", number + 1);
            };
            if minutes.insert(suite.to_owned(), Duration::from_mins(count.into())).is_some() {
                bail!("line {}: `{suite}` has its minutes twice", number + 1);
            }
        }
        Ok(Budget(minutes))
    }

    /// The time of a suite.
    ///
    /// # Errors
    /// When the file has no line for it.
    pub(crate) fn of(&self, suite: &str) -> anyhow::Result<Duration> {
        self.0.get(suite).copied().with_context(|| format!("`.ci/budget` has no line for `{suite}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_suites_and_refuses_other_lines() {
        let budget = Budget::parse("# minutes\nfmt 1 # quick\n\ntest 20\n").unwrap();
        assert_eq!(budget.of("test").unwrap(), Duration::from_mins(20));
        assert!(budget.of("conform").is_err());
        assert!(Budget::parse("fmt one").is_err());
        assert!(Budget::parse("fmt 1\nfmt 2").is_err());
    }
}
