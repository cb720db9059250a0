//! A partition of the engine with a clock, a log and a store that are plain values.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_engine::{Effect, Engine, Env, Limits, SinkSpec, Sinks, invariant};
use coreto_machine::{Caller, Channel, Place, Timestamp};
use coreto_partition::{Address, Answer, Mailbox, Partition, Record, Request, Submission};
use coreto_record::{ActivatedJob, Command};

/// When every bench begins.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

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
}

/// A partition and its surroundings.
pub struct Bench {
    partition: Partition<Engine>,
    sinks: Arc<Sinks>,
    bounds: Bounds,
    now: Timestamp,
    epoch: u64,
    requests: u64,
    log: Vec<Vec<u8>>,
    store: BTreeMap<(u32, Box<[u8]>), Vec<u8>>,
}

/// Takes nothing: the bench hands answers out itself.
struct Nobody;

impl Mailbox<Engine> for Nobody {
    fn put(&self, _ticket: u64, _answer: Answer<Engine>) {}
    fn flush(&self) {}
}

impl Bench {
    /// An empty partition at [`BEGIN`].
    pub fn new(mut bounds: Bounds) -> Self {
        // So that a store is filled by several portions.
        bounds.partition.entries_rewritten_at_once = 7;
        let sinks = Arc::new(Sinks::default());
        let mut partition = empty(&sinks, &bounds);
        partition.start(1);
        Self {
            partition,
            sinks,
            bounds,
            now: BEGIN,
            epoch: 1,
            requests: 0,
            log: Vec::new(),
            store: BTreeMap::new(),
        }
    }

    /// What time it is.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets time pass; nothing is done about it before [`Bench::tick`].
    pub fn pass(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    /// Gives a client's command into the open batch, and the number under which its answer will come.
    pub fn ask(&mut self, command: Command) -> u64 {
        self.put(command, Caller::anonymous(Channel::Grpc))
    }

    /// Gives a command of the program itself into the open batch.
    pub fn ask_internally(&mut self, command: Command) -> u64 {
        self.put(command, Caller::internal())
    }

    fn put(&mut self, command: Command, caller: Caller) -> u64 {
        self.requests += 1;
        let answer = Some(Address { mailbox: Arc::new(Nobody), ticket: self.requests });
        let request = Request::new(command, caller, answer);
        self.partition.take(self.now, Submission::Request(Box::new(request)));
        self.requests
    }

    /// Does a bounded part of what is due, and says whether there was anything.
    pub fn tick(&mut self) -> bool {
        let due = self.partition.due().is_some_and(|due| due <= self.now);
        if due {
            self.partition.tick(self.now);
        }
        due
    }

    /// Handles the oldest follow-up that waits, and says whether there was one.
    pub fn take_pending(&mut self) -> bool {
        let pending = self.partition.has_pending();
        if pending {
            self.partition.take_pending(self.now);
        }
        pending
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
        let sealed = self.partition.seal(Vec::new());
        let mut batch = Batch::default();
        if !sealed.payload.is_empty() {
            coreto_partition::records::<Engine>(&sealed.payload, |record| batch.records.push(record))
                .expect("a batch that was just written can be read");
            self.log.push(sealed.payload);
        }
        batch.answers =
            sealed.answers.into_iter().map(|(address, answer)| (address.ticket, answer)).collect();
        batch.pushes = sealed.effects.into_iter().map(|Effect::Push { sink, job }| (sink, *job)).collect();
        self.checkpoint();
        batch
    }

    /// Writes what changed to the store.
    fn checkpoint(&mut self) {
        // Bound: a new store is filled portion by portion.
        while !self.write_some() {}
    }

    /// Writes some of it. Says whether the store has everything.
    fn write_some(&mut self) -> bool {
        let taken = self.partition.take_changes();
        for change in taken.changes.into_entries() {
            let at = (change.table, change.key);
            match change.value {
                None => drop(self.store.remove(&at)),
                Some(value) => {
                    let mut bytes = Vec::new();
                    value.store(&mut bytes);
                    self.store.insert(at, bytes);
                }
            }
        }
        taken.is_whole
    }

    /// Invariants of the engine that do not hold.
    pub fn broken(&self) -> Vec<String> {
        invariant::broken(self.partition.state())
    }

    /// What differs from the live partition: the log replayed from its start, the store read back, the store of an
    /// earlier time with the rest of the log.
    pub fn differences(&self) -> Vec<String> {
        let live = self.partition.fingerprint();
        let mut differences = Vec::new();
        if self.replayed().fingerprint() != live {
            differences.push("ENG-4: the replayed log does not give the live state".to_owned());
        }
        if self.reloaded(&self.store).fingerprint() != live {
            differences.push("ENG-5: the store does not give the live state".to_owned());
        }
        differences
    }

    /// A copy of store and length of the log, to be tried later by [`Bench::differs_from`].
    pub fn cut(&self) -> Cut {
        Cut { store: self.store.clone(), log: self.log.len() }
    }

    /// Whether the store of a cut and the log behind it give another state than the live one.
    pub fn differs_from(&self, cut: &Cut) -> bool {
        let mut again = self.reloaded(&cut.store);
        for batch in &self.log[cut.log..] {
            again.replay(batch).expect("a batch that was written can be replayed");
        }
        again.fingerprint() != self.partition.fingerprint()
    }

    /// Starts again from the log, as after a crash: who waits is forgotten.
    pub fn restart(&mut self) {
        let mut again = self.replayed();
        self.epoch += 1;
        again.start(self.epoch);
        self.partition = again;
        // A new checkpointer fills its store from scratch.
        self.partition.rewrite();
        self.store.clear();
        self.checkpoint();
    }

    /// How many entries each table holds that is empty when no instance runs, of those that are not empty.
    pub fn leftovers(&self) -> Vec<(&'static str, usize)> {
        let count = |number: u32| self.store.keys().filter(|(table, _)| *table == number).count();
        let counts = RUNNING.iter().map(|(number, name)| (*name, count(*number)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Whether the runtime holds follow-ups that wait.
    pub fn has_pending(&self) -> bool {
        self.partition.has_pending()
    }

    /// The live state.
    pub const fn state(&self) -> &coreto_engine::State {
        self.partition.state()
    }

    fn replayed(&self) -> Partition<Engine> {
        let mut again = empty(&self.sinks, &self.bounds);
        for batch in &self.log {
            again.replay(batch).expect("a batch that was written can be replayed");
        }
        again
    }

    fn reloaded(&self, store: &BTreeMap<(u32, Box<[u8]>), Vec<u8>>) -> Partition<Engine> {
        let mut again = empty(&self.sinks, &self.bounds);
        for ((table, key), value) in store {
            again.load(*table, key, value).expect("an entry that was stored can be loaded");
        }
        again.loaded();
        again
    }

    /// Whether anything of the engine was stored.
    pub fn is_empty(&self) -> bool {
        self.store.keys().all(|(table, _)| table & RUNTIME_BIT != 0)
    }
}

/// A store, and how far the log was when it was written.
pub struct Cut {
    store: BTreeMap<(u32, Box<[u8]>), Vec<u8>>,
    log: usize,
}

fn empty(sinks: &Arc<Sinks>, bounds: &Bounds) -> Partition<Engine> {
    let mut last = 0u128;
    let chance = Box::new(move || {
        last += 1;
        last
    });
    let env = Env::new(Arc::clone(sinks), bounds.engine, "UTC".into());
    Partition::create(Place { number: 1, count: 1 }, env, bounds.partition.clone(), chance)
}
