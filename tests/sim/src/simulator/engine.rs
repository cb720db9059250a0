//! Clients of the engine, on three partitions: what they started runs, what they published arrives once, and what has
//! ended left nothing.
//!
//! Three processes are for promises: instances of one only wait, messages start those of another, and those of the
//! third wait for a message of their own each. In a fourth one everything happens, with clients that do as they like;
//! when the accidents stop, all of its instances are cancelled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_engine::{
    Answer as Found, DefinitionFilter, Effect, ElementView, Engine, Env, IncidentFilter, InstanceFilter,
    InstanceView, JobFilter, Limits, Page, Query, Sinks, State, invariant,
};
use coreto_machine::{Caller, Channel, Machine};
use coreto_partition::{Address, Answer, Request, Submission};
use coreto_record::command::{
    Activation, BroadcastSignal, CancelInstance, CompleteJob, CreateInstance, Deploy, ElementMapping,
    FailJob, MigrateInstance, ModifyInstance, PublishMessage, ResolveIncident, Resource, SetVariables,
    ThrowError,
};
use coreto_record::{Command, Document, ElementInstanceKey, ProcessDefinitionKey, Reply, partition_of_text};

use super::node::Node;
use super::{Answers, Client, Subject, World, models};

/// Longer than a run.
const LONG_MS: i64 = 24 * 3_600_000;

impl Subject for Engine {
    const PARTITIONS: u32 = 3;
    type Client = Customers;

    fn env() -> Env {
        let limits = Limits { children_per_step: 2, due_per_tick: 3, ..Limits::default() };
        Env::new(Sinks::default().into(), limits, "UTC".into())
    }

    fn delivery(_: &Effect) -> u64 {
        0
    }
}

/// What a request will have done once it is acknowledged.
#[derive(Clone, Copy, Debug)]
enum Promise {
    /// An instance that waits has this number.
    Kept(u64),
    /// An instance was started by the message with this number.
    Inbox(u64),
    /// An instance with this number waits for its message.
    Waiter(u64),
    /// The message for the instance with this number is there.
    Paid(u64),
    /// The processes are there, and nothing is wrong with them.
    Deployed,
    /// Whatever it was, what follows is consistent.
    Nothing,
}

/// Numbers that were asked for, and those that were acknowledged.
#[derive(Default)]
struct Numbers {
    asked: BTreeSet<u64>,
    promised: BTreeSet<u64>,
}

/// Clients of the engine, and what they were promised.
pub struct Customers {
    answers: Arc<Answers<Engine>>,
    tickets: u64,
    waiting: BTreeMap<u64, (u32, Promise)>,
    kept: Numbers,
    inbox: Numbers,
    waiters: Numbers,
    paid: Numbers,
}

fn document(name: &str, number: u64) -> Document {
    Document::parse(&format!(r#"{{"{name}":"{number}"}}"#)).expect("it is JSON")
}

fn ask(state: &State, query: &Query) -> Found {
    Engine::query(state, &Caller::internal(), query)
}

fn instances(state: &State, process: &str) -> Vec<InstanceView> {
    let filter = InstanceFilter {
        process: Some(process.into()),
        page: Page { limit: 1000, after: 0 },
        ..InstanceFilter::default()
    };
    match ask(state, &Query::Instances(filter)) {
        Found::Instances(found, _) => found,
        other => panic!("{other:?} answers no question about instances"),
    }
}

/// The value of a text variable of a process instance.
fn number_of(state: &State, instance: &InstanceView, name: &str) -> Option<u64> {
    let Found::Instance(Some(found)) = ask(state, &Query::Instance(instance.key)) else { return None };
    let root = ElementInstanceKey::from(instance.key);
    let variable = found.variables.iter().find(|it| it.scope == root && &*it.name == name)?;
    variable.value.trim_matches('"').parse().ok()
}

/// Definitions of a process, the oldest first.
fn definitions(state: &State, process: &str) -> Vec<ProcessDefinitionKey> {
    match ask(state, &Query::Definitions(DefinitionFilter::default())) {
        Found::Definitions(found, _) => {
            found.iter().filter(|it| &*it.process == process).map(|it| it.key).collect()
        }
        other => panic!("{other:?} answers no question about definitions"),
    }
}

impl Customers {
    /// What to wish of a partition, and what it will have done.
    fn wish(&mut self, node: &Node<Engine>, world: &mut World) -> Option<(Command, Promise)> {
        let state = node.state()?;
        let wild = definitions(state, "wild").len();
        if node.number() == 1 && (wild == 0 || wild == 1 && world.chance.percent(3)) {
            return Some((deploy(wild == 0), Promise::Deployed));
        }
        if wild == 0 {
            return None;
        }
        let number = self.tickets;
        Some(match world.chance.below(20) {
            0 | 1 => {
                self.kept.asked.insert(number);
                (create("kept", "id", number), Promise::Kept(number))
            }
            2 if partition_of_text(&number.to_string(), Engine::PARTITIONS) == node.number() => {
                self.inbox.asked.insert(number);
                (publish("in", number, 0), Promise::Inbox(number))
            }
            3 => {
                self.waiters.asked.insert(number);
                (create("waiter", "id", number), Promise::Waiter(number))
            }
            4 | 5 => {
                let is_here =
                    |it: &&u64| partition_of_text(&it.to_string(), Engine::PARTITIONS) == node.number();
                let unpaid = self.waiters.asked.difference(&self.paid.asked).copied().collect::<Vec<_>>();
                let number = *unpaid.iter().find(is_here)?;
                self.paid.asked.insert(number);
                (publish("pay", number, LONG_MS), Promise::Paid(number))
            }
            6 | 7 => (create("wild", "id", world.chance.below(4)), Promise::Nothing),
            _ => (whim(state, node.number(), world)?, Promise::Nothing),
        })
    }

    fn send(&mut self, command: Command, promise: Promise, node: &mut Node<Engine>, world: &World) {
        let answer = Address { mailbox: self.answers.clone() as Arc<_>, ticket: self.tickets };
        self.waiting.insert(self.tickets, (node.number(), promise));
        let request = Request::new(command, Caller::anonymous(Channel::Grpc), Some(answer));
        node.take(Submission::Request(Box::new(request)), world.wall());
    }
}

fn deploy(first: bool) -> Command {
    let models = if first { models::all() } else { vec![models::second()] };
    let resources = models
        .into_iter()
        .map(|(name, text)| Resource { name: name.into(), content: text.into_bytes().into() })
        .collect();
    Command::Deploy(Deploy { resources, ..Deploy::default() })
}

fn create(process: &str, name: &str, number: u64) -> Command {
    Command::CreateInstance(CreateInstance {
        process: process.into(),
        variables: document(name, number),
        ..CreateInstance::default()
    })
}

fn publish(name: &str, number: u64, ttl: i64) -> Command {
    Command::PublishMessage(PublishMessage {
        name: name.into(),
        correlation_key: number.to_string().into(),
        variables: document("number", number),
        ttl,
        ..PublishMessage::default()
    })
}

/// Something that is done in the process in which everything happens.
fn whim(state: &State, here: u32, world: &mut World) -> Option<Command> {
    match world.chance.below(10) {
        0..=3 => with_job(state, world),
        4 | 5 => {
            let name = pick(&["halt", "note", "go"], world)?;
            let is_here = |number: &u64| partition_of_text(&number.to_string(), Engine::PARTITIONS) == here;
            let numbers: Vec<u64> = (0..4).filter(is_here).collect();
            let ttl = world.chance.below(2) * 3000;
            Some(publish(name, *pick(&numbers, world)?, ttl.cast_signed()))
        }
        6 => Some(Command::BroadcastSignal(BroadcastSignal {
            name: "bell".into(),
            ..BroadcastSignal::default()
        })),
        7 => match ask(state, &Query::Incidents(IncidentFilter::default())) {
            Found::Incidents(found, _) => {
                let incident = pick(&found, world)?.key;
                Some(Command::ResolveIncident(ResolveIncident { incident }))
            }
            _ => None,
        },
        _ => with_instance(state, world),
    }
}

fn pick<'a, T>(from: &'a [T], world: &mut World) -> Option<&'a T> {
    if from.is_empty() {
        return None;
    }
    let at = world.chance.below(from.len() as u64);
    from.get(usize::try_from(at).expect("few"))
}

fn with_job(state: &State, world: &mut World) -> Option<Command> {
    let filter = JobFilter { job_type: Some("work".into()), ..JobFilter::default() };
    let Found::Jobs(found, _) = ask(state, &Query::Jobs(filter)) else { return None };
    let job = pick(&found, world)?.key;
    let variables = Document::EMPTY;
    Some(match world.chance.below(8) {
        0 => Command::FailJob(FailJob { job, ..FailJob::default() }),
        1 => Command::ThrowError(ThrowError { job, code: "E".into(), ..ThrowError::default() }),
        _ => Command::CompleteJob(CompleteJob { job, variables }),
    })
}

fn with_instance(state: &State, world: &mut World) -> Option<Command> {
    let instance = pick(&instances(state, "wild"), world)?.clone();
    let Found::Instance(Some(found)) = ask(state, &Query::Instance(instance.key)) else { return None };
    let elements = &found.elements;
    Some(match world.chance.below(8) {
        0 => Command::CancelInstance(CancelInstance { instance: instance.key }),
        1 => Command::SetVariables(SetVariables {
            scope: pick(elements, world)?.key,
            variables: document("id", world.chance.below(4)),
            local: world.chance.percent(50),
        }),
        2..=4 => Command::MigrateInstance(MigrateInstance {
            instance: instance.key,
            target: *pick(&definitions(state, "wild"), world)?,
            mappings: mappings(elements, world),
        }),
        _ => {
            let element =
                pick(&["a", "b", "box", "undo", "get", "ask", "at-once", "in-turn", "join"], world)?;
            let activation = Activation { element: (*element).into(), ..Activation::default() };
            let ends = world.chance.percent(70);
            let terminate = if ends { vec![pick(elements, world)?.key] } else { Vec::new() };
            let activate = if world.chance.percent(60) { vec![activation] } else { Vec::new() };
            Command::ModifyInstance(ModifyInstance { instance: instance.key, activate, terminate })
        }
    })
}

/// What is active is mapped to itself; what it waits for, mostly.
fn mappings(elements: &[ElementView], world: &mut World) -> Vec<ElementMapping> {
    let mut ids: BTreeSet<Arc<str>> = elements.iter().skip(1).map(|it| Arc::clone(&it.element)).collect();
    let events = ["noted", "late", "stopping", "rung", "tired"].map(Arc::from);
    ids.extend(events.into_iter().filter(|_| world.chance.percent(80)));
    let same = |id: Arc<str>| ElementMapping { source: Arc::clone(&id), target: id };
    ids.into_iter().map(same).collect()
}

impl Client<Engine> for Customers {
    fn new(answers: Arc<Answers<Engine>>) -> Self {
        let (kept, inbox, waiters, paid) = Default::default();
        Self { answers, tickets: 0, waiting: BTreeMap::new(), kept, inbox, waiters, paid }
    }

    fn submit(&mut self, node: &mut Node<Engine>, world: &mut World) {
        self.tickets += 1;
        if let Some((command, promise)) = self.wish(node, world) {
            self.send(command, promise, node, world);
        }
    }

    fn wind_down(&mut self, node: &mut Node<Engine>, world: &mut World) {
        let Some(state) = node.state() else { return };
        let cancelled = instances(state, "wild").into_iter().filter(|it| !it.terminating);
        for instance in cancelled.take(5).collect::<Vec<_>>() {
            self.tickets += 1;
            let cancel = Command::CancelInstance(CancelInstance { instance: instance.key });
            self.send(cancel, Promise::Nothing, node, world);
        }
    }

    fn crashed(&mut self, number: u32) {
        self.waiting.retain(|_, (partition, _)| *partition != number);
    }

    fn hear(&mut self, ticket: u64, answer: Answer<Engine>) {
        let Some((_, promise)) = self.waiting.remove(&ticket) else { return };
        let promised = match (promise, answer) {
            (Promise::Nothing | Promise::Deployed, Answer::Reply(_)) => return,
            (Promise::Nothing, Answer::Rejected(rejection)) => {
                let kind = rejection.kind;
                return assert_ne!(kind, coreto_record::RejectionKind::ProcessingError, "{rejection:?}");
            }
            (Promise::Kept(number), Answer::Reply(Reply::InstanceCreated(_))) => (&mut self.kept, number),
            (Promise::Waiter(number), Answer::Reply(Reply::InstanceCreated(_))) => {
                (&mut self.waiters, number)
            }
            (Promise::Inbox(number), Answer::Reply(Reply::MessagePublished(_))) => (&mut self.inbox, number),
            (Promise::Paid(number), Answer::Reply(Reply::MessagePublished(_))) => (&mut self.paid, number),
            (promise, answer) => panic!("{promise:?} was answered with {answer:?}"),
        };
        promised.0.promised.insert(promised.1);
    }

    fn judge(&self, nodes: &[Node<Engine>]) {
        let states: Vec<&State> = nodes.iter().map(|node| node.state().expect("every node is up")).collect();
        for state in &states {
            assert_eq!(invariant::broken(state), Vec::<String>::new(), "the invariants hold");
            assert!(instances(state, "wild").is_empty() && instances(state, "called").is_empty());
        }
        assert_eq!(invariant::apart(&states), Vec::<String>::new(), "the partitions agree");
        self.kept.judge("kept", &states, "id");
        self.inbox.judge("inbox", &states, "number");
        self.waiters.judge("waiter", &states, "id");
        self.judge_messages(&states);
    }

    fn unanswered(&self) -> usize {
        self.waiting.len()
    }
}

impl Numbers {
    /// Each number that was promised is the number of one instance, and none is that of two.
    fn judge(&self, process: &str, states: &[&State], name: &str) {
        let mut found = BTreeSet::new();
        for state in states {
            for instance in instances(state, process) {
                let number = number_of(state, &instance, name).expect("it has its number");
                assert!(found.insert(number), "`{process}` {number} is there twice");
            }
        }
        let lost: Vec<_> = self.promised.difference(&found).collect();
        assert!(lost.is_empty(), "`{process}` {lost:?} were promised");
        assert!(found.is_subset(&self.asked), "nobody asked for some of `{process}`");
    }
}

impl Customers {
    /// Each message that was published has reached who waited for it, and who was sent none waits.
    fn judge_messages(&self, states: &[&State]) {
        for state in states {
            for instance in instances(state, "waiter") {
                let number = number_of(state, &instance, "id").expect("it has its number");
                let paid = number_of(state, &instance, "number").is_some();
                assert!(paid || !self.paid.promised.contains(&number), "message {number} has not arrived");
                assert!(!paid || self.paid.asked.contains(&number), "nobody sent message {number}");
            }
        }
    }
}
