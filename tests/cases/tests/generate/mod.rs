//! A game: a partition with random processes, and what a random client does to it.

mod chance;
mod model;
mod script;
pub(crate) mod shrink;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use coreto_cases::bench::{Batch, Bench, Bounds};
use coreto_engine::{SinkKind, SinkSpec};
use coreto_machine::{Tenant, Timestamp};
use coreto_partition::{Answer, Body};
use coreto_record::command::{
    ActivateJobs, Activation, AwaitResult, BroadcastSignal, CancelInstance, CompleteJob, CreateInstance,
    Deploy, ElementMapping, FailJob, MigrateInstance, ModifyInstance, PublishMessage, ResolveIncident,
    Resource, SetVariables, ThrowError, UpdateJobRetries, UpdateJobTimeout, YieldJob,
};
use coreto_record::event::JobIntent;
use coreto_record::{
    Command, Document, ElementInstanceKey, Event, IncidentKey, JobKey, Key, Lifecycle, ProcessDefinitionKey,
    ProcessInstanceKey, Reply,
};

use chance::Chance;
pub(crate) use script::Script;

/// Job types of all processes.
const TYPES: [&str; 2] = ["blue", "red"];

/// Processes of a game.
const PROCESSES: u64 = 3;

/// A partition, what a client has seen of it, and the dice.
pub(crate) struct Game {
    seed: u64,
    bench: Bench,
    chance: Chance,
    script: Script,
    /// Instances that were created, and their definitions.
    instances: BTreeMap<ProcessInstanceKey, ProcessDefinitionKey>,
    /// Definitions, and the ids in them.
    definitions: BTreeMap<ProcessDefinitionKey, BTreeSet<String>>,
    elements: BTreeSet<ElementInstanceKey>,
    jobs: BTreeSet<JobKey>,
    incidents: BTreeSet<IncidentKey>,
    /// Streams and polls that are open, and whether each is a poll.
    sinks: BTreeMap<u64, bool>,
    polls: BTreeMap<u64, u64>,
    held: Vec<(JobKey, Timestamp)>,
    seen: BTreeSet<String>,
}

impl Game {
    /// A partition with processes and without instances; its bounds are random and often small.
    pub(crate) fn begin(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let mut bounds = Bounds::default();
        if chance.one_in(2) {
            bounds.partition.commands_in_batch_max = 1 + chance.below(10) as u32;
            bounds.engine.children_per_step = 1 + chance.below(3) as usize;
            bounds.engine.due_per_tick = 1 + chance.below(3) as usize;
        }
        if chance.one_in(3) {
            bounds.engine.message_bytes_max = 400;
        }
        if chance.one_in(3) {
            bounds.partition.command_bytes_max = 1500;
        }
        let mut game = Self {
            seed,
            script: Script::begin(&bounds),
            bench: Bench::new(bounds),
            chance,
            instances: BTreeMap::new(),
            definitions: BTreeMap::new(),
            elements: BTreeSet::new(),
            jobs: BTreeSet::new(),
            incidents: BTreeSet::new(),
            sinks: BTreeMap::new(),
            polls: BTreeMap::new(),
            held: Vec::new(),
            seen: BTreeSet::new(),
        };
        for number in 0..PROCESSES {
            let id = format!("p{number}");
            let content: Arc<[u8]> = model::random(&mut game.chance, &id, &TYPES).into_bytes().into();
            // A second version, to which instances may go.
            for name in [format!("{id}.bpmn"), format!("{id}-again.bpmn")] {
                let resources = vec![Resource { name: name.into(), content: Arc::clone(&content) }];
                game.ask(Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources }));
            }
        }
        game.settle().expect("a deployment breaks nothing");
        game
    }

    /// The partition.
    pub(crate) const fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Hands a client's command over.
    fn ask(&mut self, command: Command) -> u64 {
        self.script.tell(&command);
        self.bench.ask(command)
    }

    /// What was done, as a case with its models, and which kinds of events occurred.
    pub(crate) fn end(self) -> (Script, BTreeSet<String>) {
        (self.script, self.seen)
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.chance.one_in(times)
    }

    /// Takes up the dice of a step.
    pub(crate) const fn roll(&mut self, step: usize) {
        self.chance = Chance::of_step(self.seed, step);
    }

    /// Does a random thing; what it wrote may be sealed at once or together with what follows.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        match self.chance.below(32) {
            0..=4 => self.create(),
            5..=6 => self.activate(),
            7 => self.open(),
            8 => self.close(),
            9..=13 => self.with_job(),
            14 => self.resolve(),
            15..=16 => self.set(),
            17 => self.cancel(),
            18 => self.give_back(),
            19..=21 => self.publish(),
            22 => {
                let (name, variables) = ("s0".into(), self.document());
                self.ask(Command::BroadcastSignal(BroadcastSignal {
                    name,
                    variables,
                    ..BroadcastSignal::default()
                }));
            }
            23..=25 => self.modify(),
            26..=28 => self.migrate(),
            _ => {
                let millis = self.chance.below(8000) as i64;
                self.script.line(&format!("pass {millis}ms"));
                self.bench.pass(millis);
                self.bench.tick();
            }
        }
        if self.chance.one_in(2) { self.settle() } else { Ok(()) }
    }

    /// Starts again from the log.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        self.script.restart();
        self.seal()?;
        self.bench.restart();
        // Follow-ups may be waiting, so the invariants need not hold; the state must be the same.
        self.bench.differences().into_iter().next().map_or(Ok(()), Err)
    }

    /// Cancels every instance.
    pub(crate) fn end_all(&mut self) -> Result<(), String> {
        self.settle()?;
        for instance in self.instances.keys().copied().collect::<Vec<_>>() {
            self.ask(Command::CancelInstance(CancelInstance { instance }));
            self.settle()?;
        }
        self.check()?;
        if self.instances.is_empty() { Ok(()) } else { Err(format!("{:?} did not end", self.instances)) }
    }

    fn create(&mut self) {
        let process = format!("p{}", self.chance.below(PROCESSES + 1));
        let await_result = self.chance.one_in(4).then(AwaitResult::default);
        let variables = self.document();
        let starts = if self.chance.one_in(4) { vec![self.id()] } else { Vec::new() };
        self.ask(Command::CreateInstance(CreateInstance {
            process: process.into(),
            variables,
            await_result,
            starts,
            ..CreateInstance::default()
        }));
    }

    /// The id of an element that there may be.
    fn id(&mut self) -> Arc<str> {
        match self.chance.below(6) {
            0 => format!("e{}", self.chance.below(3)).into(),
            1 => format!("e{}t", self.chance.below(3)).into(),
            _ => format!("n{}", self.chance.below(7)).into(),
        }
    }

    fn modify(&mut self) {
        let instances: Vec<ProcessInstanceKey> = self.instances.keys().copied().collect();
        let Some(&instance) = self.chance.pick_any(&instances) else { return };
        let mut modify = ModifyInstance { instance, ..ModifyInstance::default() };
        for _ in 0..self.chance.below(3) {
            modify.activate.push(Activation { element: self.id(), ..Activation::default() });
        }
        // Elements of other instances are refused, so that the younger ones are better guesses.
        let elements: Vec<_> = self.elements.range(ElementInstanceKey::from(instance)..).take(12).collect();
        let ended: Vec<_> = elements.into_iter().copied().filter(|key| key.raw() > instance.raw()).collect();
        if let Some(&key) = self.chance.pick_any(&ended).filter(|_| modify.activate.len() < 2) {
            modify.terminate.push(key);
        }
        self.ask(Command::ModifyInstance(modify));
    }

    fn migrate(&mut self) {
        let instances: Vec<_> = self.instances.iter().map(|(key, of)| (*key, *of)).collect();
        let targets: Vec<_> = self.definitions.keys().copied().collect();
        let Some(&(instance, source)) = self.chance.pick_any(&instances) else { return };
        let Some(&target) = self.chance.pick_any(&targets) else { return };
        let both = self.definitions[&source].intersection(&self.definitions[&target]).cloned();
        let ids: Vec<String> = both.collect();
        let strict = self.chance.one_in(3);
        let mut mappings = Vec::new();
        for id in ids {
            if strict || !self.chance.one_in(8) {
                mappings.push(ElementMapping { source: id.as_str().into(), target: id.into() });
            }
        }
        self.ask(Command::MigrateInstance(MigrateInstance { instance, target, mappings }));
    }

    fn publish(&mut self) {
        let name = (*self.chance.pick(&model::MESSAGES)).into();
        let correlation_key = (*self.chance.pick(&["null", "2", "3", ""])).into();
        let (ttl, variables) = (self.chance.below(3) as i64 * 2000, self.document());
        let message = PublishMessage { name, correlation_key, ttl, variables, ..PublishMessage::default() };
        self.ask(Command::PublishMessage(message));
    }

    fn activate(&mut self) {
        let (max, timeout) = (self.chance.below(4) as i32, self.chance.below(5000) as i64);
        let job_type = Arc::from(*self.chance.pick(&TYPES));
        let poll = if self.chance.one_in(2) { self.poll(&job_type, max, timeout) } else { 0 };
        let ticket = self.ask(Command::ActivateJobs(ActivateJobs {
            job_type,
            worker: script::WORKER.into(),
            timeout,
            max,
            fetch: Vec::new(),
            tenants: vec![Tenant::DEFAULT],
            poll,
        }));
        if poll != 0 {
            self.polls.insert(ticket, poll);
        }
    }

    fn poll(&mut self, job_type: &Arc<str>, max: i32, timeout_ms: i64) -> u64 {
        let max = u32::try_from(max).unwrap_or(0);
        let poll = self.bench.open(spec(job_type, timeout_ms, SinkKind::Poll { max }), max);
        self.sinks.insert(poll, true);
        self.script.open("poll", job_type, poll);
        poll
    }

    fn open(&mut self) {
        let job_type = Arc::from(*self.chance.pick(&TYPES));
        let (timeout, credit) = (1 + self.chance.below(5000) as i64, self.chance.below(5) as u32);
        let stream = self.bench.open(spec(&job_type, timeout, SinkKind::Stream), credit);
        self.sinks.insert(stream, false);
        self.script.open("stream", &job_type, stream);
        self.script.line(&format!("stream {job_type} {credit} {timeout}ms worker {}", script::WORKER));
    }

    fn close(&mut self) {
        let sinks: Vec<u64> = self.sinks.keys().copied().collect();
        if let Some(&sink) = self.chance.pick_any(&sinks) {
            self.script.close(sink);
            self.bench.sinks().close(sink);
            self.sinks.remove(&sink);
        }
    }

    fn with_job(&mut self) {
        let jobs: Vec<JobKey> = self.jobs.iter().copied().collect();
        let Some(&job) = self.chance.pick_any(&jobs) else { return };
        let variables = self.document();
        let command = match self.chance.below(10) {
            0..=4 => Command::CompleteJob(CompleteJob { job, variables }),
            5..=6 => Command::FailJob(FailJob {
                job,
                retries: self.chance.below(4) as i32 - 1,
                backoff: self.chance.below(3) as i64 * 1500,
                message: "random".into(),
                variables,
            }),
            7 => Command::ThrowError(ThrowError { job, code: "E".into(), message: "".into(), variables }),
            8 => Command::UpdateJobRetries(UpdateJobRetries { job, retries: self.chance.below(4) as i32 }),
            _ => Command::UpdateJobTimeout(UpdateJobTimeout { job, timeout: self.chance.below(9000) as i64 }),
        };
        self.ask(command);
    }

    fn resolve(&mut self) {
        let incidents: Vec<IncidentKey> = self.incidents.iter().copied().collect();
        if let Some(&incident) = self.chance.pick_any(&incidents) {
            self.ask(Command::ResolveIncident(ResolveIncident { incident }));
        }
    }

    fn set(&mut self) {
        let elements: Vec<ElementInstanceKey> = self.elements.iter().copied().collect();
        if let Some(&scope) = self.chance.pick_any(&elements) {
            let (variables, local) = (self.document(), self.chance.one_in(2));
            self.ask(Command::SetVariables(SetVariables { scope, variables, local }));
        }
    }

    fn cancel(&mut self) {
        let instances: Vec<ProcessInstanceKey> = self.instances.keys().copied().collect();
        if let Some(&instance) = self.chance.pick_any(&instances) {
            self.ask(Command::CancelInstance(CancelInstance { instance }));
        }
    }

    fn give_back(&mut self) {
        let held = std::mem::take(&mut self.held);
        if let Some(&(job, deadline)) = self.chance.pick_any(&held) {
            let command = Command::YieldJob(YieldJob { job, deadline });
            self.script.tell(&command);
            self.bench.ask_internally(command);
        }
    }

    /// Some of the variables that the models speak of, with values of all kinds, now and then large ones.
    fn document(&mut self) -> Document {
        let mut text = String::from("{");
        for name in ["a", "b", "c"] {
            if self.chance.one_in(2) {
                continue;
            }
            let value = match self.chance.below(6) {
                0 => "null".to_owned(),
                1 => format!("\"{}\"", "x".repeat(self.chance.below(300) as usize)),
                2 => r#"{"x":1,"y":[2]}"#.to_owned(),
                number => number.to_string(),
            };
            let comma = if text.len() > 1 { "," } else { "" };
            write!(text, "{comma}\"{name}\":{value}").expect("writing to a string does not fail");
        }
        text.push('}');
        Document::parse(&text).expect("the text is JSON")
    }

    /// Closes the batch and does all that waits.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.script.settle();
        self.seal()?;
        // Bound: an instance that runs in a circle of its own would be a fault of the generator.
        for _ in 0..100_000 {
            if !self.bench.take_pending() {
                return self.check();
            }
            self.seal()?;
        }
        Err("follow-ups do not end".to_owned())
    }

    fn check(&self) -> Result<(), String> {
        match self.bench.broken().into_iter().chain(self.bench.differences()).next() {
            Some(broken) => Err(broken),
            None => Ok(()),
        }
    }

    fn seal(&mut self) -> Result<(), String> {
        let batch = self.bench.seal();
        for record in &batch.records {
            if let Body::Event(event) = &record.body {
                self.seen.insert(kind(event));
                self.script.learn(event);
                self.learn(event);
            }
        }
        self.hear(batch)
    }

    /// Notes what a client could know by now.
    fn learn(&mut self, event: &Event) {
        match event {
            Event::Element(changed) => {
                let ended = changed.to.is_over();
                if changed.to == Lifecycle::Activating {
                    self.elements.insert(changed.key);
                } else if ended && self.chance.one_in(2) {
                    // Some keys of what has ended are kept, to be named in vain.
                    self.elements.remove(&changed.key);
                }
                if ended && changed.scope.is_unset() {
                    self.instances.remove(&changed.instance);
                }
            }
            Event::InstanceCreated(made) => {
                self.instances.insert(made.instance, made.definition);
            }
            Event::InstanceMigrated(moved) => {
                self.instances.insert(moved.instance, moved.target);
            }
            Event::ProcessCreated(made) => {
                self.definitions.insert(made.key, model::ids(&made.resource));
            }
            Event::Job(changed) if changed.to == JobIntent::Created => {
                self.jobs.insert(changed.key);
            }
            Event::Job(changed) if matches!(changed.to, JobIntent::Completed | JobIntent::Canceled) => {
                let kept = self.chance.one_in(5);
                self.jobs.retain(|job| kept || *job != changed.key);
            }
            Event::IncidentCreated(made) => {
                self.incidents.insert(made.key);
            }
            Event::IncidentResolved(resolved) => {
                let kept = self.chance.one_in(5);
                self.incidents.retain(|incident| kept || *incident != resolved.key);
            }
            Event::InstanceBanned(banned) => panic!("the engine failed: {}", banned.message),
            _ => (),
        }
    }

    /// Takes answers and pushed jobs; a job reaches only a sink that was open.
    fn hear(&mut self, batch: Batch) -> Result<(), String> {
        for (ticket, answer) in batch.answers {
            if let Answer::Rejected(rejection) = &answer
                && rejection.kind == coreto_record::RejectionKind::ProcessingError
            {
                return Err(format!("the engine failed: {}", rejection.reason));
            }
            let Some(poll) = self.polls.remove(&ticket) else { continue };
            let waits = matches!(&answer, Answer::Reply(Reply::JobsActivated(jobs)) if jobs.jobs.is_empty());
            if !waits {
                self.bench.sinks().close(poll);
                self.sinks.remove(&poll);
            }
        }
        let mut served = BTreeSet::new();
        for (sink, job) in batch.pushes {
            self.held.push((job.key, job.deadline));
            if self.sinks.get(&sink) == Some(&true) {
                served.insert(sink);
            }
        }
        for poll in served {
            self.bench.sinks().close(poll);
            self.sinks.remove(&poll);
        }
        Ok(())
    }
}

fn spec(job_type: &Arc<str>, timeout_ms: i64, kind: SinkKind) -> SinkSpec {
    SinkSpec {
        job_type: Arc::clone(job_type),
        worker: script::WORKER.into(),
        timeout_ms: timeout_ms.max(1),
        fetch: Arc::new([]),
        tenants: Arc::new([Tenant::DEFAULT]),
        kind,
    }
}

/// The kind of an event, as far as tests tell them apart.
fn kind(event: &Event) -> String {
    match event {
        Event::Job(changed) => format!("Job {:?}", changed.to),
        Event::IncidentCreated(made) => format!("IncidentCreated {:?}", made.kind),
        Event::JobsActivated(taken) if taken.truncated => "JobsActivated truncated".to_owned(),
        _ => format!("{event:?}").split('(').next().unwrap_or_default().to_owned(),
    }
}
