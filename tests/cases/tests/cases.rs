//! Plays every `case.txt` below this package's folder and compares the trace behind its `----`.
//!
//! `UPDATE=1 cargo test --release -p coreto-cases --test cases` writes the traces anew; `CASE=job/` plays only the
//! cases whose path contains the text.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use coreto_cases::{catalog, play};

#[test]
fn cases_do_what_they_claim() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = std::env::var("CASE").unwrap_or_default();
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases = Vec::new();
    collect(root, &mut cases);
    cases.retain(|case| case.to_string_lossy().contains(&wanted));
    cases.sort();
    assert!(!cases.is_empty(), "there is no case whose path contains `{wanted}`");
    let faults: Vec<String> = cases.iter().filter_map(|case| check(root, case, update).err()).collect();
    assert!(faults.is_empty(), "{} of {} cases:\n\n{}", faults.len(), cases.len(), faults.join("\n\n"));
}

fn collect(folder: &Path, cases: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, cases);
        } else if path.file_name().is_some_and(|name| name == "case.txt") {
            cases.push(path);
        }
    }
}

fn check(root: &Path, case: &Path, update: bool) -> Result<(), String> {
    let text = fs::read_to_string(case).unwrap();
    let (script, expected) = text.split_once("----\n").unwrap_or((&text, ""));
    let name = case.parent().unwrap().strip_prefix(root).unwrap().display().to_string();
    if !script.starts_with("# ") {
        return Err(format!("{name}: the first line is to say what the case claims, behind `# `"));
    }
    let played = if name.starts_with("catalog/") {
        catalog::play(script)
    } else {
        play::play(script, &|file| load(root, case, file))
    };
    let found = played.map_err(|fault| format!("{name}: {fault}"))?;
    if update {
        fs::write(case, format!("{script}----\n{found}")).unwrap();
        return Ok(());
    }
    if found == expected { Ok(()) } else { Err(difference(&name, expected, &found)) }
}

/// A model of the case itself, of its topic, or one that all may use.
fn load(root: &Path, case: &Path, file: &str) -> Result<Vec<u8>, String> {
    let own = case.parent().unwrap();
    let folders = [own.to_owned(), own.parent().unwrap().to_owned(), root.join("models")];
    let found = folders.iter().find_map(|folder| fs::read(folder.join(file)).ok());
    found.ok_or_else(|| format!("there is no file `{file}` in {folders:?}"))
}

fn difference(name: &str, expected: &str, found: &str) -> String {
    let same = expected.lines().zip(found.lines()).take_while(|(expected, found)| expected == found).count();
    let rest = |text: &str| text.lines().skip(same).take(8).collect::<Vec<_>>().join("\n    ");
    let (expected, found) = (rest(expected), rest(found));
    format!("{name}: line {} of the trace\n  expected\n    {expected}\n  found\n    {found}", same + 1)
}
