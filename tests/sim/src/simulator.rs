//! Partitions of a machine on simulated disks: the real partition and log code, a fake clock, and accidents.
//!
//! What is checked of every machine: the state after a recovery is the state of a replay from the beginning, and when
//! the accidents stop, everything comes to rest. Its clients check the rest: an acknowledged command's effect is there
//! after every crash; what is owed arrives; a gift to another partition is taken exactly once; what was rejected left
//! nothing.

mod catalog;
mod engine;
mod models;
mod node;
mod toy;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use coreto_machine::{Machine, Place, Timestamp};
use coreto_partition::{Acknowledgement, Answer, Frame, Mailbox};

use crate::chance::Chance;
use node::Node;

/// How many steps with accidents a run takes.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Steps in which accidents happen.
    pub steps: u32,
    /// How many crashes come in a thousand steps.
    pub crashes_per_mille: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { steps: 1500, crashes_per_mille: 10 }
    }
}

/// A machine that can be put into the world.
pub trait Subject: Machine {
    /// How many partitions there are.
    const PARTITIONS: u32;

    /// Who talks to them.
    type Client: Client<Self>;

    /// What the shell lends to handlers.
    fn env() -> Self::Env;

    /// The number of a delivery to the world outside.
    fn delivery(effect: &Self::Effect) -> u64;
}

/// Clients that remember what they were promised.
pub trait Client<M: Subject> {
    /// Clients who know nothing yet, and whose answers arrive in these.
    fn new(answers: Arc<Answers<M>>) -> Self;

    /// Sends something random to a partition.
    fn submit(&mut self, node: &mut Node<M>, world: &mut World);

    /// Tells a partition which of its deliveries have arrived.
    fn confirm(&mut self, _node: &mut Node<M>, _world: &mut World) {}

    /// Ends what would never come to rest, now that there are no more accidents.
    fn wind_down(&mut self, _node: &mut Node<M>, _world: &mut World) {}

    /// What a partition had not answered will never be answered.
    fn crashed(&mut self, number: u32);

    /// Takes an answer.
    fn hear(&mut self, ticket: u64, answer: Answer<M>);

    /// Everything is at rest: each promise must have been kept.
    fn judge(&self, nodes: &[Node<M>]);

    /// How many wait for an answer.
    fn unanswered(&self) -> usize;
}

/// Steps without accidents in which everything must come to rest.
const REST_MAX: u32 = 20_000;

/// Answers that left a partition, by ticket.
pub struct Answers<M: Machine>(Mutex<VecDeque<(u64, Answer<M>)>>);

impl<M: Machine> Answers<M> {
    fn take(&self) -> VecDeque<(u64, Answer<M>)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<M: Machine> Mailbox<M> for Answers<M> {
    fn put(&self, ticket: u64, answer: Answer<M>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back((ticket, answer));
    }
    fn flush(&self) {}
}

/// What is on its way between partitions.
#[derive(Clone)]
pub(crate) enum Packet {
    Frame(Frame),
    Acknowledgement(Acknowledgement),
}

/// The world of one run.
pub struct World {
    pub(crate) chance: Chance,
    pub(crate) now: i64,
    pub(crate) packets: Vec<Packet>,
    /// Deliveries that reached the world outside, by partition.
    pub(crate) delivered: Vec<(u32, u64)>,
    pub(crate) accidents: bool,
}

impl World {
    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }
}

/// Runs one seed.
///
/// # Panics
/// When something that must hold does not; the message names the seed.
pub fn run<M: Subject>(seed: u64, plan: Plan) {
    let result = std::panic::catch_unwind(|| Run::<M>::new(seed).go(plan));
    assert!(result.is_ok(), "SEED={seed} cargo test --release -p coreto-sim --test seeds");
}

struct Run<M: Subject> {
    world: World,
    nodes: Vec<Node<M>>,
    client: M::Client,
    answers: Arc<Answers<M>>,
}

impl<M: Subject> Run<M> {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let count = M::PARTITIONS;
        let nodes = (1..=count).map(|number| Node::new(Place { number, count }, chance.bits())).collect();
        let world =
            World { chance, now: 1_000_000, packets: Vec::new(), delivered: Vec::new(), accidents: true };
        let answers = Arc::new(Answers(Mutex::default()));
        Self { world, nodes, client: M::Client::new(Arc::clone(&answers)), answers }
    }

    fn go(mut self, plan: Plan) {
        for _ in 0..plan.steps {
            self.step(plan);
        }
        self.world.accidents = false;
        for node in &mut self.nodes {
            node.heal();
        }
        let mut rested = 0;
        for _ in 0..REST_MAX {
            self.step(plan);
            rested = if self.is_at_rest() { rested + 1 } else { 0 };
            if rested > 50 {
                return self.judge();
            }
        }
        panic!("nothing came to rest within {REST_MAX} steps: {:?}", self.client.unanswered());
    }

    fn step(&mut self, plan: Plan) {
        let world = &mut self.world;
        world.now += if world.accidents { world.chance.below(30).cast_signed() } else { 200 };
        if world.accidents && world.chance.percent(2) {
            world.now -= world.chance.below(500).cast_signed();
        }
        let index = usize::try_from(world.chance.below(u64::from(M::PARTITIONS))).expect("few partitions");
        let node = &mut self.nodes[index];
        if world.accidents && world.chance.below(1000) < plan.crashes_per_mille {
            node.crash(world);
            self.client.crashed(node.number());
        }
        node.recover_if_down(world);
        if !node.is_up() {
            return;
        }
        if world.accidents && world.chance.percent(60) {
            self.client.submit(node, world);
        }
        if !world.accidents {
            self.client.wind_down(node, world);
        }
        self.client.confirm(node, world);
        self.deliver(index);
        let (node, world) = (&mut self.nodes[index], &mut self.world);
        if !node.turn(world) {
            self.client.crashed(node.number());
        }
        for (ticket, answer) in self.answers.take() {
            self.client.hear(ticket, answer);
        }
    }

    /// Brings some packets to their receivers: late, out of order, twice, or not at all.
    fn deliver(&mut self, index: usize) {
        let number = self.nodes[index].number();
        let world = &mut self.world;
        let mut kept = Vec::new();
        for packet in std::mem::take(&mut world.packets) {
            let to = match &packet {
                Packet::Frame(frame) => frame.to,
                Packet::Acknowledgement(acknowledgement) => acknowledgement.to,
            };
            if to != number || (world.accidents && world.chance.percent(40)) {
                kept.push(packet);
                continue;
            }
            if world.accidents && world.chance.percent(10) {
                continue;
            }
            if world.accidents && world.chance.percent(15) {
                kept.push(packet.clone());
            }
            self.nodes[index].receive(packet, world);
        }
        if world.accidents && kept.len() > 1 && world.chance.percent(30) {
            kept.reverse();
        }
        world.packets = kept;
    }

    fn is_at_rest(&self) -> bool {
        self.world.packets.is_empty() && self.nodes.iter().all(|node| node.is_at_rest(self.world.wall()))
    }

    fn judge(&mut self) {
        for node in &mut self.nodes {
            node.check_replay();
        }
        self.client.judge(&self.nodes);
    }
}
