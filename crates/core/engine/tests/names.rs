//! Ids that definitions are found by are bounded, since tables and stores hold them as keys.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use coreto_engine::{Engine, Env, Limits, Sinks, State};
use coreto_machine::{Caller, Channel, Head, Machine, Output, Place, Tables, Tenant, Timestamp, Txn};
use coreto_record::command::{Deploy, Resource};
use coreto_record::{Command, RejectionKind};

const PROCESS: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"><process id="ID" isExecutable="true"><startEvent id="s"/></process></definitions>"#;
const DECISION: &str = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="g" name="g" namespace="n"><decision id="ID" name="d"><literalExpression id="l"><text>1</text></literalExpression></decision></definitions>"#;
const GRAPH: &str = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="ID" name="g" namespace="n"><decision id="d" name="d"><literalExpression id="l"><text>1</text></literalExpression></decision></definitions>"#;

/// What is said about a deployment of one file in which `ID` is so long.
fn deploy(name: &str, template: &str, bytes: usize) -> Option<(RejectionKind, String)> {
    let mut state = State::create(Place { number: 1, count: 1 });
    let mut env = Env::new(Arc::new(Sinks::default()), Limits::default(), "UTC".into());
    let mut out = Output::<Engine>::default();
    let head = Head {
        now: Timestamp::from_millis(0),
        seed: 1,
        caller: Caller::anonymous(Channel::Grpc),
        operation_reference: None,
        token: None,
    };
    let content = template.replace("ID", &"i".repeat(bytes)).into_bytes();
    let resources = vec![Resource { name: name.into(), content: content.into() }];
    let command = Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources });
    let rejection = Engine::handle(&mut Txn::new(&mut state, &mut env, &mut out), &head, &command).err()?;
    Some((rejection.kind, rejection.reason))
}

#[test]
fn ids_are_bounded() {
    let cases = [
        ("p.bpmn", PROCESS, "process id"),
        ("d.dmn", DECISION, "decision id"),
        ("g.dmn", GRAPH, "decision requirements id"),
    ];
    for (name, template, kind) in cases {
        assert_eq!(deploy(name, template, 1024), None, "{kind}");
        let (rejection, reason) = deploy(name, template, 70_000).unwrap();
        assert_eq!(rejection, RejectionKind::InvalidArgument);
        assert!(reason.contains(kind) && reason.contains("70000 bytes, at most 1024"), "{reason}");
        assert!(reason.len() < 1000, "it is shortened");
    }
}
