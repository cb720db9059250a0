//! Random processes of what is built: a tree of tasks, with flows that lead back or together.

use std::fmt::Write;

use super::chance::Chance;

const HEAD: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">"#;

/// Expressions for mappings; some fail on some values.
const EXPRESSIONS: [&str; 7] =
    ["=a", "=b + 1", "=c", "static", "=a.x", "={n: a, m: b}", "=assert(a, a != null)"];

/// Targets of mappings.
const TARGETS: [&str; 5] = ["a", "b", "c", "c.x", "c.y"];

/// A process with this id, whose jobs have these types.
pub(crate) fn random(chance: &mut Chance, id: &str, types: &[&str]) -> String {
    let count = 1 + chance.below(6) as usize;
    let mut text = format!(r#"{HEAD}<process id="{id}" isExecutable="true"><startEvent id="n0"/>"#);
    let mut waits = vec![false];
    for node in 1..=count {
        waits.push(element(chance, node, types, &mut text));
    }
    let mut flows = 0;
    let mut flow = |source: usize, target: usize, text: &mut String| {
        flows += 1;
        write!(text, r#"<sequenceFlow id="f{flows}" sourceRef="n{source}" targetRef="n{target}"/>"#)
            .expect("writing to a string does not fail");
    };
    let mut joined = 0;
    for node in 1..=count {
        flow(chance.below(node as u64) as usize, node, &mut text);
        // A second way to an element doubles the tokens, so there are few of them.
        if node > 1 && joined < 2 && chance.one_in(4) {
            joined += 1;
            flow(chance.below(node as u64) as usize, node, &mut text);
        }
    }
    // A flow that leads back must meet a job on every round, and leaves from where it ends the path.
    if waits[count] && chance.one_in(3) {
        flow(count, count, &mut text);
    }
    text.push_str("</process></definitions>");
    text
}

/// Writes an element, and says whether it waits for a job.
fn element(chance: &mut Chance, node: usize, types: &[&str], text: &mut String) -> bool {
    let waits = !chance.one_in(4);
    if waits {
        let job_type = chance.pick(types);
        let retries = *chance.pick(&["3", "1", "=b", "0"]);
        let mappings = mappings(chance);
        write!(
            text,
            r#"<serviceTask id="n{node}"><extensionElements><zeebe:taskDefinition type="{job_type}" retries="{retries}"/>{mappings}</extensionElements></serviceTask>"#
        )
    } else {
        let kind = chance.pick(&["task", "manualTask"]);
        write!(text, r#"<{kind} id="n{node}"/>"#)
    }
    .expect("writing to a string does not fail");
    waits
}

fn mappings(chance: &mut Chance) -> String {
    let mut text = String::from("<zeebe:ioMapping>");
    for _ in 0..chance.below(3) {
        let (source, target) = (chance.pick(&EXPRESSIONS), chance.pick(&TARGETS));
        write!(text, r#"<zeebe:input source="{source}" target="{target}"/>"#)
            .expect("writing to a string does not fail");
    }
    for _ in 0..chance.below(3) {
        let (source, target) = (chance.pick(&EXPRESSIONS), chance.pick(&TARGETS));
        if source.starts_with('=') {
            write!(text, r#"<zeebe:output source="{source}" target="{target}"/>"#)
                .expect("writing to a string does not fail");
        }
    }
    text.push_str("</zeebe:ioMapping>");
    text
}
