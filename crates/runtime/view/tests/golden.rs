//! Every kind of record, rendered: one file a value type in `cases/`, one record a line.
//!
//! The records are those of `fixtures/orders.log`, so that nothing changes here when the engine does: each batch behind
//! its length in four bytes, little endian. `UPDATE=1` plays the orders again and rewrites the log and the cases.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use coreto_engine::Engine;
use coreto_machine::Timestamp;
use coreto_partition::{Body, Record, records};
use coreto_record::command::{
    ActivateElement, Activation, AwaitResult, CancelInstance, CompleteElement, CompleteJob, CreateInstance,
    ElementMapping, EvaluateDecision, FailJob, MigrateInstance, ModifyInstance, PinClock, ResolveIncident,
    ScopedVariables, SetVariables, TerminateChildren, TerminateElement, ThrowError, UpdateJobRetries,
    UpdateJobTimeout, YieldJob,
};
use coreto_record::event::InstanceBanned;
use coreto_record::{
    Command, Document, ElementInstanceKey, ElementNumber, Event, IncidentKey, JobKey, Key,
    ProcessDefinitionKey, ProcessInstanceKey, Rejection, RejectionKind, Reply,
};
use coreto_view::{Filter, Renderer};
use serde_json::Value;
use support::{BEGIN, Known, ORDER, Stage, activate, create, deploy};

fn document(text: &str) -> Document {
    Document::parse(text).unwrap()
}

impl Stage {
    fn instance(&mut self) -> ProcessInstanceKey {
        let variables =
            r#"{"orderId":7,"note":"a \"b\"\u00e9\n","big":12345678901234567890,"list":[1,{"x":null}]}"#;
        match self.run(create("order", variables)) {
            Ok(Reply::InstanceCreated(created)) => created.key,
            other => panic!("{other:?}"),
        }
    }

    fn take_job(&mut self, job_type: &str) -> JobKey {
        match self.run(activate(job_type, 5)) {
            Ok(Reply::JobsActivated(activated)) => activated.jobs[0].key,
            other => panic!("{other:?}"),
        }
    }

    fn incident(&self) -> IncidentKey {
        let mut found = None;
        for payload in &self.payloads {
            records::<Engine>(payload, |record| {
                if let Body::Event(Event::IncidentCreated(incident)) = record.body {
                    found = Some(incident.key);
                }
            })
            .unwrap();
        }
        found.unwrap()
    }
}

const DISH: &str = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="menu" name="Menu" namespace="urn:menu">
<decision id="dish" name="Dish"><extensionElements><zeebe:versionTag value="spring"/></extensionElements><decisionTable hitPolicy="UNIQUE">
<input id="in" label="Season"><inputExpression><text>season</text></inputExpression></input><output id="out" name="dish"/>
<rule id="r1"><inputEntry><text>"dry","any"</text></inputEntry><outputEntry><text>"salad"</text></outputEntry></rule>
<rule id="r2"><inputEntry><text>"wet","any"</text></inputEntry><outputEntry><text>"stew"</text></outputEntry></rule>
</decisionTable></decision></definitions>"#;

const MEAL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">
<process id="meal" isExecutable="true"><startEvent id="in"/><sequenceFlow id="f1" sourceRef="in" targetRef="choose"/>
<businessRuleTask id="choose"><extensionElements><zeebe:calledDecision decisionId="dish" resultVariable="result"/></extensionElements></businessRuleTask>
</process></definitions>"#;

/// Everything that happens to orders.
fn play() -> Stage {
    let mut stage = Stage::default();
    stage.run(deploy("order.bpmn", ORDER)).unwrap();
    stage.run(deploy("order.bpmn", ORDER)).unwrap();

    stage.operation_reference = Some(42);
    let instance = stage.instance();
    stage.operation_reference = None;
    let job = stage.take_job("check-stock");
    stage.run(Command::UpdateJobTimeout(UpdateJobTimeout { job, timeout: 20_000 })).unwrap();
    let fail = FailJob {
        job,
        retries: 2,
        backoff: 1000,
        message: "out of \"luck\"".into(),
        variables: document(r#"{"tried":true}"#),
    };
    stage.run(Command::FailJob(fail)).unwrap();
    stage.pass(1_500);
    stage.take_job("check-stock");
    stage.pass(11_000);
    stage.take_job("check-stock");
    let complete = CompleteJob { job, variables: document(r#"{"inStock":true,"orderId":8}"#) };
    stage.run(Command::CompleteJob(complete)).unwrap();

    let job = stage.take_job("make-payment");
    stage.run(Command::FailJob(FailJob { job, message: "no money".into(), ..FailJob::default() })).unwrap();
    let incident = stage.incident();
    stage.run(Command::UpdateJobRetries(UpdateJobRetries { job, retries: 3 })).unwrap();
    stage.run(Command::ResolveIncident(ResolveIncident { incident })).unwrap();
    stage.take_job("make-payment");
    let throw = ThrowError {
        job,
        code: "BROKE".into(),
        message: "really no money".into(),
        variables: document(r#"{"owed":1.50}"#),
    };
    stage.run(Command::ThrowError(throw)).unwrap();
    let scope = ElementInstanceKey::from_raw(instance.raw());
    for local in [true, false] {
        let set = SetVariables { scope, variables: document(r#"{"orderId":9,"new":"x"}"#), local };
        stage.run(Command::SetVariables(set)).unwrap();
    }
    stage.run(Command::CancelInstance(CancelInstance { instance })).unwrap();

    stage.now = BEGIN + 60_000;
    let stream = stage.stream("check-stock");
    let second = stage.instance();
    stage.sinks.close(stream);
    let job = last_job(&stage);
    let deadline = Timestamp::from_millis(stage.now + 60_000);
    stage.run(Command::YieldJob(YieldJob { job, deadline })).unwrap();
    let job = stage.take_job("check-stock");
    stage.run(Command::CompleteJob(CompleteJob { job, variables: Document::EMPTY })).unwrap();
    let job = stage.take_job("make-payment");
    stage.run(Command::CompleteJob(CompleteJob { job, variables: document(r#"{"paid":true}"#) })).unwrap();
    assert_ne!(instance, second);

    stage.run(Command::PinClock(PinClock { at: Timestamp::from_millis(BEGIN + 120_000) })).unwrap();
    stage.run(Command::ResetClock(())).unwrap();
    reject(&mut stage);
    decide(&mut stage);
    stage
}

/// Decisions outside of processes and in one, with and without result, and one that nobody knows.
fn decide(stage: &mut Stage) {
    stage.run(deploy("dish.dmn", DISH)).unwrap();
    stage.run(deploy("dish.dmn", DISH)).unwrap();
    stage.run(deploy("meal.bpmn", MEAL)).unwrap();
    for variables in [r#"{"season":"dry"}"#, r#"{"season":"any"}"#] {
        let evaluate = EvaluateDecision {
            id: "dish".into(),
            variables: document(variables),
            ..EvaluateDecision::default()
        };
        stage.run(Command::EvaluateDecision(evaluate)).unwrap();
        stage.run(create("meal", variables)).unwrap();
    }
    let unknown = EvaluateDecision {
        id: "drink".into(),
        variables: document(r#"{"a":1}"#),
        ..EvaluateDecision::default()
    };
    stage.run(Command::EvaluateDecision(unknown)).unwrap_err();
}

fn last_job(stage: &Stage) -> JobKey {
    let mut found = None;
    for payload in &stage.payloads {
        records::<Engine>(payload, |record| {
            if let Body::Event(Event::JobsActivated(activated)) = record.body {
                found = activated.jobs.first().map(|job| job.key);
            }
        })
        .unwrap();
    }
    found.unwrap()
}

/// Every wish of a client that can be refused.
fn reject(stage: &mut Stage) {
    let job = JobKey::from_raw(404);
    let instance = ProcessInstanceKey::from_raw(404);
    let variables = document(r#"{"a":1}"#);
    let wishes = [
        deploy("broken.bpmn", "<definitions"),
        create("nobody", r#"{"a":1}"#),
        Command::CreateInstance(CreateInstance {
            definition: Some(ProcessDefinitionKey::from_raw(404)),
            await_result: Some(AwaitResult::default()),
            ..CreateInstance::default()
        }),
        Command::CancelInstance(CancelInstance { instance }),
        Command::SetVariables(SetVariables {
            scope: ElementInstanceKey::from_raw(404),
            variables: variables.clone(),
            local: true,
        }),
        activate("check-stock", 0),
        Command::CompleteJob(CompleteJob { job, variables: variables.clone() }),
        Command::FailJob(FailJob {
            job,
            retries: 1,
            backoff: 5,
            message: "why".into(),
            variables: variables.clone(),
        }),
        Command::ThrowError(ThrowError { job, code: "C".into(), message: "why".into(), variables }),
        Command::UpdateJobRetries(UpdateJobRetries { job, retries: 1 }),
        Command::UpdateJobTimeout(UpdateJobTimeout { job, timeout: 5 }),
        Command::ResolveIncident(ResolveIncident { incident: IncidentKey::from_raw(404) }),
        Command::YieldJob(YieldJob { job, deadline: Timestamp::from_millis(BEGIN) }),
    ];
    for wish in wishes {
        let told = format!("{wish:?}");
        assert!(stage.run(wish).is_err(), "{told}");
    }
}

/// All records that pass, rendered.
fn render(payloads: &[Vec<u8>], filter: Filter) -> Vec<String> {
    let mut renderer = Renderer::new(1, Known::of(payloads));
    let mut lines = Vec::new();
    for payload in payloads {
        records::<Engine>(payload, |record| {
            if filter.passes(&record) {
                let mut json = Vec::new();
                renderer.render(&record, Some((1 << 51) + record.position), &mut json).unwrap();
                lines.extend((!json.is_empty()).then(|| String::from_utf8(json).unwrap()));
            }
        })
        .unwrap();
    }
    lines
}

/// What a script does not bring about: failures of the engine, and its own wishes that failed.
fn render_inner() -> Vec<String> {
    let (instance, key) = (ProcessInstanceKey::from_raw(5), ElementInstanceKey::from_raw(6));
    let rejected = |command| Body::Rejection {
        command,
        rejection: Rejection::new(RejectionKind::ProcessingError, "it \"failed\"\u{1}"),
    };
    let given = ScopedVariables { scope: "box".into(), variables: document(r#"{"a":1}"#) };
    let activation =
        Activation { element: "pack".into(), ancestor: Some(key), variables: vec![given.clone(), given] };
    let modify =
        ModifyInstance { instance, activate: vec![activation, Activation::default()], terminate: vec![key] };
    let mapping = ElementMapping { source: "charge".into(), target: "bill".into() };
    let migrate =
        MigrateInstance { instance, target: ProcessDefinitionKey::from_raw(8), mappings: vec![mapping] };
    let bodies = [
        Body::Event(Event::InstanceBanned(InstanceBanned { instance, message: "overflow".into() })),
        rejected(Command::ActivateElement(ActivateElement {
            instance,
            scope: key,
            element: ElementNumber(2),
            key: ElementInstanceKey::from_raw(7),
            ..ActivateElement::default()
        })),
        rejected(Command::CompleteElement(CompleteElement { key })),
        rejected(Command::TerminateElement(TerminateElement { key })),
        rejected(Command::TerminateChildren(TerminateChildren { scope: key, from: key })),
        rejected(Command::Tick(())),
        rejected(Command::PinClock(PinClock { at: Timestamp::from_millis(9) })),
        rejected(Command::ResetClock(())),
        Body::Event(Event::InstanceModified(modify.clone())),
        rejected(Command::ModifyInstance(modify)),
        Body::Event(Event::InstanceMigrated(migrate.clone())),
        rejected(Command::MigrateInstance(migrate)),
    ];
    let mut renderer = Renderer::new(2, Known::default());
    let render = |(position, body)| {
        let timestamp = Timestamp::from_millis(-1);
        let record = Record { position, source_position: None, timestamp, operation_reference: None, body };
        let mut json = Vec::new();
        renderer.render(&record, None, &mut json).unwrap();
        String::from_utf8(json).unwrap()
    };
    (1u64..).zip(bodies).map(render).collect()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// The batches of the orders.
fn recorded() -> Vec<Vec<u8>> {
    static UPDATED: Once = Once::new();
    let path = folder("fixtures").join("orders.log");
    if std::env::var_os("UPDATE").is_some() {
        UPDATED.call_once(|| {
            let framed = |payload: Vec<u8>| {
                let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
                length.into_iter().chain(payload)
            };
            let log: Vec<u8> = play().payloads.into_iter().flat_map(framed).collect();
            fs::write(&path, log).unwrap();
        });
    }
    let log = fs::read(&path).unwrap();
    let mut rest = log.as_slice();
    let mut payloads = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (payload, behind) = behind.split_at(u32::from_le_bytes(*length) as usize);
        payloads.push(payload.to_vec());
        rest = behind;
    }
    payloads
}

fn value_of(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn renders_every_kind_of_record_as_before() {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for line in render(&recorded(), Filter::All).into_iter().chain(render_inner()) {
        let name = value_of(&line)["valueType"].as_str().unwrap().to_ascii_lowercase().replace('_', "-");
        let file = files.entry(name).or_default();
        file.push_str(&line);
        file.push('\n');
    }
    let folder = folder("cases");
    let update = std::env::var_os("UPDATE").is_some();
    for (name, text) in &files {
        let path = folder.join(format!("{name}.json"));
        if update {
            fs::write(&path, text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        for (line, expected) in text.lines().zip(expected.lines()) {
            assert_eq!(line, expected, "`{name}`; UPDATE=1 rewrites the case");
        }
        assert_eq!(text.lines().count(), expected.lines().count(), "`{name}`; UPDATE=1 rewrites the case");
    }
    let written = fs::read_dir(&folder).unwrap().count();
    assert_eq!(written, files.len(), "a case is left of which there are no records");
}

#[test]
fn covers_every_value_type_and_intent_of_an_event() {
    let kinds: Vec<String> = render(&recorded(), Filter::All)
        .iter()
        .map(|line| value_of(line))
        .map(|record| {
            format!(
                "{} {} {}",
                record["recordType"].as_str().unwrap(),
                record["valueType"].as_str().unwrap(),
                record["intent"].as_str().unwrap()
            )
        })
        .collect();
    let has = |kind: &str| kinds.iter().any(|found| found == kind);
    for (value_type, intents) in [
        ("DEPLOYMENT", "CREATED"),
        ("PROCESS", "CREATED"),
        ("PROCESS_INSTANCE_CREATION", "CREATED"),
        (
            "PROCESS_INSTANCE",
            "SEQUENCE_FLOW_TAKEN ELEMENT_ACTIVATING ELEMENT_ACTIVATED ELEMENT_COMPLETING ELEMENT_COMPLETED ELEMENT_TERMINATING ELEMENT_TERMINATED",
        ),
        (
            "JOB",
            "CREATED COMPLETED TIMED_OUT FAILED RETRIES_UPDATED CANCELED ERROR_THROWN RECURRED_AFTER_BACKOFF YIELDED TIMEOUT_UPDATED",
        ),
        ("JOB_BATCH", "ACTIVATED"),
        ("VARIABLE", "CREATED UPDATED"),
        ("VARIABLE_DOCUMENT", "UPDATED"),
        ("INCIDENT", "CREATED RESOLVED"),
        ("PROCESS_EVENT", "TRIGGERING TRIGGERED"),
        ("CLOCK", "PINNED RESETTED"),
        ("DECISION_REQUIREMENTS", "CREATED"),
        ("DECISION", "CREATED"),
        ("DECISION_EVALUATION", "EVALUATED FAILED"),
    ] {
        for intent in intents.split(' ') {
            assert!(has(&format!("EVENT {value_type} {intent}")), "{value_type} {intent}");
        }
    }
    assert!(kinds.iter().filter(|kind| kind.starts_with("COMMAND_REJECTION")).count() >= 13);
}

/// Numbers and documents come out as they went in, also where a reader of JSON would round them.
#[test]
fn keeps_keys_and_documents_as_they_are() {
    let stage = play();
    let lines = render(&stage.payloads, Filter::All);
    let mut at = 0;
    for payload in &stage.payloads {
        records::<Engine>(payload, |record| {
            let Body::Event(event) = &record.body else {
                at += usize::from(matches!(record.body, Body::Rejection { .. }));
                return;
            };
            if matches!(event, Event::ResultAwaited(_)) {
                return;
            }
            let found = value_of(&lines[at]);
            at += 1;
            assert_eq!(found["position"], record.position);
            assert_eq!(found["sourceRecordPosition"].as_i64(), record.source_position.map(u64::cast_signed));
            assert_eq!(found["timestamp"], record.timestamp.as_millis());
            let value = &found["value"];
            match event {
                Event::Element(event) => {
                    assert_eq!(found["key"], event.key.raw());
                    assert_eq!(value["processInstanceKey"], event.instance.raw());
                    assert_eq!(value["processDefinitionKey"], event.definition.raw());
                }
                Event::VariableCreated(event) | Event::VariableUpdated(event) => {
                    assert_eq!(value["value"].as_str(), Some(&*event.value));
                    assert_eq!(value["scopeKey"], event.scope.raw());
                }
                Event::Job(event) => {
                    assert_eq!(found["key"], event.key.raw());
                    assert_eq!(value["variables"], value_of(event.variables.as_str()));
                    let headers = if &*event.job_type == "check-stock" { "a \"box\"" } else { "" };
                    assert_eq!(value["customHeaders"]["unit"].as_str().unwrap_or_default(), headers);
                }
                _ => (),
            }
        })
        .unwrap();
    }
    assert_eq!(at, lines.len());
    assert!(lines.iter().any(|line| line.contains("\"big\":12345678901234567890")));
}

#[test]
fn leaves_out_what_is_internal_unless_told_otherwise() {
    let lines = render(&recorded(), Filter::Events);
    let types: Vec<_> =
        lines.iter().map(|line| value_of(line)["valueType"].as_str().unwrap().to_owned()).collect();
    for left_out in ["JOB_BATCH", "PROCESS_EVENT"] {
        assert!(!types.iter().any(|found| found == left_out), "{left_out}");
    }
    assert!(types.iter().any(|found| found == "JOB"));
    assert!(lines.iter().all(|line| value_of(line)["recordType"] == "EVENT"));
}

/// What is not known is written as not set, in every value type.
#[test]
fn renders_without_definitions() {
    let mut renderer = Renderer::new(1, Known::default());
    for payload in &play().payloads {
        records::<Engine>(payload, |record| {
            let mut json = Vec::new();
            renderer.render(&record, None, &mut json).unwrap();
            if !json.is_empty() {
                value_of(std::str::from_utf8(&json).unwrap());
            }
        })
        .unwrap();
    }
}
