//! Two toy partitions on simulated disks: the real partition and log code, a fake clock, and accidents.
//!
//! What is checked: an acknowledged command's effect is there after every crash; what is owed arrives; a gift to
//! another partition is taken exactly once; what was rejected left nothing; the state after a recovery is the state
//! of a replay from the beginning; and when the accidents stop, everything comes to rest.

mod client;
mod node;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use coreto_machine::{Place, Timestamp};
use coreto_partition::{Acknowledgement, Answer, Frame, Mailbox};

use crate::chance::Chance;
use crate::toy::Toy;
use client::Client;
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

/// How many partitions there are.
const PARTITIONS: u32 = 2;

/// Steps without accidents in which everything must come to rest.
const REST_MAX: u32 = 20_000;

/// Answers that left a partition, by ticket.
#[derive(Default)]
pub(crate) struct Answers(Mutex<VecDeque<(u64, Answer<Toy>)>>);

impl Answers {
    fn take(&self) -> VecDeque<(u64, Answer<Toy>)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Mailbox<Toy> for Answers {
    fn put(&self, ticket: u64, answer: Answer<Toy>) {
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
pub(crate) struct World {
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
pub fn run(seed: u64, plan: Plan) {
    let result = std::panic::catch_unwind(|| Run::new(seed).go(plan));
    assert!(result.is_ok(), "SEED={seed} cargo test --release -p coreto-sim --test seeds");
}

struct Run {
    world: World,
    nodes: Vec<Node>,
    client: Client,
    answers: Arc<Answers>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let nodes = (1..=PARTITIONS)
            .map(|number| Node::new(Place { number, count: PARTITIONS }, chance.bits()))
            .collect();
        let world =
            World { chance, now: 1_000_000, packets: Vec::new(), delivered: Vec::new(), accidents: true };
        let answers = Arc::new(Answers::default());
        Self { world, nodes, client: Client::new(Arc::clone(&answers)), answers }
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
        let index = usize::try_from(world.chance.below(u64::from(PARTITIONS))).expect("few partitions");
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
        self.client.judge(&self.nodes, &self.world);
    }
}
