//! The examples for users, `examples/edge/*.toml`: each is sound, and what it claims holds.

mod support;

use std::path::{Path, PathBuf};

use coreto_edge::diff::{Kind, diff};
use coreto_edge::{Config, render};

fn examples() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/edge");
    let files = std::fs::read_dir(folder).expect("the examples are there");
    let files = files.map(|file| file.expect("it can be listed").path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|suffix| suffix == "toml")).collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("it can be read");
            (file, text)
        })
        .collect()
}

fn read(file: &Path, text: &str) -> Config {
    Config::read(text).unwrap_or_else(|faults| panic!("{}: {faults:#?}", file.display()))
}

#[test]
fn every_example_is_sound_and_keeps_what_it_claims() {
    let examples = examples();
    assert_eq!(examples.len(), 10);
    let mut failures = Vec::new();
    for (file, text) in &examples {
        let config = read(file, text);
        let claims: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("#? ")).collect();
        assert!(!claims.is_empty(), "{} claims nothing", file.display());
        let broken = claims.iter().filter_map(|claim| support::broken(&config, claim));
        failures.extend(broken.map(|found| format!("{}: {found}", file.display())));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_rendered_reads_back_as_the_same() {
    for (file, text) in examples() {
        let config = read(&file, &text);
        let rendered = render(&config);
        let again = read(&file, &rendered);
        assert_eq!(again.plan.model(), config.plan.model(), "{}\n{rendered}", file.display());
        assert_eq!(again.admin, config.admin);
        assert_eq!(diff(&config, &again), []);
    }
}

#[test]
fn every_example_differs_from_the_others_and_back() {
    let examples = examples();
    for pair in examples.windows(2) {
        let [one, other] = pair else { unreachable!("windows of two") };
        let (one, other) = (read(&one.0, &one.1), read(&other.0, &other.1));
        let (there, back) = (diff(&one, &other), diff(&other, &one));
        assert!(!there.is_empty());
        let count = |changes: &[coreto_edge::diff::Change], kind: &Kind| {
            changes.iter().filter(|change| change.kind == *kind).count()
        };
        assert_eq!(count(&there, &Kind::Added), count(&back, &Kind::Removed));
        assert_eq!(count(&there, &Kind::Removed), count(&back, &Kind::Added));
    }
}
