//! An engine without threads and disks, that makes batches as the log holds them.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::collections::HashMap;
use std::sync::Arc;

use coreto_engine::{Definition, Engine, Env, Limits, Requirements, SinkKind, SinkSpec, Sinks};
use coreto_machine::{Caller, Channel, Codec, Place, Tenant, Timestamp};
use coreto_partition::{Address, Body, Mailbox, Partition, Request, Submission, records};
use coreto_record::command::{ActivateJobs, CreateInstance, Deploy, Resource};
use coreto_record::{
    Command, DecisionRequirementsKey, Document, Event, ProcessDefinitionKey, Rejection, Reply,
};
use coreto_view::{Definitions, Unanswered};

/// Two service tasks in a row; the first has headers and an output mapping.
pub const ORDER: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="order" name="An &quot;order&quot;" isExecutable="true"><extensionElements><zeebe:versionTag value="v1"/></extensionElements>
<startEvent id="begin"/><sequenceFlow id="a" sourceRef="begin" targetRef="stock"/>
<serviceTask id="stock"><extensionElements><zeebe:taskDefinition type="check-stock"/>
<zeebe:taskHeaders><zeebe:header key="unit" value="a &quot;box&quot;"/></zeebe:taskHeaders></extensionElements></serviceTask>
<sequenceFlow id="b" sourceRef="stock" targetRef="pay"/>
<serviceTask id="pay"><extensionElements><zeebe:taskDefinition type="make-payment" retries="1"/></extensionElements></serviceTask>
<sequenceFlow id="c" sourceRef="pay" targetRef="done"/><endEvent id="done"/></process></definitions>"#;

/// When tests begin: 2026-01-31, a minute before midnight in UTC.
pub const BEGIN: i64 = 1_769_903_940_000;

/// An engine with what it has sealed.
pub struct Stage {
    partition: Partition<Engine>,
    pub sinks: Arc<Sinks>,
    pub now: i64,
    pub payloads: Vec<Vec<u8>>,
    /// Of each command, the number of the operation that the caller gave.
    pub operation_reference: Option<u64>,
}

/// How a command ended.
pub type Ended = Result<Reply, Rejection>;

struct Nobody;

impl Mailbox<Engine> for Nobody {
    fn put(&self, _ticket: u64, _answer: coreto_partition::Answer<Engine>) {}
    fn flush(&self) {}
}

impl Default for Stage {
    fn default() -> Self {
        let sinks = Arc::new(Sinks::default());
        let env = Env::new(Arc::clone(&sinks), Limits::default(), "UTC".into());
        let mut partition = Partition::create(
            Place { number: 1, count: 1 },
            env,
            coreto_partition::Limits::default(),
            Box::new(|| 7),
        );
        partition.start(1);
        Self { partition, sinks, now: BEGIN, payloads: Vec::new(), operation_reference: None }
    }
}

impl Stage {
    /// Handles one command and all that follows from it; its batch is sealed.
    pub fn run(&mut self, command: Command) -> Ended {
        let answer = Address { mailbox: Arc::new(Nobody), ticket: 1 };
        let mut request = Request::new(command, Caller::anonymous(Channel::Grpc), Some(answer));
        request.operation_reference = self.operation_reference;
        self.partition.take(Timestamp::from_millis(self.now), Submission::Request(Box::new(request)));
        self.seal().unwrap_or(Ok(Reply::Done(())))
    }

    /// Lets time pass, and what is due happen.
    pub fn pass(&mut self, millis: i64) {
        self.now += millis;
        self.partition.tick(Timestamp::from_millis(self.now));
        self.seal();
    }

    fn seal(&mut self) -> Option<Ended> {
        while self.partition.has_pending() {
            self.partition.take_pending(Timestamp::from_millis(self.now));
        }
        let sealed = self.partition.seal(Vec::new());
        if !sealed.payload.is_empty() {
            self.payloads.push(sealed.payload);
        }
        sealed.answers.into_iter().next().map(|(_, answer)| match answer {
            coreto_partition::Answer::Reply(reply) => Ok(reply),
            coreto_partition::Answer::Rejected(rejection) => Err(rejection),
            other => panic!("{other:?}"),
        })
    }

    /// A stream that takes every job of a type.
    pub fn stream(&self, job_type: &str) -> u64 {
        let spec = SinkSpec {
            job_type: job_type.into(),
            worker: "streamer".into(),
            timeout_ms: 60_000,
            fetch: Arc::new([]),
            tenants: Arc::new([Tenant::DEFAULT]),
            kind: SinkKind::Stream,
        };
        self.sinks.open(spec, u32::MAX)
    }
}

/// Definitions by their keys.
#[derive(Default)]
pub struct Known(
    HashMap<ProcessDefinitionKey, Arc<Definition>>,
    HashMap<DecisionRequirementsKey, Arc<Requirements>>,
);

impl Known {
    /// Those that batches tell of.
    pub fn of(payloads: &[Vec<u8>]) -> Self {
        let mut known = Self::default();
        for payload in payloads {
            records::<Engine>(payload, |record| match record.body {
                Body::Event(Event::ProcessCreated(created)) => {
                    let definition = Definition::decode(&created.to_bytes()).unwrap();
                    known.0.insert(created.key, Arc::new(definition));
                }
                Body::Event(Event::RequirementsCreated(created)) => {
                    let requirements = Requirements::decode(&created.to_bytes()).unwrap();
                    known.1.insert(created.key, Arc::new(requirements));
                }
                _ => (),
            })
            .unwrap();
        }
        known
    }
}

impl Definitions for Known {
    fn definition(&mut self, key: ProcessDefinitionKey) -> Result<Option<Arc<Definition>>, Unanswered> {
        Ok(self.0.get(&key).cloned())
    }

    fn requirements(
        &mut self,
        key: DecisionRequirementsKey,
    ) -> Result<Option<Arc<Requirements>>, Unanswered> {
        Ok(self.1.get(&key).cloned())
    }
}

/// Deploys a model.
pub fn deploy(name: &str, model: &str) -> Command {
    let resource = Resource { name: name.into(), content: model.as_bytes().into() };
    Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] })
}

/// Starts an instance.
pub fn create(process: &str, variables: &str) -> Command {
    Command::CreateInstance(CreateInstance {
        process: process.into(),
        variables: Document::parse(variables).unwrap(),
        ..CreateInstance::default()
    })
}

/// Takes jobs.
pub fn activate(job_type: &str, max: i32) -> Command {
    Command::ActivateJobs(ActivateJobs {
        job_type: job_type.into(),
        worker: "tester".into(),
        timeout: 10_000,
        max,
        tenants: vec![Tenant::DEFAULT],
        ..ActivateJobs::default()
    })
}
