//! Models found in the wild: each is read, or refused with diagnostics that say where.
//!
//! Set `CORETO_CORPUS` to a folder of `.bpmn` files; the summary is printed with `--nocapture`.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a test reads files, measures and may fail"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coreto_bpmn::{Diagnostic, Limits, Purpose, Severity};

#[derive(Default)]
struct Tally {
    models: usize,
    deployable: usize,
    only_not_implemented: usize,
    not_executable: usize,
    invalid: usize,
}

#[test]
#[expect(clippy::print_stdout, reason = "the summary is what the run is for")]
fn every_model_is_read_or_refused_with_a_place() {
    let Some(root) = std::env::var_os("CORETO_CORPUS") else {
        println!("skipped: set CORETO_CORPUS to a folder of models");
        return;
    };
    let root = PathBuf::from(root);
    let mut sources: BTreeMap<String, Tally> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, PathBuf::new());
    let mut total = Duration::ZERO;
    for model in models(&root) {
        let bytes = std::fs::read(&model).unwrap();
        let start = Instant::now();
        let (resource, diagnostics) = coreto_bpmn::read(&bytes, Purpose::Deploy, &Limits::default());
        let took = start.elapsed();
        total += took;
        if took > slowest.0 {
            slowest = (took, model.clone());
        }
        let errors = check(&model, resource.is_some(), &diagnostics);
        let source = model.strip_prefix(&root).unwrap().components().next().unwrap();
        let tally = sources.entry(source.as_os_str().to_string_lossy().into_owned()).or_default();
        count(tally, &errors);
        if std::env::var_os("CORETO_CORPUS_VERBOSE").is_some() {
            for error in &errors {
                println!("{}: {error}", model.display());
            }
        }
        let mut of_model: Vec<String> = errors.iter().map(|error| reason(error)).collect();
        of_model.sort();
        of_model.dedup();
        for reason in of_model {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    println!("{:42} models deploy unbuilt non-exec invalid", "source");
    let mut all = Tally::default();
    for (source, tally) in &sources {
        print_tally(source, tally);
        all.models += tally.models;
        all.deployable += tally.deployable;
        all.only_not_implemented += tally.only_not_implemented;
        all.not_executable += tally.not_executable;
        all.invalid += tally.invalid;
    }
    print_tally("all", &all);
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in reasons {
        println!("{count:6} {reason}");
    }
    println!("read in {total:?}; slowest {:?} {}", slowest.0, slowest.1.display());
    assert!(all.models > 0, "no model was found");
}

/// The errors, after checking that they say where.
fn check<'d>(model: &Path, is_read: bool, diagnostics: &'d [Diagnostic]) -> Vec<&'d Diagnostic> {
    let errors: Vec<&Diagnostic> =
        diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect();
    assert_eq!(is_read, errors.is_empty(), "{}", model.display());
    for diagnostic in &errors {
        let whole = matches!(diagnostic.code.name(), "BPMN-0020" | "BPMN-0001");
        assert!(diagnostic.line > 0 || whole, "{}: {diagnostic} has no place", model.display());
    }
    errors
}

fn count(tally: &mut Tally, errors: &[&Diagnostic]) {
    tally.models += 1;
    if errors.is_empty() {
        tally.deployable += 1;
    } else if errors.iter().all(|error| error.not_implemented) {
        tally.only_not_implemented += 1;
    } else if errors.iter().all(|error| error.code.name() == "BPMN-0020") {
        tally.not_executable += 1;
    } else {
        tally.invalid += 1;
    }
}

#[expect(clippy::print_stdout, reason = "the summary is what the run is for")]
fn print_tally(name: &str, tally: &Tally) {
    let Tally { models, deployable, only_not_implemented, not_executable, invalid } = tally;
    println!("{name:42} {models:6} {deployable:6} {only_not_implemented:7} {not_executable:8} {invalid:7}");
}

/// Code and message without the names that the model gave.
fn reason(diagnostic: &Diagnostic) -> String {
    let outside: Vec<&str> = diagnostic.message.split('`').step_by(2).collect();
    format!("{} {}", diagnostic.code.name(), outside.join("`…`"))
}

fn models(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut models = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "bpmn") {
                models.push(path);
            }
        }
    }
    models.sort();
    models
}
