//! Functions that do not fit on a screen, and files that do not fit in a head; their numbers only go down.

use std::path::Path;

use anyhow::{Context, bail};

use super::{Finding, source};
use crate::workspace::Workspace;

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;

/// How many there were when somebody last counted.
const RECORDED: &str = include_str!("size.txt");

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let (mut functions, mut files) = (Vec::new(), Vec::new());
    for file in source::rust_files(workspace, &workspace.root)? {
        let text = std::fs::read_to_string(workspace.root.join(&file))
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        let text = source::without_tests(&text);
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            files.push(format!("{}: {lines} lines", file.display()));
        }
        functions.extend(long_functions(&file, text));
    }
    let mut findings = Vec::new();
    for (what, found) in [("functions", functions), ("files", files)] {
        let recorded = recorded(what)?;
        for place in &found {
            println!("tidy: long: {place}");
        }
        if found.len() > recorded {
            findings.push(format!(
                "{} long {what}, {recorded} are recorded in `xtask/src/tidy/size.txt`: make them shorter",
                found.len()
            ));
        } else if found.len() < recorded {
            println!("tidy: {} long {what}: lower the {recorded} in `xtask/src/tidy/size.txt`", found.len());
        }
    }
    Ok(findings)
}

/// Functions by place with their lines. One ends at the brace that is indented as its first line.
fn long_functions(file: &Path, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(name) = function(code) else { continue };
        let closing = format!("{}}}", &line[..line.len() - code.len()]);
        let length = lines[start..].iter().position(|line| *line == closing).map_or(1, |end| end + 1);
        if length > FUNCTION_LINES_MAX {
            found.push(format!("{}:{}: `{name}` has {length} lines", file.display(), start + 1));
        }
    }
    found
}

/// The name, if the line begins a function with a body of more than this line.
fn function(code: &str) -> Option<&str> {
    let mut words = code.split_whitespace();
    let before_name = words.by_ref().take_while(|word| *word != "fn").all(|word| {
        matches!(word, "pub" | "const" | "async" | "unsafe" | "extern")
            || word.starts_with("pub(")
            || word.ends_with(')')
    });
    if !before_name || code.ends_with(';') || code.ends_with('}') {
        return None;
    }
    words.next().map(|name| name.split(['(', '<']).next().unwrap_or(name))
}

fn recorded(what: &str) -> anyhow::Result<usize> {
    for line in RECORDED.lines() {
        if let Some((name, count)) = line.split_once(' ')
            && name == what
        {
            return count.trim().parse().with_context(|| format!("`size.txt` has no number for {what}"));
        }
    }
    bail!("`xtask/src/tidy/size.txt` has no line for {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_of_functions() {
        let body = "    let x = 1;\n".repeat(70);
        let text = format!(
            "impl A {{\n    pub(crate) async fn long(\n{body}    }}\n    fn short() {{\n    }}\n}}\n"
        );
        let found = long_functions(Path::new("a.rs"), &text);
        assert_eq!(found, ["a.rs:2: `long` has 72 lines"]);
    }

    #[test]
    fn knows_what_begins_a_function() {
        assert_eq!(function("pub(in crate::a) const fn name<T>("), Some("name"));
        assert_eq!(function("fn declared(&self);"), None);
        assert_eq!(function("let f = |fn_| {"), None);
    }
}
