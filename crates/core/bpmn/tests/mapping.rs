//! What mappings make of variables.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use coreto_bpmn::{Kind, Limits, Mapping, MappingError, Purpose};
use coreto_feel::{Env, Scope, Variable};

struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Variables as lines of `name = JSON`.
    fn of(lines: &str) -> Self {
        let pair = |line: &str| line.split_once(" = ").map(|(name, json)| (name.to_owned(), json.to_owned()));
        Self(lines.split("; ").filter_map(pair).collect())
    }
}

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        self.0.get(name).map(|json| Variable::Json(json.as_bytes()))
    }
}

/// Inputs and outputs of one service task, each given as `source -> target`.
fn mappings(inputs: &[&str], outputs: &[&str]) -> (Option<Mapping>, Option<Mapping>) {
    let element = |name: &str, mapping: &&str| {
        let (source, target) = mapping.split_once(" -> ").unwrap();
        let escaped =
            source.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "&#10;");
        format!("<zeebe:{name} source=\"{escaped}\" target=\"{target}\"/>")
    };
    let inputs: String = inputs.iter().map(|mapping| element("input", mapping)).collect();
    let outputs: String = outputs.iter().map(|mapping| element("output", mapping)).collect();
    let xml = format!(
        "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' \
         xmlns:zeebe='http://camunda.org/schema/zeebe/1.0'><process id='p' isExecutable='true'>\
         <startEvent id='s'/><sequenceFlow id='f' sourceRef='s' targetRef='t'/><serviceTask id='t'>\
         <extensionElements><zeebe:taskDefinition type='x'/><zeebe:ioMapping>{inputs}{outputs}</zeebe:ioMapping>\
         </extensionElements></serviceTask></process></definitions>"
    );
    let (resource, diagnostics) = coreto_bpmn::read(xml.as_bytes(), Purpose::Deploy, &Limits::default());
    let resource = resource.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let process = &resource.processes[0];
    let task = process.element(process.element_by_id("t").unwrap()).unwrap().clone();
    assert!(matches!(task.kind, Kind::ServiceTask(_)));
    (task.inputs, task.outputs)
}

fn evaluate(mapping: &Mapping, variables: &str) -> String {
    let mapped = mapping.evaluate(&Variables::of(variables), &Env::default()).unwrap();
    let names: Vec<&str> = mapped.variables.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, mapping.names().iter().map(|name| &**name).collect::<Vec<_>>());
    mapped.variables.iter().map(|(name, json)| format!("{name} = {json}")).collect::<Vec<_>>().join("; ")
}

fn check_inputs(inputs: &[&str], variables: &str, expected: &str) {
    assert_eq!(evaluate(&mappings(inputs, &[]).0.unwrap(), variables), expected, "{inputs:?} of {variables}");
}

fn check_outputs(outputs: &[&str], variables: &str, expected: &str) {
    assert_eq!(
        evaluate(&mappings(&[], outputs).1.unwrap(), variables),
        expected,
        "{outputs:?} of {variables}"
    );
}

#[test]
fn copies_what_needs_no_evaluation() {
    let (inputs, _) = mappings(&["=a -> x", "text -> y", "=missing -> z"], &[]);
    assert!(inputs.unwrap().expression().is_none());
    check_inputs(
        &["=a -> x"],
        r#"a = {"n":1.00,"deep":[1e400,null]}"#,
        r#"x = {"n":1.00,"deep":[1e400,null]}"#,
    );
    check_inputs(&["5 -> x", "true -> y", "a\"b\n -> z"], "", r#"x = "5"; y = "true"; z = "a\"b\n""#);
    check_inputs(&["=missing -> x", " -> y"], "", "x = null; y = null");
}

#[test]
fn copies_what_an_evaluation_would_give() {
    for json in
        ["null", "true", "0", "-12.5", "\"\"", "\"é\\n\"", "[]", "[1,[2]]", "{}", r#"{"b":1,"a":{"c":[]}}"#]
    {
        let variables = format!("v = {json}");
        check_inputs(&["=v -> x", "=x -> y"], &variables, &format!("x = {json}; y = {json}"));
        check_inputs(&["=(v) -> x", "=(x) -> y"], &variables, &format!("x = {json}; y = {json}"));
    }
}

#[test]
fn sees_earlier_targets_and_no_later_ones() {
    check_inputs(&["=x + 1 -> a", "=a * 10 -> b"], "x = 1", "a = 2; b = 20");
    check_inputs(&["=a -> b", "=1 -> a"], "", "b = null; a = 1");
    check_inputs(&["=a -> b", "=x -> a", "=a -> c"], "a = 1; x = 2", "b = 1; a = 2; c = 2");
    check_inputs(&["=a -> a"], "a = 1", "a = 1");
}

#[test]
fn gathers_targets_of_one_head_at_the_place_of_the_first() {
    check_inputs(
        &["=a -> o.x", "=b -> other", "=c -> o.y.z", "=x -> o.seen"],
        "a = 1; b = 2; c = 3",
        r#"o = {"x":1,"y":{"z":3},"seen":1}; other = 2"#,
    );
    check_inputs(&["=a -> o.if", "text -> o.then"], "a = 1", r#"o = {"if":1,"then":"text"}"#);
}

#[test]
fn lets_a_later_mapping_take_the_place_of_an_earlier_one() {
    check_inputs(&["=a -> x", "=b -> y", "=c -> x"], "a = 1; b = 2; c = 3", "x = 3; y = 2");
    check_inputs(&["=a -> x.y", "=b -> x"], "a = 1; b = 2", "x = 2");
    check_inputs(&["=a -> x", "=b -> x.y"], "a = 1; b = 2", r#"x = {"y":2}"#);
}

#[test]
fn makes_fresh_contexts_of_inputs_and_merges_outputs_one_level() {
    let there = r#"v = 5; a = {"b":{"d":1},"e":2}"#;
    check_inputs(&["=v -> a.b.c"], there, r#"a = {"b":{"c":5}}"#);
    check_outputs(&["=v -> a.b.c"], there, r#"a = {"b":{"c":5},"e":2}"#);
    check_outputs(&["=v -> a.new"], there, r#"a = {"b":{"d":1},"e":2,"new":5}"#);
    check_outputs(&["=v -> fresh.new"], there, r#"fresh = {"new":5}"#);
    check_outputs(&["=v -> n.new"], "v = 5; n = null", r#"n = {"new":5}"#);
}

#[test]
fn keeps_comments_and_lines_of_a_source_to_itself() {
    check_inputs(
        &["=a // first\n -> x", "=/* ) */ b -> y", "=a\n+ b // sum -> z"],
        "a = 1; b = 2",
        "x = 1; y = 2; z = 3",
    );
    check_inputs(&["say \"hi\" \\ {} -> o.x", "=1 + 1 -> y"], "", r#"o = {"x":"say \"hi\" \\ {}"}; y = 2"#);
}

#[test]
fn fails_as_a_whole_when_one_source_fails() {
    let (inputs, _) = mappings(&["=1 + 1 -> x", "=assert(a, a != null, \"a is needed\") -> y"], &[]);
    let failed = inputs.unwrap().evaluate(&Variables::of(""), &Env::default());
    assert!(matches!(failed, Err(MappingError::Failed(_))), "{failed:?}");
}
