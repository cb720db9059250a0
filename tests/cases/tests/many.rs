//! Large collections: what they cost grows as they do, and others go on beside them.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write;

use coreto_cases::bench::{Bench, Bounds};
use coreto_machine::Tenant;
use coreto_partition::{Answer, Body, Record};
use coreto_record::command::{CancelInstance, CreateInstance, Deploy, Resource};
use coreto_record::{Command, Document, Event, JobKey, Lifecycle, ProcessInstanceKey, Reply};

/// A task that is repeated for each of the `items`.
fn model(task: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="many" isExecutable="true"><startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="each"/>
<{task} id="each"><extensionElements><zeebe:taskDefinition type="each"/></extensionElements><multiInstanceLoopCharacteristics><extensionElements>
<zeebe:loopCharacteristics inputCollection="=items" inputElement="it" outputCollection="results" outputElement="=it + 1"/>
</extensionElements></multiInstanceLoopCharacteristics></{task}>
<sequenceFlow id="f2" sourceRef="each" targetRef="wait"/>
<serviceTask id="wait"><extensionElements><zeebe:taskDefinition type="wait"/></extensionElements></serviceTask></process></definitions>"#
    )
}

struct Many {
    bench: Bench,
    events: Vec<Event>,
    batches: usize,
}

impl Many {
    fn new(task: &str) -> Self {
        let mut many = Self { bench: Bench::new(Bounds::default()), events: Vec::new(), batches: 0 };
        let file = Resource { name: "many.bpmn".into(), content: model(task).into_bytes().into() };
        many.run(Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources: vec![file] }));
        many
    }

    fn seal(&mut self) -> Vec<Answer<coreto_engine::Engine>> {
        let batch = self.bench.seal();
        self.batches += 1;
        let event = |record: Record<coreto_engine::Engine>| match record.body {
            Body::Event(event) => Some(event),
            Body::Command(_) | Body::Rejection { .. } => None,
        };
        self.events.extend(batch.records.into_iter().filter_map(event));
        batch.answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Runs a command, and all that is left to be done after it.
    fn run(&mut self, command: Command) -> Reply {
        self.bench.ask(command);
        let mut answers = self.seal();
        while self.bench.take_pending() {
            answers.extend(self.seal());
        }
        match answers.pop() {
            Some(Answer::Reply(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    fn create(&mut self, items: usize) -> ProcessInstanceKey {
        let mut text = String::from(r#"{"items":["#);
        for item in 0..items {
            write!(text, "{}{item}", if item > 0 { "," } else { "" }).unwrap();
        }
        text.push_str("]}");
        let variables = Document::parse(&text).unwrap();
        let create = CreateInstance { process: "many".into(), variables, ..CreateInstance::default() };
        match self.run(Command::CreateInstance(create)) {
            Reply::InstanceCreated(created) => created.key,
            other => panic!("{other:?}"),
        }
    }

    /// The last value of the results of a process instance.
    fn results(&self) -> &str {
        let written = self.events.iter().rev().find_map(|event| match event {
            Event::VariableCreated(set) if &*set.name == "results" && set.scope == set.instance.into() => {
                Some(&*set.value)
            }
            _ => None,
        });
        written.unwrap()
    }

    fn count(&self, to: Lifecycle) -> usize {
        self.events
            .iter()
            .filter(|event| matches!(event, Event::Element(changed) if changed.to == to))
            .count()
    }
}

#[test]
fn results_of_many_items_are_handed_out_in_order() {
    let mut many = Many::new("manualTask");
    many.create(2_500);
    let expected: Vec<String> = (1..=2_500).map(|result| result.to_string()).collect();
    assert_eq!(many.results(), format!("[{}]", expected.join(",")));
    assert_eq!(many.bench.broken(), [""; 0]);
    assert_eq!(many.bench.differences(), [""; 0]);
}

#[test]
fn records_grow_with_the_items_and_not_with_their_square() {
    let cost = |items| {
        let mut many = Many::new("manualTask");
        many.create(items);
        let bytes: usize = many.events.iter().map(|event| coreto_machine::Codec::to_bytes(event).len()).sum();
        (many.events.len(), bytes)
    };
    let ((few_events, few_bytes), (events, bytes)) = (cost(2_000), cost(8_000));
    assert!(events < few_events * 41 / 10, "{few_events} events became {events}");
    assert!(bytes < few_bytes * 41 / 10, "{few_bytes} bytes became {bytes}");
}

#[test]
fn another_instance_goes_on_beside_many_items_and_beside_their_end() {
    let mut many = Many::new("serviceTask");
    let other =
        Command::CreateInstance(CreateInstance { process: "many".into(), ..CreateInstance::default() });
    // All that a client waits for comes with the next batch, however much is left to be done.
    let goes_on = |many: &mut Many| {
        let before = many.batches;
        assert!(many.bench.has_pending());
        many.bench.ask(other.clone());
        assert_eq!(many.seal().len(), 1);
        assert_eq!(many.batches, before + 1);
    };
    let variables = Document::parse(&format!(r#"{{"items":[{}0]}}"#, "0,".repeat(1_999))).unwrap();
    let create = CreateInstance { process: "many".into(), variables, ..CreateInstance::default() };
    many.bench.ask(Command::CreateInstance(create));
    let Some(Answer::Reply(Reply::InstanceCreated(created))) = many.seal().pop() else {
        panic!("not created")
    };
    goes_on(&mut many);
    while many.bench.take_pending() {
        many.seal();
    }
    let jobs = |many: &Many| -> Vec<JobKey> {
        let created = many.events.iter().filter_map(|event| match event {
            Event::Job(job) if job.to == coreto_record::event::JobIntent::Created => Some(job.key),
            _ => None,
        });
        created.collect()
    };
    assert_eq!(jobs(&many).len(), 2_000);
    many.bench.ask(Command::CancelInstance(CancelInstance { instance: created.key }));
    many.seal();
    goes_on(&mut many);
    while many.bench.take_pending() {
        many.seal();
    }
    assert_eq!(many.count(Lifecycle::Terminated), 2_000 + 2);
    assert_eq!(many.bench.broken(), [""; 0]);
}
