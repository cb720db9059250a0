//! What changes between two configurations.

use std::collections::BTreeMap;

use crate::config::{Config, render};

/// One part that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// "route `orders`".
    pub part: String,
    /// What became of it.
    pub kind: Kind,
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Other lines: those that are gone, and those that came.
    Changed(Vec<String>, Vec<String>),
    /// It stands elsewhere among the others of its kind, which decides between equals.
    Moved,
}

/// All changes, in the order of the second file; what is gone comes last.
pub fn diff(before: &Config, after: &Config) -> Vec<Change> {
    let (before, after) = (parts(&render(before)), parts(&render(after)));
    let old: BTreeMap<&str, &Part> = before.iter().map(|part| (part.name.as_str(), part)).collect();
    let new: BTreeMap<&str, &Part> = after.iter().map(|part| (part.name.as_str(), part)).collect();
    let common = |list: &[Part], other: &BTreeMap<&str, &Part>| -> Vec<String> {
        list.iter().map(|part| part.name.clone()).filter(|name| other.contains_key(name.as_str())).collect()
    };
    let moved = moved(&common(&before, &new), &common(&after, &old));
    let mut changes = Vec::new();
    for part in &after {
        let kind = match old.get(part.name.as_str()) {
            None => Kind::Added,
            Some(old) if old.lines != part.lines => {
                let missing = |from: &[String], of: &[String]| -> Vec<String> {
                    from.iter().filter(|line| !of.contains(line)).cloned().collect()
                };
                Kind::Changed(missing(&old.lines, &part.lines), missing(&part.lines, &old.lines))
            }
            Some(_) if moved.contains(&part.name) => Kind::Moved,
            Some(_) => continue,
        };
        changes.push(Change { part: part.name.clone(), kind });
    }
    let gone = before.iter().filter(|part| !new.contains_key(part.name.as_str()));
    changes.extend(gone.map(|part| Change { part: part.name.clone(), kind: Kind::Removed }));
    changes
}

/// The names that must be taken out of both lists to leave the same order.
fn moved(before: &[String], after: &[String]) -> Vec<String> {
    let mut place: Vec<&String> = before.iter().collect();
    let mut moved = Vec::new();
    for name in after {
        match place.iter().position(|other| *other == name) {
            Some(0) => drop(place.remove(0)),
            Some(at) => {
                place.remove(at);
                moved.push(name.clone());
            }
            None => {}
        }
    }
    moved
}

struct Part {
    name: String,
    lines: Vec<String>,
}

/// The parts of a rendered file; a line of a table below a part is told with that table.
fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut kind, mut table) = (String::new(), String::new());
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let heading = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let Some(heading) = heading else {
            let part = parts.last_mut().expect("a line stands below a heading");
            match line.strip_prefix("name = ").filter(|_| table.is_empty() && part.name.is_empty()) {
                Some(name) => part.name = format!("{kind} `{}`", name.trim_matches('"')),
                None => part.lines.push(format!("{table}{line}")),
            }
            continue;
        };
        let path = heading.trim_matches(['[', ']']);
        let single = heading == path;
        if let Some((_, below)) = path.split_once('.') {
            let number = rows.entry(below.to_owned()).or_default();
            let place = if single { below.to_owned() } else { format!("{below}[{number}]") };
            *number += 1;
            table = format!("{place}.");
            parts.last_mut().expect("a table stands below its part").lines.push(place);
        } else {
            path.clone_into(&mut kind);
            table.clear();
            rows.clear();
            let name = if single { path.to_owned() } else { String::new() };
            parts.push(Part { name, lines: Vec::new() });
        }
    }
    parts
}
