//! The models of `docs/bpmn.md` are sound: each element has one, and each can be deployed.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::path::Path;

use coreto_bpmn::{Code, Limits, Purpose};

/// What follows the elements, and is no element.
const NO_ELEMENTS: [&str; 3] =
    ["Beginning in the middle", "Ending before the end", "Another version for a running instance"];

#[test]
fn each_element_has_a_model_that_can_be_deployed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/bpmn.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut without = Vec::new();
    for section in text.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        let models: Vec<_> =
            section.split("```xml\n").skip(1).map(|it| it.split("```").next().unwrap()).collect();
        if models.is_empty() {
            without.push(title);
        }
        for model in models {
            let whole = completed(&model.replace('…', ""));
            let (resource, mut diagnostics) =
                coreto_bpmn::read(whole.as_bytes(), Purpose::Deploy, &Limits::default());
            // A part shows its element, not how a token comes to it.
            diagnostics.retain(|it| it.code != Code::Unreachable);
            assert!(resource.is_some() && diagnostics.is_empty(), "{title}: {diagnostics:?}\n{whole}");
        }
    }
    assert_eq!(without, NO_ELEMENTS);
}

/// A file with a part of a model, and what that part refers to.
fn completed(part: &str) -> String {
    let (mut outside, mut inside): (Vec<_>, Vec<_>) = parts(part).into_iter().partition(|it| is_outside(it));
    let there = values(part, " id");
    let missing =
        |reference: &str| -> Vec<String> { values(part, reference).difference(&there).cloned().collect() };
    for id in missing(" attachedToRef") {
        inside.push(format!(
            r#"<serviceTask id="{id}"><extensionElements><zeebe:taskDefinition type="{id}"/></extensionElements></serviceTask>"#
        ));
    }
    let ends = [missing(" sourceRef"), missing(" targetRef")].concat();
    for id in ends.into_iter().collect::<BTreeSet<_>>() {
        inside.push(format!(r#"<task id="{id}"/>"#));
    }
    for id in missing(" messageRef") {
        outside.push(format!(
            r#"<message id="{id}" name="{id}"><extensionElements><zeebe:subscription correlationKey="=key"/></extensionElements></message>"#
        ));
    }
    for id in missing(" signalRef") {
        outside.push(format!(r#"<signal id="{id}" name="{id}"/>"#));
    }
    if !inside.iter().any(|it| it.starts_with("<startEvent") || it.starts_with("<process")) {
        inside.push(r#"<startEvent id="begins"/>"#.to_owned());
    }
    let (outside, mut inside) = (outside.concat(), inside.concat());
    if let Some(process) = inside.strip_prefix("<process") {
        let (process, added) = process.split_once("</process>").unwrap();
        inside = format!("<process{process}{added}</process>");
    } else {
        inside = format!(r#"<process id="documented" isExecutable="true">{inside}</process>"#);
    }
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">{outside}{inside}</definitions>"#
    )
}

/// The elements at the left edge, each with what is in it.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.lines() {
        match parts.last_mut() {
            Some(last) if !line.starts_with('<') || line.starts_with("</") => last.push_str(line),
            _ => parts.push(line.to_owned()),
        }
    }
    parts
}

/// Whether the element stands beside the processes of a file.
fn is_outside(part: &str) -> bool {
    ["<message ", "<signal ", "<error "].iter().any(|tag| part.starts_with(tag))
}

/// What an attribute, written with the space before it, is set to.
fn values(text: &str, attribute: &str) -> BTreeSet<String> {
    let set = format!("{attribute}=\"");
    text.split(&set).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}
