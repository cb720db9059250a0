//! The reference for users, `docs/edge.md`: each example is sound, each claim below it holds, and no key is missing.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use coreto_edge::{Config, render};

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/edge.md");
    std::fs::read_to_string(path).expect("the document is there")
}

/// The blocks of the document: mark and text.
fn blocks(document: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = document.split("```").collect();
    let blocks = parts.iter().skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').expect("a block has lines")).collect()
}

#[test]
fn every_example_does_what_is_said_of_it() {
    let document = document();
    let mut last = String::new();
    let (mut claims, mut failures) = (0, Vec::new());
    for (mark, text) in blocks(&document) {
        match mark {
            "toml" | "toml faulty" => {
                if mark == "toml"
                    && let Err(faults) = Config::read(text)
                {
                    failures.push(format!("{faults:#?}"));
                }
                text.clone_into(&mut last);
            }
            "claims" => {
                let Ok(config) = Config::read(&last) else { continue };
                claims += text.lines().count();
                failures.extend(text.lines().filter_map(|claim| support::broken(&config, claim)));
            }
            "faults" => {
                let faults = Config::read(&last).expect_err("the example has faults");
                let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
                assert_eq!(said, text.lines().collect::<Vec<_>>());
            }
            other => panic!("a block is marked `{other}`"),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(claims > 20, "only {claims} claims were found");
}

/// The rows of the list of keys: section and key, with the default.
fn rows(document: &str) -> BTreeMap<(String, String), String> {
    let mut section = "";
    let mut rows = BTreeMap::new();
    for line in document.lines() {
        if let Some(heading) = line.strip_prefix("### `[").and_then(|rest| rest.strip_suffix("]`")) {
            section = heading.trim_matches(['[', ']']);
        } else if let Some(row) = line.strip_prefix("| `").filter(|_| !section.is_empty()) {
            let (key, rest) = row.split_once("` | ").expect("a row has a key");
            let default =
                rest.split(" | ").next().unwrap_or_default().trim_start_matches("| ").trim_matches('`');
            let default = if rest.starts_with('|') { "" } else { default };
            rows.insert((section.to_owned(), key.to_owned()), default.to_owned());
        }
    }
    rows
}

/// The lines of a rendered file: section and key, with the value.
fn lines(rendered: &str) -> Vec<((String, String), String)> {
    let mut section = "";
    let mut lines = Vec::new();
    for line in rendered.lines().filter(|line| !line.is_empty()) {
        match line.split_once(" = ") {
            Some((key, value)) => lines.push(((section.to_owned(), key.to_owned()), value.to_owned())),
            None => section = line.trim_matches(['[', ']']),
        }
    }
    lines
}

fn rendered(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    let text = std::fs::read_to_string(path).expect("the case is there");
    render(&Config::read(&text).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

#[test]
fn no_key_is_missing_and_none_is_made_up() {
    let rows = rows(&document());
    let known: BTreeSet<(String, String)> =
        lines(&rendered("every-key.toml")).into_iter().map(|(key, _)| key).collect();
    let told: BTreeSet<(String, String)> = rows.keys().cloned().collect();
    let short = ("cluster".to_owned(), "endpoints".to_owned());
    let missing: Vec<_> = known.difference(&told).collect();
    let made_up: Vec<_> = told.difference(&known).filter(|key| **key != short).collect();
    assert!(missing.is_empty() && made_up.is_empty(), "missing: {missing:?}\nmade up: {made_up:?}");
}

#[test]
fn every_default_is_what_the_reference_says() {
    let rows = rows(&document());
    let mut compared = 0;
    for (key, value) in lines(&rendered("defaults.toml")) {
        // The case has to say these, to have every table.
        if [("cluster", "balance"), ("route", "prefix")].contains(&(key.0.as_str(), key.1.as_str())) {
            continue;
        }
        let told = rows.get(&key).unwrap_or_else(|| panic!("{key:?} is not in the reference"));
        if !told.is_empty() {
            assert_eq!(*told, value, "{key:?}");
            compared += 1;
        }
    }
    assert!(compared > 70, "only {compared} defaults were compared");
}
