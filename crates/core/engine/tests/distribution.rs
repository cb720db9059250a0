//! What the first partition deploys comes to all others, with its keys and versions, and is answered when all have it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use coreto_engine::{Engine, Env, Limits, Sinks, State, invariant};
use coreto_machine::{
    Caller, Channel, Codec, Head, Machine, Outcome, Output, Place, Sent, Tables, Tenant, Timestamp, Token,
    Txn,
};
use coreto_record::command::{CreateInstance, DeleteResource, Deploy, Resource};
use coreto_record::{Command, Event, Key, Reply, partition_of};

const COUNT: u32 = 3;
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Partitions, and what is on its way between them.
struct Group {
    partitions: Vec<(State, Env)>,
    sent: Vec<Sent<Command>>,
    replies: Vec<(Token, Reply)>,
    events: Vec<(u32, Event)>,
}

impl Group {
    fn new() -> Self {
        let env = || Env::new(Arc::new(Sinks::default()), Limits::default(), "UTC".into());
        let state = |number| State::create(Place { number, count: COUNT });
        let partitions = (1..=COUNT).map(|number| (state(number), env())).collect();
        Self { partitions, sent: Vec::new(), replies: Vec::new(), events: Vec::new() }
    }

    /// Carries out a command with all that follows from it. Gives the answer, if it is there at once.
    fn run(&mut self, partition: u32, now: Timestamp, token: u64, command: Command) -> Option<Reply> {
        let (state, env) = &mut self.partitions[partition as usize - 1];
        let head = Head {
            now,
            seed: 1,
            caller: Caller::anonymous(Channel::Grpc),
            operation_reference: None,
            token: Some(Token::from_raw(token)),
        };
        let mut out = Output::<Engine>::default();
        let mut first = None;
        out.follow_ups.push_back(command);
        while let Some(command) = out.follow_ups.pop_front() {
            let outcome = Engine::handle(&mut Txn::new(state, env, &mut out), &head, &command).unwrap();
            first = first.or(Some(outcome));
        }
        state.commit();
        assert_eq!(invariant::broken(state), Vec::<String>::new());
        self.sent.append(&mut out.sent);
        self.replies.append(&mut out.replies);
        self.events.extend(events(&out.records).map(|event| (partition, event)));
        match first {
            Some(Outcome::Now(reply)) => Some(reply),
            Some(Outcome::Later) | None => None,
        }
    }

    /// Lets what is on its way to a partition arrive.
    fn deliver(&mut self, to: u32) {
        let (arriving, others) = std::mem::take(&mut self.sent).into_iter().partition(|sent| sent.to == to);
        self.sent = others;
        let arriving: Vec<Sent<Command>> = arriving;
        for Sent { command, .. } in arriving {
            self.run(to, NOW, 0, command);
        }
    }

    fn deploy(&mut self, token: u64, content: &str) -> Option<Reply> {
        let resource = Resource { name: "p.bpmn".into(), content: content.as_bytes().into() };
        let deploy = Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] };
        self.run(1, NOW, token, Command::Deploy(deploy))
    }

    fn create(&mut self, partition: u32) -> Option<Reply> {
        let create = CreateInstance { process: "p".into(), ..CreateInstance::default() };
        self.run(partition, NOW, 9, Command::CreateInstance(create))
    }

    fn distribution(&self) -> Vec<(u32, &'static str, u32)> {
        let told = self.events.iter().filter_map(|(at, event)| match event {
            Event::DistributionStarted(_) => Some((*at, "STARTED", 0)),
            Event::DistributionSent(step) => Some((*at, "DISTRIBUTING", step.partition)),
            Event::DistributionAcknowledged(step) => Some((*at, "ACKNOWLEDGED", step.partition)),
            Event::DistributionAnswered(_) => Some((*at, "ANSWERED", 0)),
            Event::DistributionFinished(_) => Some((*at, "FINISHED", 0)),
            _ => None,
        });
        told.collect()
    }
}

/// The events among the records of a batch, each framed by its tag and length.
fn events(mut records: &[u8]) -> impl Iterator<Item = Event> {
    std::iter::from_fn(move || {
        let (&tag, rest) = records.split_first()?;
        assert_eq!(tag, Output::<Engine>::EVENT_TAG);
        let mut reader = coreto_machine::codec::Reader::new(rest);
        let body = reader.bytes().unwrap();
        records = reader.rest();
        Some(Event::decode(body).unwrap())
    })
}

fn model(task: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">
<process id="p" isExecutable="true"><startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>
<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="{task}"/></extensionElements></serviceTask></process></definitions>"#
    )
}

#[test]
fn a_deployment_is_answered_when_all_have_it() {
    let mut group = Group::new();
    assert_eq!(group.deploy(7, &model("a")), None);
    group.deliver(2);
    group.deliver(1);
    assert_eq!(group.replies, [], "the third partition has not said anything");
    assert!(group.create(2).is_some());
    group.deliver(3);
    group.deliver(1);
    let [(token, Reply::Deployed(deployed))] = &*group.replies else { panic!("{:?}", group.replies) };
    assert_eq!((token.raw(), deployed.processes.len()), (7, 1));
    let (process, version) = (deployed.processes[0].key, deployed.processes[0].version);
    for partition in 1..=COUNT {
        let Some(Reply::InstanceCreated(created)) = group.create(partition) else { panic!("not created") };
        assert_eq!((created.definition, created.version), (process, version));
        assert_eq!(partition_of(created.key.raw()), partition);
    }
    let told = group.distribution();
    assert_eq!(
        told,
        [
            (1, "STARTED", 0),
            (1, "DISTRIBUTING", 2),
            (1, "DISTRIBUTING", 3),
            (1, "ACKNOWLEDGED", 2),
            (1, "ACKNOWLEDGED", 3),
            (1, "FINISHED", 0),
        ]
    );
}

#[test]
fn versions_count_in_the_order_of_the_first_partition() {
    let mut group = Group::new();
    for (token, task) in [(1, "a"), (2, "b"), (3, "b")] {
        group.deploy(token, &model(task));
    }
    for partition in [2, 3, 1] {
        group.deliver(partition);
    }
    let versions = group.replies.iter().map(|(token, reply)| match reply {
        Reply::Deployed(deployed) => {
            (token.raw(), deployed.processes[0].version, deployed.processes[0].duplicate)
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(versions.collect::<Vec<_>>(), [(1, 1, false), (2, 2, false), (3, 2, true)]);
    let Some(Reply::InstanceCreated(created)) = group.create(3) else { panic!("not created") };
    assert_eq!(created.version, 2);
}

#[test]
fn a_partition_that_stays_away_holds_an_answer_up_for_ten_seconds() {
    let mut group = Group::new();
    group.deploy(7, &model("a"));
    group.deliver(2);
    group.deliver(1);
    let due = Engine::due(&group.partitions[0].0).unwrap();
    assert_eq!(due, NOW.plus_millis(10_000));
    group.run(1, due, 0, Engine::tick());
    assert_eq!(group.replies.len(), 1);
    assert_eq!(Engine::due(&group.partitions[0].0), None);
    group.deliver(3);
    group.deliver(1);
    assert_eq!(group.replies.len(), 1, "an answer is given once");
    assert!(group.create(3).is_some(), "it has the deployment nevertheless");
    assert_eq!(group.distribution().last(), Some(&(1, "FINISHED", 0)));
}

#[test]
fn a_lone_partition_answers_at_once() {
    let mut group = Group::new();
    group.partitions[0].0 = State::create(Place { number: 1, count: 1 });
    assert!(matches!(group.deploy(7, &model("a")), Some(Reply::Deployed(_))));
    assert_eq!(group.distribution(), []);
}

#[test]
fn a_deletion_reaches_all_and_is_answered_then() {
    let mut group = Group::new();
    for (token, task) in [(1, "a"), (2, "b")] {
        group.deploy(token, &model(task));
        (2..=COUNT).for_each(|partition| group.deliver(partition));
        group.deliver(1);
    }
    let deployed: Vec<_> = std::mem::take(&mut group.replies)
        .into_iter()
        .map(|(_, reply)| match reply {
            Reply::Deployed(deployed) => deployed.processes[0].key,
            other => panic!("{other:?}"),
        })
        .collect();
    group.events.clear();
    let resource = deployed[1].raw();
    assert_eq!(group.run(1, NOW, 7, Command::DeleteResource(DeleteResource { resource })), None);
    group.deliver(2);
    group.deliver(3);
    group.deliver(1);
    let [(token, Reply::ResourceDeleted(deleted))] = &*group.replies else { panic!("{:?}", group.replies) };
    assert_eq!((token.raw(), deleted.resource), (7, resource));
    for partition in 1..=COUNT {
        let Some(Reply::InstanceCreated(created)) = group.create(partition) else { panic!("not created") };
        assert_eq!((created.definition, created.version), (deployed[0], 1));
    }
    let told = group.events.iter().filter(|(_, event)| matches!(event, Event::ProcessDeleted(_)));
    assert_eq!(told.map(|(partition, _)| *partition).collect::<Vec<_>>(), [1]);
}
