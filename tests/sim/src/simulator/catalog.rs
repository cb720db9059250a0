//! Clients of the catalog: what they registered, wrote and took is there, whatever happened meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_catalog::command::{
    CreateSession, DeleteEntry, DestroySession, OnNode, PutEntry, RegisterInstance, RegisterNode, UpdateCheck,
};
use coreto_catalog::{
    Catalog, Check, Command, Env, Instance, Node as CatalogNode, Query, Reply, Session, State, Status,
    invariant,
};
use coreto_machine::{Caller, Channel, Tenant};
use coreto_partition::{Address, Answer, Request, Submission};

use super::node::Node;
use super::{Answers, Client, Subject, World};

/// The node of everything.
const NODE: &str = "n";

/// What a request will have done once it is acknowledged. Each thing is touched by one request at a time, so that its
/// last acknowledged one says how it is; one that was never answered may have been carried out.
#[derive(Clone, Debug)]
enum Promise {
    /// The node is there.
    Node,
    /// An instance is there with this port, or gone.
    Instance(u64, Option<u16>),
    /// A check of an instance has this status.
    Status(u64, Status),
    /// A key has this value, or is gone.
    Value(u64, Option<u64>),
    /// A session is there, and holds a key of its own.
    Session,
    /// A session is gone, and holds nothing.
    Ended(Arc<str>),
    /// A session took a key.
    Taken(Arc<str>),
    /// A key reads as it was promised.
    Question(u64, Option<u64>),
}

impl Promise {
    /// What it is about, if that can be touched by another request.
    fn subject(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::Node => ("node", String::new()),
            Self::Instance(number, _) | Self::Status(number, _) => ("instance", number.to_string()),
            Self::Value(number, _) | Self::Question(number, _) => ("key", number.to_string()),
            Self::Ended(id) | Self::Taken(id) => ("session", id.to_string()),
            Self::Session => return None,
        })
    }
}

/// Clients of the catalog, and what they were promised.
pub struct Registrants {
    answers: Arc<Answers<Catalog>>,
    tickets: u64,
    waiting: BTreeMap<u64, Promise>,
    instances: BTreeMap<u64, Option<u16>>,
    statuses: BTreeMap<u64, Status>,
    values: BTreeMap<u64, Option<u64>>,
    /// Sessions, and whether they took their key.
    sessions: BTreeMap<Arc<str>, bool>,
    ended: Vec<Arc<str>>,
    has_node: bool,
}

impl Subject for Catalog {
    const PARTITIONS: u32 = 1;
    type Client = Registrants;

    fn env() -> Env {
        Env::default()
    }

    fn delivery((): &()) -> u64 {
        0
    }
}

fn name(text: &str) -> (Tenant, Arc<str>) {
    (Tenant::DEFAULT, text.into())
}

fn instance_id(number: u64) -> Arc<str> {
    format!("i{number}").into()
}

fn key(number: u64) -> Arc<str> {
    format!("k{number}").into()
}

fn put(key: Arc<str>, value: u64) -> PutEntry {
    PutEntry { key, value: value.to_string().into_bytes().into(), ..PutEntry::default() }
}

impl Registrants {
    /// What to wish for, and what it will have done.
    fn wish(&self, world: &mut World) -> (Command, Promise) {
        let (node, number) = (Arc::<str>::from(NODE), world.chance.below(20));
        let tenant = Tenant::DEFAULT;
        match world.chance.below(12) {
            _ if !self.has_node => {
                let node = CatalogNode { address: "10.0.0.1".into(), ..CatalogNode::default() };
                (Command::RegisterNode(RegisterNode { tenant, name: NODE.into(), node }), Promise::Node)
            }
            0..3 => {
                let port = u16::try_from(world.chance.below(1000)).expect("few");
                let (id, service) = (instance_id(number), format!("s{}", number % 3).into());
                let check = Check { id: format!("c{number}").into(), ..Check::default() };
                let instance = Instance { id, service, port, ..Instance::default() };
                let checks = vec![check];
                let register = RegisterInstance { tenant, node, instance, checks, replace_checks: true };
                (Command::RegisterInstance(register), Promise::Instance(number, Some(port)))
            }
            3 => {
                let id = instance_id(number);
                (Command::DeregisterInstance(OnNode { tenant, node, id }), Promise::Instance(number, None))
            }
            4 | 5 => {
                let status = if world.chance.percent(50) { Status::Passing } else { Status::Critical };
                let (id, output) = (format!("c{number}").into(), "".into());
                let update = UpdateCheck { tenant, node, id, status, output };
                (Command::UpdateCheck(update), Promise::Status(number, status))
            }
            6 | 7 => {
                let value = world.chance.below(1000);
                (Command::PutEntry(put(key(number), value)), Promise::Value(number, Some(value)))
            }
            8 => {
                let delete = DeleteEntry { tenant, key: key(number), cas: None };
                (Command::DeleteEntry(delete), Promise::Value(number, None))
            }
            9 => {
                let session = Session { node, lock_delay_ms: world.chance.below(3000), ..Session::default() };
                (Command::CreateSession(CreateSession { tenant, session }), Promise::Session)
            }
            10 => match self.sessions.iter().find(|(_, taken)| !**taken) {
                Some((id, _)) => {
                    let lock = format!("lock-{id}").into();
                    let take = PutEntry { acquire: Some(Arc::clone(id)), ..put(lock, 1) };
                    (Command::PutEntry(take), Promise::Taken(Arc::clone(id)))
                }
                None => (Command::PutEntry(put(key(number), 1)), Promise::Value(number, Some(1))),
            },
            _ => match self.sessions.keys().next() {
                Some(id) => {
                    let destroy = DestroySession { tenant, id: Arc::clone(id) };
                    (Command::DestroySession(destroy), Promise::Ended(Arc::clone(id)))
                }
                None => (Command::PutEntry(put(key(number), 2)), Promise::Value(number, Some(2))),
            },
        }
    }

    /// Whether somebody waits for an answer about the same thing.
    fn is_busy(&self, promise: &Promise) -> bool {
        let subject = promise.subject();
        subject.is_some() && self.waiting.values().any(|other| other.subject() == subject)
    }

    /// What may have been carried out, or not, is promised no more.
    fn forget(&mut self, promise: &Promise) {
        match promise {
            Promise::Instance(number, _) => {
                self.instances.remove(number);
                self.statuses.remove(number);
            }
            Promise::Status(number, _) => drop(self.statuses.remove(number)),
            Promise::Value(number, _) => drop(self.values.remove(number)),
            Promise::Ended(id) | Promise::Taken(id) => drop(self.sessions.remove(id)),
            Promise::Node | Promise::Session | Promise::Question(..) => (),
        }
    }

    fn keep(&mut self, promise: Promise, reply: Reply) {
        match (promise, reply) {
            (Promise::Node, _) => self.has_node = true,
            (Promise::Instance(number, port), _) => {
                // A new one, and its check, begin as critical; one that was there keeps its status.
                if port.is_none() {
                    self.statuses.remove(&number);
                }
                self.instances.insert(number, port);
            }
            (Promise::Status(number, status), _) => drop(self.statuses.insert(number, status)),
            (Promise::Value(number, value), _) => drop(self.values.insert(number, value)),
            (Promise::Session, Reply::SessionCreated(created)) => {
                self.sessions.insert(created.id, false);
            }
            (Promise::Taken(id), _) => drop(self.sessions.insert(id, true)),
            (Promise::Ended(id), _) => {
                self.sessions.remove(&id);
                self.ended.push(id);
            }
            (promise, reply) => panic!("{promise:?} was answered with {reply:?}"),
        }
    }
}

impl Client<Catalog> for Registrants {
    fn new(answers: Arc<Answers<Catalog>>) -> Self {
        Self {
            answers,
            tickets: 0,
            waiting: BTreeMap::new(),
            instances: BTreeMap::new(),
            statuses: BTreeMap::new(),
            values: BTreeMap::new(),
            sessions: BTreeMap::new(),
            ended: Vec::new(),
            has_node: false,
        }
    }

    fn submit(&mut self, node: &mut Node<Catalog>, world: &mut World) {
        self.tickets += 1;
        let answer = Address { mailbox: self.answers.clone() as Arc<_>, ticket: self.tickets };
        let number = world.chance.below(20);
        let asked = self.values.get(&number).map(|value| Promise::Question(number, *value));
        if let Some(promise) = asked.filter(|promise| world.chance.percent(20) && !self.is_busy(promise)) {
            self.waiting.insert(self.tickets, promise);
            let query = Box::new(Query::Entry(name(&key(number))));
            return node.take(Submission::Query { caller: Caller::internal(), query, answer }, world.wall());
        }
        let (command, promise) = self.wish(world);
        if self.is_busy(&promise) {
            return;
        }
        self.waiting.insert(self.tickets, promise);
        let request = Request::new(command, Caller::anonymous(Channel::Http), Some(answer));
        node.take(Submission::Request(Box::new(request)), world.wall());
    }

    fn crashed(&mut self, _number: u32) {
        for promise in std::mem::take(&mut self.waiting).into_values() {
            self.forget(&promise);
        }
    }

    fn hear(&mut self, ticket: u64, answer: Answer<Catalog>) {
        let Some(promise) = self.waiting.remove(&ticket) else { return };
        match (promise, answer) {
            (promise, Answer::Reply(reply)) => self.keep(promise, reply),
            // An instance or a check that is not there, a key that is held or barred.
            (_, Answer::Rejected(_)) => (),
            (Promise::Question(number, value), Answer::Answered(coreto_catalog::Answer::Entry(found))) => {
                let found = found.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
                assert_eq!(found, value.map(|value| value.to_string()), "a read sees key {number}");
            }
            (promise, answer) => panic!("{promise:?} was answered with {answer:?}"),
        }
    }

    fn judge(&self, nodes: &[Node<Catalog>]) {
        let state: &State = nodes.first().and_then(Node::state).expect("the node is up");
        assert_eq!(invariant::broken(state), Vec::<String>::new(), "the invariants hold");
        for (number, port) in &self.instances {
            let place = (Tenant::DEFAULT, NODE.into(), instance_id(*number));
            let found = state.instances.peek(&place).map(|entry| entry.instance.port);
            assert_eq!(found, *port, "instance {number}");
        }
        for (number, status) in &self.statuses {
            let place = (Tenant::DEFAULT, NODE.into(), format!("c{number}").into());
            let found = state.checks.peek(&place).map(|entry| entry.check.status);
            assert_eq!(found, Some(*status), "check {number}");
        }
        for (number, value) in &self.values {
            let found = state.entries.peek(&name(&key(*number)));
            let found = found.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
            assert_eq!(found, value.map(|value| value.to_string()), "key {number}");
        }
        for (id, taken) in &self.sessions {
            assert!(state.sessions.contains(&name(id)), "session {id} was promised");
            let held =
                state.entries.peek(&name(&format!("lock-{id}"))).map(|entry| Arc::clone(&entry.session));
            assert!(!taken || held.as_ref() == Some(id), "session {id} holds its key");
        }
        assert!(self.ended.iter().all(|id| !state.sessions.contains(&name(id))), "no session came back");
        assert!(state.lock_delays.is_empty(), "no key is barred for ever");
    }

    fn unanswered(&self) -> usize {
        self.waiting.len()
    }
}
