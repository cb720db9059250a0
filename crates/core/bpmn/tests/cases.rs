//! Models and what reading them gives: `tests/cases/<topic>/<name>.bpmn` beside `<name>.txt`.
//!
//! `UPDATE=1` rewrites the expectations; the difference is what gets reviewed.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads files and may fail")]

mod render;

use std::path::{Path, PathBuf};

use coreto_bpmn::{Limits, Purpose};

#[test]
fn models_read_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    let cases = cases();
    assert!(cases.len() > 20, "only {} cases were found", cases.len());
    for model in cases {
        let bytes = std::fs::read(&model).unwrap();
        let (resource, diagnostics) = coreto_bpmn::read(&bytes, Purpose::Deploy, &Limits::default());
        let found = render::outcome(resource.as_ref(), &diagnostics);
        let expected_path = model.with_extension("txt");
        if update {
            std::fs::write(&expected_path, &found).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if expected != found {
            failures.push(format!("{}\n--- expected\n{expected}--- found\n{found}", model.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_deploys_also_loads_and_gives_the_same_graph() {
    for model in cases() {
        let bytes = std::fs::read(&model).unwrap();
        let (deployed, _) = coreto_bpmn::read(&bytes, Purpose::Deploy, &Limits::default());
        let Some(deployed) = deployed else {
            continue;
        };
        let (loaded, diagnostics) = coreto_bpmn::read(&bytes, Purpose::Load, &Limits::default());
        assert_eq!(diagnostics, [], "{}", model.display());
        let loaded = loaded.unwrap();
        assert_eq!(render::outcome(Some(&deployed), &[]), render::outcome(Some(&loaded), &[]));
    }
}

#[test]
fn what_only_rules_forbid_still_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    for case in [
        "flow/loop-of-tasks",
        "flow/condition-behind-task",
        "ids/duplicate",
        "not-implemented/markers",
        "not-implemented/extensions",
        "service-task/wrong-headers",
        "start/none",
        "start/two",
    ] {
        let bytes = std::fs::read(root.join(case).with_extension("bpmn")).unwrap();
        let (refused, _) = coreto_bpmn::read(&bytes, Purpose::Deploy, &Limits::default());
        let (loaded, diagnostics) = coreto_bpmn::read(&bytes, Purpose::Load, &Limits::default());
        assert!(refused.is_none(), "{case} is deployed");
        assert!(loaded.is_some(), "{case} is not loaded: {diagnostics:?}");
        assert_eq!(diagnostics, [], "{case}");
    }
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut models: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .flat_map(|topic| std::fs::read_dir(topic.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bpmn"))
        .collect();
    models.sort();
    models
}
