//! Clients of the toy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_machine::{Caller, Channel, Tenant};
use coreto_partition::{Address, Answer, Request, Submission};

use super::node::Node;
use super::{Answers, Client, Subject, World};
use crate::toy::{self, Command, Deliver, Fan, Fill, Gift, Later, Pair, Query, Toy};

/// What a request will have done once it is acknowledged.
#[derive(Clone, Debug)]
enum Promise {
    /// A value stands under a name.
    Value(Arc<str>, u64),
    /// A value stands under a name after some time.
    ValueLater(Arc<str>, u64),
    /// A number of another partition arrives there.
    Gift { to: u32 },
    /// Something is delivered to the world outside.
    Delivery,
    /// The same key gives the same reply.
    Key(Arc<str>),
    /// Many values stand, but for one.
    Fan { prefix: Arc<str>, count: u64, panics: u64 },
    /// Nothing, and nothing of it may be there.
    Nothing,
    /// A question that sees at least what was acknowledged before.
    Question(Arc<str>, u64),
}

/// Clients of the toy, and what they were promised.
pub struct Toddler {
    answers: Arc<Answers<Toy>>,
    tickets: u64,
    waiting: BTreeMap<u64, (u32, Promise)>,
    /// Promises that were acknowledged, with partition and reply.
    kept: Vec<(u32, Promise, u64)>,
    replies_by_key: BTreeMap<Arc<str>, u64>,
    confirmed: BTreeSet<(u32, u64)>,
}

impl Subject for Toy {
    const PARTITIONS: u32 = 2;
    type Client = Toddler;

    fn env() {}

    fn delivery(effect: &Deliver) -> u64 {
        effect.number
    }
}

impl Toddler {
    fn ask(&mut self, node: &mut Node<Toy>, world: &World) {
        let known = self.kept.iter().rev().find_map(|(partition, promise, _)| match promise {
            Promise::Value(name, value) if *partition == node.number() => Some((Arc::clone(name), *value)),
            _ => None,
        });
        let Some((name, value)) = known else { return };
        let answer = Address { mailbox: self.answers.clone() as Arc<_>, ticket: self.tickets };
        let query = Box::new(Query::Value(Arc::clone(&name)));
        self.waiting.insert(self.tickets, (node.number(), Promise::Question(name, value)));
        node.take(Submission::Query { caller: Caller::internal(), query, answer }, world.wall());
    }
}

impl Client<Toy> for Toddler {
    fn new(answers: Arc<Answers<Toy>>) -> Self {
        Self {
            answers,
            tickets: 0,
            waiting: BTreeMap::new(),
            kept: Vec::new(),
            replies_by_key: BTreeMap::new(),
            confirmed: BTreeSet::new(),
        }
    }

    fn unanswered(&self) -> usize {
        self.waiting.len()
    }

    fn crashed(&mut self, number: u32) {
        self.waiting.retain(|_, (partition, _)| *partition != number);
    }

    fn submit(&mut self, node: &mut Node<Toy>, world: &mut World) {
        self.tickets += 1;
        let ticket = self.tickets;
        let name: Arc<str> = format!("n{ticket}").into();
        let pair = Pair { name: Arc::clone(&name), value: ticket };
        let answer = Address { mailbox: self.answers.clone() as Arc<_>, ticket };
        let mut key = None;
        let (command, promise) = match world.chance.below(20) {
            0..=6 => (Command::Put(pair), Promise::Value(name, ticket)),
            7 => (Command::Put(Pair { value: 0, ..pair }), Promise::Nothing),
            8 | 9 => {
                let at = world.wall().plus_millis(world.chance.below(2000).cast_signed());
                (Command::PutLater(Later { pair, at, number: 0 }), Promise::ValueLater(name, ticket))
            }
            10 => {
                let (count, panics) = (world.chance.below(20), world.chance.below(30));
                let fan = Fan { prefix: format!("{name}-").into(), count, panics };
                let promise = Promise::Fan { prefix: Arc::clone(&fan.prefix), count, panics };
                (Command::Fan(fan), promise)
            }
            11 | 12 => {
                let to = 3 - node.number();
                (Command::Give(Gift { to, ..Gift::default() }), Promise::Gift { to })
            }
            13 | 14 => (Command::Owe(pair), Promise::Delivery),
            15 => (Command::Panic(()), Promise::Nothing),
            16 => {
                let bytes = world.chance.below(100_000);
                (Command::Fill(Fill { name: "never".into(), bytes: bytes.max(70_000) }), Promise::Nothing)
            }
            17 | 18 => {
                let text: Arc<str> = format!("key{}-{}", node.number(), world.chance.below(30)).into();
                key = Some((Tenant::DEFAULT, Arc::clone(&text)));
                let pair = Pair { name: Arc::clone(&text), value: 1 };
                let at = world.wall().plus_millis(-1);
                let _ = at;
                let later = Later { pair, at: coreto_machine::Timestamp::from_millis(0), number: 0 };
                (Command::PutLater(later), Promise::Key(text))
            }
            _ => return self.ask(node, world),
        };
        let mut request = Request::new(command, Caller::anonymous(Channel::Grpc), Some(answer));
        request.idempotency_key = key;
        self.waiting.insert(ticket, (node.number(), promise));
        node.take(Submission::Request(Box::new(request)), world.wall());
    }

    fn confirm(&mut self, node: &mut Node<Toy>, world: &mut World) {
        let number = node.number();
        let arrived: Vec<u64> = world
            .delivered
            .iter()
            .filter(|(partition, _)| *partition == number)
            .map(|(_, delivery)| *delivery)
            .collect();
        world.delivered.retain(|(partition, _)| *partition != number);
        for delivery in arrived {
            self.confirmed.insert((number, delivery));
            let request = Request::new(Command::Delivered(delivery), Caller::internal(), None);
            node.take(Submission::Request(Box::new(request)), world.wall());
        }
    }

    fn hear(&mut self, ticket: u64, answer: Answer<Toy>) {
        let Some((partition, promise)) = self.waiting.remove(&ticket) else { return };
        match (promise, answer) {
            (Promise::Question(name, value), Answer::Answered(found)) => {
                assert_eq!(
                    found,
                    toy::Answer::Value(Some(value)),
                    "a read sees `{name}`, which was acknowledged"
                );
            }
            (Promise::Nothing, Answer::Rejected(_)) => self.kept.push((partition, Promise::Nothing, 0)),
            (Promise::Key(key), Answer::Reply(reply)) => {
                let first = *self.replies_by_key.entry(Arc::clone(&key)).or_insert(reply);
                assert_eq!(first, reply, "the same key gets the same reply");
            }
            (Promise::Key(_), Answer::KeysFull) => (),
            (promise, Answer::Reply(reply)) => self.kept.push((partition, promise, reply)),
            (promise, answer) => panic!("{promise:?} was answered with {answer:?}"),
        }
    }

    fn judge(&self, nodes: &[Node<Toy>]) {
        let state = |number: u32| nodes.iter().find(|node| node.number() == number).and_then(Node::state);
        for (partition, promise, reply) in &self.kept {
            let here = state(*partition).expect("every node is up");
            match promise {
                Promise::Value(name, value) | Promise::ValueLater(name, value) => {
                    assert_eq!(here.values.get(name).as_deref(), Some(value), "`{name}` was promised");
                }
                Promise::Gift { to } => {
                    let there = state(*to).expect("every node is up");
                    let times = there.gifts.get(&(*partition, *reply)).map(|times| *times);
                    assert_eq!(times, Some(1), "gift {reply} of partition {partition}");
                }
                Promise::Delivery => {
                    assert!(
                        self.confirmed.contains(&(*partition, *reply)),
                        "delivery {reply} of {partition} arrived"
                    );
                }
                Promise::Fan { prefix, count, panics } => {
                    for number in 1..=*count {
                        let name: Arc<str> = format!("{prefix}{number}").into();
                        assert_eq!(
                            here.values.contains(&name),
                            number != *panics,
                            "`{name}`, panics {panics}"
                        );
                    }
                }
                Promise::Key(_) | Promise::Nothing | Promise::Question(..) => (),
            }
        }
        for node in nodes {
            let state = node.state().expect("every node is up");
            assert!(state.owed.is_empty(), "nothing is owed any more");
            assert!(state.gifts.range(..).all(|(_, times)| **times == 1), "no gift was taken twice");
            assert!(
                !state.values.range(..).any(|(name, _)| name.starts_with("never")),
                "what was rejected left nothing"
            );
        }
    }
}
