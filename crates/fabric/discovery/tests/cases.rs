//! Sends the requests of every file below `tests/cases/discovery` and compares what comes back, behind its `----`.
//!
//! A request is a line: method, path, and what is left is the body. `as NAME` behind a body names the identifier that
//! comes back; `{NAME}` stands for it later. `<1000>` in a body stands for so many letters.
//! `UPDATE=1 cargo test --release -p coreto-discovery --test cases` writes the answers anew.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use support::{Ground, Server};

#[test]
fn requests_are_answered_as_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/cases/discovery");
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut files: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().contains(&wanted));
    files.sort();
    assert!(!files.is_empty(), "there is no case whose path contains `{wanted}`");
    let faults: Vec<String> = files.iter().filter_map(|path| check(path).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).unwrap();
    let (script, expected) = text.split_once("----\n").unwrap_or((&text, ""));
    assert!(script.starts_with("# "), "{}: the first line says what the case claims", path.display());
    let server = Ground::new().start();
    let found = play(&server, script);
    server.stop();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, format!("{script}----\n{found}")).unwrap();
        return Ok(());
    }
    if found == expected {
        return Ok(());
    }
    let same = expected.lines().zip(found.lines()).take_while(|(expected, found)| expected == found).count();
    let rest = |text: &str| text.lines().skip(same).take(6).collect::<Vec<_>>().join("\n    ");
    Err(format!("{}:\n  expected\n    {}\n  found\n    {}", path.display(), rest(expected), rest(&found)))
}

fn play(server: &Server, script: &str) -> String {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut trace = String::new();
    for line in script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (request, name) = line.split_once(" as ").map_or((line, None), |(line, name)| (line, Some(name)));
        let mut words = request.splitn(3, ' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let filled = |text: &str| {
            names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
        };
        let body = filled(&letters(words.next().unwrap_or_default()));
        let answer = server.ask(method, &filled(path), &body);
        if let Some(name) = name {
            let id: Value = serde_json::from_str(&answer.body).unwrap();
            names.insert(name.to_owned(), id["ID"].as_str().unwrap().to_owned());
        }
        writeln!(trace, "> {line}").unwrap();
        write!(trace, "{}", answer.status).unwrap();
        if let Some(index) = answer.header("x-consul-index") {
            let mode = answer.header("x-consul-effective-consistency").unwrap();
            write!(trace, " at {index}, {mode}").unwrap();
        }
        let told = names
            .iter()
            .fold(told(&answer.body), |told, (name, id)| told.replace(id, &format!("{{{name}}}")));
        writeln!(trace, "{told}").unwrap();
    }
    trace
}

/// A list with each of its entries on a line, anything else behind the status.
fn told(body: &str) -> String {
    match serde_json::from_str(body).map(sorted) {
        Ok(Value::Array(list)) if !list.is_empty() => list.iter().fold(String::new(), |mut told, entry| {
            write!(told, "\n  {entry}").unwrap();
            told
        }),
        Ok(value) => format!(" {value}"),
        Err(_) if body.is_empty() => String::new(),
        Err(_) => format!(" {body}"),
    }
}

/// The same with its members in order of their names, whatever order the library keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        Value::Object(map) => {
            let members: BTreeMap<String, Value> =
                map.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        plain => plain,
    }
}

/// Puts letters where their number stands.
fn letters(body: &str) -> String {
    let Some((before, rest)) = body.split_once('<') else { return body.to_owned() };
    match rest.split_once('>').and_then(|(number, after)| Some((number.parse::<usize>().ok()?, after))) {
        Some((number, after)) => format!("{before}{}{}", "x".repeat(number), letters(after)),
        None => body.to_owned(),
    }
}
