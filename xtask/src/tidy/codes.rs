//! Every code of a diagnostic or an error has its page in `docs/errors/`, and every page its code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;

use super::{Finding, source};
use crate::workspace::Workspace;

/// Families of codes.
const FAMILIES: &[&str] = &["BPMN", "FEEL", "DMN", "CFG", "LOG", "PART"];

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let mut named: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in source::rust_files(workspace, &workspace.root.join("crates"))? {
        let text = std::fs::read_to_string(workspace.root.join(&file))
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        let text = source::without_tests(&text);
        for code in codes(text).map(str::to_owned).chain(assembled(text)) {
            named.entry(code).or_insert_with(|| file.clone());
        }
    }
    let folder = workspace.root.join("docs").join("errors");
    let mut findings: Vec<Finding> = named
        .iter()
        .filter(|(code, _)| !folder.join(format!("{code}.md")).is_file())
        .map(|(code, file)| format!("{}: `{code}` has no page in `docs/errors/`", file.display()))
        .collect();
    for file in workspace.files()? {
        let Ok(page) = file.strip_prefix("docs/errors") else { continue };
        let name = page.file_stem().unwrap_or_default().to_string_lossy();
        if codes(&name).next().is_some_and(|code| code == name && !named.contains_key(code)) {
            findings.push(format!("{}: no source names this code", file.display()));
        }
    }
    Ok(findings)
}

/// Codes such as `BPMN-0012`.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('-').filter_map(|(dash, _)| {
        let family = FAMILIES.iter().find(|family| text[..dash].ends_with(**family))?;
        let digits = text.get(dash + 1..dash + 5)?;
        let ends = !text[dash + 5..].starts_with(|next: char| next.is_ascii_digit());
        (ends && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| &text[dash - family.len()..dash + 5])
    })
}

/// Codes of a list whose macro puts the family before each number.
fn assembled(text: &str) -> impl Iterator<Item = String> {
    let family = FAMILIES.iter().find(|family| text.contains(&format!("concat!(\"{family}-\"")));
    family.into_iter().flat_map(move |family| {
        text.split('"')
            .filter(|literal| literal.len() == 4 && literal.bytes().all(|byte| byte.is_ascii_digit()))
            .map(move |number| format!("{family}-{number}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_codes() {
        let found: Vec<&str> = codes("`BPMN-0012`, ISO-8859, CFG-0003 and BPMN-00123").collect();
        assert_eq!(found, ["BPMN-0012", "CFG-0003"]);
    }

    #[test]
    fn finds_codes_that_a_macro_assembles() {
        let list = "concat!(\"LOG-\", $number)\nTorn = \"0003\",\nOther = \"x\"";
        assert_eq!(assembled(list).collect::<Vec<_>>(), ["LOG-0003"]);
        assert_eq!(assembled("Torn = \"0003\"").count(), 0);
    }
}
