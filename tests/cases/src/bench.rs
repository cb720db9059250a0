//! A partition of the engine, and the streams and polls around it.

use std::sync::Arc;

use coreto_engine::{Effect, Engine, Env, Limits, SinkSpec, Sinks, invariant};
use coreto_machine::{Caller, Channel, Place, Timestamp};
use coreto_partition::{Answer, Partition, Record};
use coreto_record::{ActivatedJob, Command};

use crate::ground::{Cut, Ground, Outcome, Packet, counted_chance};

/// The bit that sets the runtime's own tables apart from the engine's in a store.
const RUNTIME_BIT: u32 = 1 << 31;

/// The engine's tables that are empty when no instance runs, with what is in them. Indexes are not stored; the
/// invariants bind them to these.
const RUNNING: [(u32, &str); 16] = [
    (4, "elements"),
    (5, "variables"),
    (6, "jobs"),
    (7, "incidents"),
    (8, "awaited"),
    (9, "triggers"),
    (10, "banned"),
    (22, "arrived"),
    (23, "interruptions"),
    (25, "loops"),
    (26, "items"),
    (27, "outputs"),
    (36, "message_subscriptions"),
    (38, "process_subscriptions"),
    (41, "start_locks"),
    (42, "lock_of"),
];

/// Bounds that a case may set lower.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Those of the engine.
    pub engine: Limits,
    /// Those of the partition.
    pub partition: coreto_partition::Limits,
}

/// What came out of a batch once it was durable.
#[derive(Default)]
pub struct Batch {
    /// The exported records.
    pub records: Vec<Record<Engine>>,
    /// Answers by the number of their request.
    pub answers: Vec<(u64, Answer<Engine>)>,
    /// Jobs for streams and polls.
    pub pushes: Vec<(u64, ActivatedJob)>,
    /// For other partitions.
    pub packets: Vec<Packet>,
}

/// A partition and its surroundings.
pub struct Bench {
    ground: Ground<Engine>,
    sinks: Arc<Sinks>,
}

impl Bench {
    /// An empty partition at [`BEGIN`](crate::ground::BEGIN).
    pub fn new(bounds: Bounds) -> Self {
        Self::at(Place { number: 1, count: 1 }, bounds)
    }

    /// An empty partition of a group.
    pub fn at(place: Place, mut bounds: Bounds) -> Self {
        // So that a store is filled by several portions.
        bounds.partition.entries_rewritten_at_once = 7;
        let sinks = Arc::new(Sinks::default());
        let shared = Arc::clone(&sinks);
        Self { ground: Ground::new(Box::new(move || empty(place, &shared, &bounds))), sinks }
    }

    /// What time it is.
    pub const fn now(&self) -> Timestamp {
        self.ground.now()
    }

    /// Lets time pass; nothing is done about it before [`Bench::tick`].
    pub fn pass(&mut self, millis: i64) {
        self.ground.pass(millis);
    }

    /// Gives a client's command into the open batch, and the number under which its answer will come.
    pub fn ask(&mut self, command: Command) -> u64 {
        self.ground.ask(command, Caller::anonymous(Channel::Grpc))
    }

    /// Gives a command of the program itself into the open batch.
    pub fn ask_internally(&mut self, command: Command) -> u64 {
        self.ground.ask(command, Caller::internal())
    }

    /// Does a bounded part of what is due, and says whether there was anything.
    pub fn tick(&mut self) -> bool {
        self.ground.tick()
    }

    /// Takes what another partition has sent.
    pub fn receive(&mut self, packet: Packet) {
        self.ground.receive(packet);
    }

    /// Sends again what other partitions have not acknowledged.
    pub fn resend(&mut self) {
        self.ground.resend();
    }

    /// Handles the oldest follow-up that waits, and says whether there was one.
    pub fn take_pending(&mut self) -> bool {
        self.ground.take_pending()
    }

    /// Opens a stream or a poll.
    pub fn open(&self, spec: SinkSpec, credit: u32) -> u64 {
        self.sinks.open(spec, credit)
    }

    /// The streams and polls.
    pub fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    /// Closes the batch, writes it, and hands out what was waiting for that.
    pub fn seal(&mut self) -> Batch {
        let Outcome { records, answers, effects, packets } = self.ground.seal();
        let pushes = effects.into_iter().map(|Effect::Push { sink, job }| (sink, *job)).collect();
        Batch { records, answers, pushes, packets }
    }

    /// Invariants of the engine that do not hold.
    pub fn broken(&self) -> Vec<String> {
        invariant::broken(self.ground.state())
    }

    /// What differs from the live partition: the log replayed from its start, the store read back.
    pub fn differences(&self) -> Vec<String> {
        self.ground.differences()
    }

    /// A copy of store and length of the log, to be tried later by [`Bench::differs_from`].
    pub fn cut(&self) -> Cut {
        self.ground.cut()
    }

    /// Whether the store of a cut and the log behind it give another state than the live one.
    pub fn differs_from(&self, cut: &Cut) -> bool {
        self.ground.differs_from(cut)
    }

    /// Starts again from the log, as after a crash: who waits is forgotten.
    pub fn restart(&mut self) {
        self.ground.restart();
    }

    /// How many entries each table holds that is empty when no instance runs, of those that are not empty.
    pub fn leftovers(&self) -> Vec<(&'static str, usize)> {
        let store = self.ground.stored();
        let count = |number: u32| store.keys().filter(|(table, _)| *table == number).count();
        let counts = RUNNING.iter().map(|(number, name)| (*name, count(*number)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Whether the runtime holds follow-ups that wait.
    pub fn has_pending(&self) -> bool {
        self.ground.has_pending()
    }

    /// The live state.
    pub const fn state(&self) -> &coreto_engine::State {
        self.ground.state()
    }

    /// Whether anything of the engine was stored.
    pub fn is_empty(&self) -> bool {
        self.ground.stored().keys().all(|(table, _)| table & RUNTIME_BIT != 0)
    }
}

fn empty(place: Place, sinks: &Arc<Sinks>, bounds: &Bounds) -> Partition<Engine> {
    let env = Env::new(Arc::clone(sinks), bounds.engine, "UTC".into());
    Partition::create(place, env, bounds.partition.clone(), counted_chance())
}
