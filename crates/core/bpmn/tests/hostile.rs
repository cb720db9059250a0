//! Input that is made to hurt: refused or read, in bounded time and memory, and never a panic.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use coreto_bpmn::{Code, Diagnostic, Limits, Purpose, Resource, Severity};

const OPEN: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="p" isExecutable="true"><startEvent id="s"/>"#;
const CLOSE: &str = "</process></definitions>";

fn read(xml: &str, purpose: Purpose, limits: &Limits) -> (Option<Resource>, Vec<Diagnostic>) {
    let (resource, diagnostics) = coreto_bpmn::read(xml.as_bytes(), purpose, limits);
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(resource.is_none(), refused);
    (resource, diagnostics)
}

fn deploy(xml: &str) -> (Option<Resource>, Vec<Diagnostic>) {
    read(xml, Purpose::Deploy, &Limits::default())
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<Code> {
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// 10 MB of subprocesses inside each other.
fn nested() -> String {
    let depth = 10_000_000 / "<subProcess></subProcess>".len();
    [OPEN, &"<subProcess>".repeat(depth), &"</subProcess>".repeat(depth), CLOSE].concat()
}

#[test]
fn refuses_ten_megabytes_by_their_size() {
    let (_, diagnostics) = deploy(&nested());
    assert_eq!(codes(&diagnostics), [Code::LimitExceeded]);
    assert!(diagnostics[0].message.contains("4194304"), "{}", diagnostics[0]);
}

#[test]
fn refuses_nesting_by_its_depth() {
    let limits = Limits { bytes_max: usize::MAX, ..Limits::default() };
    let (_, diagnostics) = read(&nested(), Purpose::Deploy, &limits);
    assert_eq!(codes(&diagnostics), [Code::LimitExceeded]);
    assert!(diagnostics[0].message.contains("256") && diagnostics[0].line == 1, "{}", diagnostics[0]);
}

#[test]
fn survives_nesting_without_limits() {
    let (resource, diagnostics) = read(&nested(), Purpose::Load, &Limits::default());
    assert!(resource.is_none());
    assert_eq!(diagnostics.last().unwrap().code, Code::TooMany);
}

#[test]
fn refuses_more_elements_than_allowed() {
    let (_, diagnostics) = deploy(&[OPEN, &"<task/>".repeat(200_000), CLOSE].concat());
    assert_eq!(codes(&diagnostics), [Code::LimitExceeded]);
}

#[test]
fn leaves_foreign_elements_out_however_many_there_are() {
    let foreign = format!("<x xmlns='http://example.com/x'>{}</x>", "<y a='b'>text</y>".repeat(200_000));
    let (resource, diagnostics) = deploy(&[OPEN, &foreign, CLOSE].concat());
    assert!(resource.is_some() && diagnostics.is_empty());
}

#[test]
fn refuses_a_crowd_of_attributes_and_of_prefixes() {
    use std::fmt::Write;
    let mut attributes = String::new();
    let mut prefixes = String::new();
    for number in 0..100_000 {
        write!(attributes, " a{number}=''").unwrap();
        write!(prefixes, " xmlns:p{number}='http://example.com/{number}'").unwrap();
    }
    for crowd in [attributes, prefixes] {
        let (_, diagnostics) = deploy(&[OPEN, "<task id='t'", &crowd, "/>", CLOSE].concat());
        assert_eq!(codes(&diagnostics), [Code::LimitExceeded]);
        let (_, diagnostics) =
            read(&[OPEN, "<task id='t'", &crowd, "/>", CLOSE].concat(), Purpose::Load, &Limits::default());
        assert_eq!(codes(&diagnostics), [Code::LimitExceeded]);
    }
}

#[test]
fn keeps_a_bounded_number_of_diagnostics() {
    let (_, diagnostics) = deploy(&[OPEN, &"<userTask/>".repeat(10_000), CLOSE].concat());
    assert_eq!(diagnostics.len(), Limits::default().diagnostics_max + 1);
    assert_eq!(diagnostics.last().unwrap().code, Code::TooMany);
}

#[test]
fn shortens_names_in_diagnostics() {
    let id = "a".repeat(1_000_000);
    let flows = format!("<sequenceFlow id='f' sourceRef='{id}' targetRef='{id}'/>");
    let gateway = format!("<exclusiveGateway id='{id}'/>");
    let (_, diagnostics) = deploy(&[OPEN, &gateway, &flows, &flows.replace("'f'", "'g'"), CLOSE].concat());
    assert!(!diagnostics.is_empty());
    for diagnostic in diagnostics {
        assert!(diagnostic.to_string().len() < 2_000);
    }
}

#[test]
fn names_a_long_element_in_many_diagnostics_cheaply() {
    let id = "a".repeat(1_000_000);
    let headers = "<zeebe:header/>".repeat(100_000);
    let extensions =
        format!("<extensionElements><zeebe:taskHeaders>{headers}</zeebe:taskHeaders></extensionElements>");
    let (_, diagnostics) =
        deploy(&[OPEN, &format!("<serviceTask id='{id}'>{extensions}</serviceTask>"), CLOSE].concat());
    assert_eq!(diagnostics.last().unwrap().code, Code::TooMany);
}

/// A chain of tasks, closed to a loop or not.
fn chain(tasks: usize, closed: bool) -> String {
    use std::fmt::Write;
    let mut xml = String::from(OPEN);
    for number in 0..tasks {
        write!(xml, "<task id='t{number}'/>").unwrap();
        let source = number.checked_sub(1).map_or_else(|| "s".to_owned(), |before| format!("t{before}"));
        write!(xml, "<sequenceFlow id='f{number}' sourceRef='{source}' targetRef='t{number}'/>").unwrap();
    }
    if closed {
        write!(xml, "<sequenceFlow id='back' sourceRef='t{}' targetRef='t0'/>", tasks - 1).unwrap();
    }
    xml + CLOSE
}

#[test]
fn reads_a_long_chain() {
    let (resource, diagnostics) = deploy(&chain(30_000, false));
    assert_eq!(diagnostics, []);
    assert_eq!(resource.unwrap().processes[0].elements.len(), 60_002);
}

#[test]
fn finds_a_long_loop() {
    let (_, diagnostics) = deploy(&chain(30_000, true));
    assert_eq!(codes(&diagnostics), [Code::StraightThroughLoop]);
}

/// A task with so many input mappings.
fn mappings(count: u32) -> String {
    use std::fmt::Write;
    let mut inputs = String::new();
    for number in 0..count {
        write!(inputs, "<zeebe:input source='={{a: v{number}}}' target='x.y{number}.z'/>").unwrap();
    }
    let task = format!(
        "<serviceTask id='t'><extensionElements><zeebe:taskDefinition type='a'/><zeebe:ioMapping>{inputs}</zeebe:ioMapping></extensionElements></serviceTask>"
    );
    [OPEN, &task, CLOSE].concat()
}

#[test]
fn joins_many_mappings() {
    let (resource, diagnostics) = deploy(&mappings(2_000));
    assert!(resource.is_some(), "{diagnostics:?}");
}

#[test]
fn refuses_more_mappings_and_longer_expressions_than_allowed() {
    let (_, diagnostics) = deploy(&mappings(20_000));
    assert!(codes(&diagnostics).contains(&Code::LimitExceeded));
    let (_, diagnostics) = deploy(&typed(&format!("={}1", "1 + ".repeat(40_000))));
    assert!(codes(&diagnostics).contains(&Code::LimitExceeded));
}

#[test]
fn refuses_names_of_variables_that_are_too_long() {
    let model = |bytes: usize| {
        let (target, result) = ("a".repeat(bytes), "b".repeat(bytes));
        format!(
            r#"{OPEN}<sequenceFlow id="f" sourceRef="s" targetRef="t"/><businessRuleTask id="t"><extensionElements>
<zeebe:calledDecision decisionId="d" resultVariable="{result}"/>
<zeebe:ioMapping><zeebe:input source="=1" target="{target}"/></zeebe:ioMapping>
</extensionElements></businessRuleTask>{CLOSE}"#
        )
    };
    assert_eq!(codes(&deploy(&model(1024)).1), []);
    let (_, diagnostics) = deploy(&model(1025));
    assert_eq!(codes(&diagnostics), [Code::LimitExceeded, Code::LimitExceeded]);
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.message.contains("1025 bytes, more than 1024")));
    assert!(read(&model(1025), Purpose::Load, &Limits::default()).0.is_some());
}

#[test]
fn refuses_a_target_that_is_a_long_path() {
    let target = vec!["a"; 50_000].join(".");
    let task = format!(
        "<serviceTask id='t'><extensionElements><zeebe:taskDefinition type='a'/><zeebe:ioMapping><zeebe:input source='=a' target='{target}'/></zeebe:ioMapping></extensionElements></serviceTask>"
    );
    let (_, diagnostics) = deploy(&[OPEN, &task, CLOSE].concat());
    assert!(codes(&diagnostics).contains(&Code::MappingTarget));
}

#[test]
fn survives_an_expression_that_nests_deep() {
    for depth in [30_000, 500_000] {
        let xml = typed(&format!("={}1{}", "(".repeat(depth), ")".repeat(depth)));
        let (deployed, _) = deploy(&xml);
        let (loaded, _) = read(&xml, Purpose::Load, &Limits::default());
        assert!(deployed.is_none() && loaded.is_none());
    }
}

/// A task with this job type.
fn typed(source: &str) -> String {
    let task = format!(
        "<serviceTask id='t'><extensionElements><zeebe:taskDefinition type='{source}'/></extensionElements></serviceTask>"
    );
    [OPEN, &task, CLOSE].concat()
}
