//! Records tell the whole way from the outermost process instance: through scopes, and through calls.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use coreto_engine::Engine;
use coreto_partition::records;
use coreto_view::{Filter, Renderer};
use serde_json::Value;
use support::{Known, Stage, create, deploy};

/// Two call activities, the second by id inside of a subprocess, and the process that it calls, which has a subprocess
/// of its own with an incident.
const MINE: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="mine" isExecutable="true"><startEvent id="in"/><sequenceFlow id="f1" sourceRef="in" targetRef="level"/>
<subProcess id="level"><startEvent id="level-in"/><sequenceFlow id="f2" sourceRef="level-in" targetRef="z-call"/>
<callActivity id="z-call"><extensionElements><zeebe:calledElement processId="dig"/></extensionElements></callActivity></subProcess>
<sequenceFlow id="f3" sourceRef="level" targetRef="a-call"/>
<callActivity id="a-call"><extensionElements><zeebe:calledElement processId="dig"/></extensionElements></callActivity></process>
<process id="dig" isExecutable="true"><startEvent id="dig-in"/><sequenceFlow id="g1" sourceRef="dig-in" targetRef="shaft"/>
<subProcess id="shaft"><startEvent id="shaft-in"/><sequenceFlow id="g2" sourceRef="shaft-in" targetRef="drill"/>
<serviceTask id="drill"><extensionElements><zeebe:taskDefinition type="=nothing"/></extensionElements></serviceTask>
</subProcess></process></definitions>"#;

/// The values of all records of events, with their keys.
fn play() -> Vec<(String, Value)> {
    let mut stage = Stage::default();
    stage.run(deploy("mine.bpmn", MINE)).unwrap();
    stage.run(create("mine", "{}")).unwrap();
    let mut renderer = Renderer::new(1, Known::of(&stage.payloads));
    let mut found = Vec::new();
    for payload in &stage.payloads {
        records::<Engine>(payload, |record| {
            let mut json = Vec::new();
            renderer.render(&record, None, &mut json).unwrap();
            if Filter::All.passes(&record) && !json.is_empty() {
                let mut record: Value = serde_json::from_slice(&json).unwrap();
                let kind = format!("{} {}", record["valueType"], record["intent"]).replace('"', "");
                let key = record["key"].take();
                record["value"]["key"] = key;
                found.push((kind, record["value"].take()));
            }
        })
        .unwrap();
    }
    found
}

/// The record of a kind at an element.
fn of<'a>(records: &'a [(String, Value)], kind: &str, element: &str) -> &'a Value {
    let found = records.iter().find(|(found, value)| found == kind && value["elementId"] == element);
    &found.unwrap_or_else(|| panic!("no {kind} at `{element}`")).1
}

#[test]
fn tell_the_way_through_scopes_and_calls() {
    let records = play();
    let entered = |element| of(&records, "PROCESS_INSTANCE ELEMENT_ACTIVATING", element);
    let key = |element| entered(element)["key"].clone();
    let [mine, level, call, dig, shaft, drill] =
        ["mine", "level", "z-call", "dig", "shaft", "drill"].map(key);
    let definition = |element| entered(element)["processDefinitionKey"].clone();
    let (outer, inner) = (definition("mine"), definition("dig"));

    let caller = entered("z-call");
    assert_eq!(
        caller["elementInstancePath"],
        Value::from(vec![vec![mine.clone(), level.clone(), call.clone()]])
    );
    assert_eq!(caller["processDefinitionPath"], Value::from(vec![outer.clone()]));
    assert_eq!(caller["callingElementPath"], Value::from(Vec::<Value>::new()));
    assert_eq!(
        (&caller["parentProcessInstanceKey"], &caller["parentElementInstanceKey"]),
        (&(-1).into(), &(-1).into())
    );

    let above = vec![mine.clone(), level, call.clone()];
    let flow = of(&records, "PROCESS_INSTANCE SEQUENCE_FLOW_TAKEN", "g2");
    let cases = [
        (entered("dig"), vec![dig.clone()]),
        (entered("shaft"), vec![dig.clone(), shaft.clone()]),
        (flow, vec![dig.clone(), shaft.clone(), flow["key"].clone()]),
        (entered("drill"), vec![dig.clone(), shaft.clone(), drill.clone()]),
        (of(&records, "INCIDENT CREATED", "drill"), vec![dig, shaft, drill]),
    ];
    for (value, below) in cases {
        assert_eq!(value["elementInstancePath"], Value::from(vec![above.clone(), below]), "{value}");
        assert_eq!(
            value["processDefinitionPath"],
            Value::from(vec![outer.clone(), inner.clone()]),
            "{value}"
        );
        // `a-call` comes first.
        assert_eq!(value["callingElementPath"], Value::from(vec![1]), "{value}");
        if value.get("parentProcessInstanceKey").is_some() {
            assert_eq!(
                (&value["parentProcessInstanceKey"], &value["parentElementInstanceKey"]),
                (&mine, &call),
                "{value}"
            );
        }
    }
}
