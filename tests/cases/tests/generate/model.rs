//! Random processes of what is built: a tree of tasks, with flows that lead back or together.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::chance::Chance;

const HEAD: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">"#;

/// What may happen, by message and signal. The key of the messages cannot be understood where `a` is no text or number.
const EVENTS: &str = concat!(
    r#"<message id="m0" name="m0"><extensionElements><zeebe:subscription correlationKey="=if c = null then &quot;&quot; else string(c)"/></extensionElements></message>"#,
    r#"<message id="m1" name="m1"><extensionElements><zeebe:subscription correlationKey="=a"/></extensionElements></message>"#,
    r#"<signal id="s0" name="s0"/>"#
);

/// Names of messages that clients publish.
pub(crate) const MESSAGES: [&str; 2] = ["m0", "m1"];

/// Expressions for mappings; some fail on some values.
const EXPRESSIONS: [&str; 7] =
    ["=a", "=b + 1", "=c", "static", "=a.x", "={n: a, m: b}", "=assert(a, a != null)"];

/// Targets of mappings.
const TARGETS: [&str; 5] = ["a", "b", "c", "c.x", "c.y"];

/// The ids of the elements of a model that are no sequence flows.
pub(crate) fn ids(model: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(model);
    let parts = text.split('<').filter(|part| {
        ["serviceTask", "task", "manualTask", "boundaryEvent", "subProcess", "startEvent"]
            .iter()
            .any(|kind| part.strip_prefix(kind).is_some_and(|rest| rest.starts_with(' ')))
    });
    parts.filter_map(|part| Some(part.split_once("id=\"")?.1.split_once('"')?.0.to_owned())).collect()
}

/// A process with this id, whose jobs have these types.
pub(crate) fn random(chance: &mut Chance, id: &str, types: &[&str]) -> String {
    let count = 1 + chance.below(6) as usize;
    let mut text = format!(r#"{HEAD}{EVENTS}<process id="{id}" isExecutable="true"><startEvent id="n0"/>"#);
    let mut waits = vec![false];
    for node in 1..=count {
        waits.push(element(chance, node, types, &mut text));
    }
    happenings(chance, &waits, types, &mut text);
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

/// Writes boundary events at tasks that wait, and an event subprocess now and then.
fn happenings(chance: &mut Chance, waits: &[bool], types: &[&str], text: &mut String) {
    for node in (0..waits.len()).filter(|node| waits[*node]) {
        for nth in 0..chance.below(3).saturating_sub(u64::from(chance.one_in(2))) {
            let goes_on = chance.one_in(2);
            let trigger = trigger(chance, nth, goes_on);
            let id = format!("b{node}-{nth}");
            write!(
                text,
                r#"<boundaryEvent id="{id}" attachedToRef="n{node}" cancelActivity="{}">{trigger}</boundaryEvent><endEvent id="{id}e"/><sequenceFlow id="{id}f" sourceRef="{id}" targetRef="{id}e"/>"#,
                !goes_on
            )
            .expect("writing to a string does not fail");
        }
    }
    for nth in 0..chance.below(3) {
        let goes_on = chance.one_in(2);
        let (trigger, job_type) = (trigger(chance, nth, goes_on), chance.pick(types));
        write!(
            text,
            r#"<subProcess id="e{nth}" triggeredByEvent="true"><startEvent id="e{nth}s" isInterrupting="{}">{trigger}</startEvent><serviceTask id="e{nth}t"><extensionElements><zeebe:taskDefinition type="{job_type}"/></extensionElements></serviceTask><sequenceFlow id="e{nth}f" sourceRef="e{nth}s" targetRef="e{nth}t"/></subProcess>"#,
            !goes_on
        )
        .expect("writing to a string does not fail");
    }
}

/// What an event waits for; the nth one of a place waits for no message that another one waits for.
fn trigger(chance: &mut Chance, nth: u64, goes_on: bool) -> String {
    match chance.below(4) {
        0 => format!(r#"<messageEventDefinition messageRef="m{nth}"/>"#),
        1 if nth == 0 => r#"<signalEventDefinition signalRef="s0"/>"#.to_owned(),
        2 if goes_on => {
            "<timerEventDefinition><timeCycle>R3/PT2S</timeCycle></timerEventDefinition>".to_owned()
        }
        _ => "<timerEventDefinition><timeDuration>PT3S</timeDuration></timerEventDefinition>".to_owned(),
    }
}
