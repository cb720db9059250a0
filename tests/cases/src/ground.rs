//! A partition of any machine with a clock, a log and a store that are plain values.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_machine::{Caller, Machine, Timestamp};
use coreto_partition::{
    Acknowledgement, Address, Answer, Frame, Mailbox, Partition, Record, Request, Submission,
};

/// When every partition begins.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Makes an empty partition.
pub type Make<M> = Box<dyn Fn() -> Partition<M>>;

/// What came out of a batch once it was durable.
pub struct Outcome<M: Machine> {
    /// The exported records.
    pub records: Vec<Record<M>>,
    /// Answers by the number of their request.
    pub answers: Vec<(u64, Answer<M>)>,
    /// For the world outside.
    pub effects: Vec<M::Effect>,
    /// For other partitions.
    pub packets: Vec<Packet>,
}

/// What is on its way between partitions.
#[derive(Clone, Debug)]
pub enum Packet {
    /// A command.
    Frame(Frame),
    /// Commands have come.
    Acknowledgement(Acknowledgement),
}

impl Packet {
    /// The number of the partition that it is for.
    pub const fn to(&self) -> u32 {
        match self {
            Self::Frame(frame) => frame.to,
            Self::Acknowledgement(acknowledgement) => acknowledgement.to,
        }
    }
}

/// Entries of a store, by table and key.
pub type Stored = BTreeMap<(u32, Box<[u8]>), Vec<u8>>;

/// A partition and what is written of it.
pub struct Ground<M: Machine> {
    make: Make<M>,
    partition: Partition<M>,
    now: Timestamp,
    epoch: u64,
    requests: u64,
    log: Vec<Vec<u8>>,
    store: Stored,
}

/// A store, and how far the log was when it was written.
pub struct Cut {
    store: Stored,
    log: usize,
}

/// Takes nothing: the ground hands answers out itself.
struct Nobody;

impl<M: Machine> Mailbox<M> for Nobody {
    fn put(&self, _ticket: u64, _answer: Answer<M>) {}
    fn flush(&self) {}
}

/// Random bits that are the same in each run: 1, 2, 3 and so on.
pub fn counted_chance() -> Box<dyn FnMut() -> u128 + Send> {
    let mut last = 0u128;
    Box::new(move || {
        last += 1;
        last
    })
}

impl<M: Machine> Ground<M> {
    /// An empty partition at [`BEGIN`].
    pub fn new(make: Make<M>) -> Self {
        let mut partition = make();
        partition.start(1);
        let (log, store) = Default::default();
        Self { make, partition, now: BEGIN, epoch: 1, requests: 0, log, store }
    }

    /// What time it is.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets time pass; nothing is done about it before [`Ground::tick`].
    pub fn pass(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    /// Gives a command into the open batch, and the number under which its answer will come.
    pub fn ask(&mut self, command: M::Command, caller: Caller) -> u64 {
        self.requests += 1;
        let answer = Some(Address { mailbox: Arc::new(Nobody), ticket: self.requests });
        let request = Request::new(command, caller, answer);
        self.partition.take(self.now, Submission::Request(Box::new(request)));
        self.requests
    }

    /// Takes what another partition has sent.
    pub fn receive(&mut self, packet: Packet) {
        let submission = match packet {
            Packet::Frame(frame) => Submission::Frame(frame),
            Packet::Acknowledgement(acknowledgement) => Submission::Acknowledged(acknowledgement),
        };
        self.partition.take(self.now, submission);
    }

    /// Sends again what other partitions have not acknowledged.
    pub fn resend(&mut self) {
        self.partition.resend();
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

    /// Closes the batch, writes it, and hands out what was waiting for that.
    pub fn seal(&mut self) -> Outcome<M> {
        let sealed = self.partition.seal(Vec::new());
        let mut records = Vec::new();
        if !sealed.payload.is_empty() {
            coreto_partition::records::<M>(&sealed.payload, |record| records.push(record))
                .expect("a batch that was just written can be read");
            self.log.push(sealed.payload);
        }
        let answers = sealed.answers.into_iter().map(|(address, answer)| (address.ticket, answer)).collect();
        self.checkpoint();
        let acknowledgements = sealed.acknowledgements.into_iter().map(Packet::Acknowledgement);
        let packets = sealed.frames.into_iter().map(Packet::Frame).chain(acknowledgements).collect();
        Outcome { records, answers, effects: sealed.effects, packets }
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

    /// What differs from the live partition: the log replayed from its start, the store read back.
    pub fn differences(&self) -> Vec<String> {
        let live = self.partition.fingerprint();
        let mut differences = Vec::new();
        if self.replayed().fingerprint() != live {
            differences.push("the replayed log does not give the live state".to_owned());
        }
        if self.reloaded(&self.store).fingerprint() != live {
            differences.push("the store does not give the live state".to_owned());
        }
        differences
    }

    /// A copy of store and length of the log, to be tried later by [`Ground::differs_from`].
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

    /// The batches that were written.
    pub fn log(&self) -> &[Vec<u8>] {
        &self.log
    }

    /// What the store holds.
    pub const fn stored(&self) -> &Stored {
        &self.store
    }

    /// Whether the runtime holds follow-ups that wait.
    pub fn has_pending(&self) -> bool {
        self.partition.has_pending()
    }

    /// The live state.
    pub const fn state(&self) -> &M::State {
        self.partition.state()
    }

    fn replayed(&self) -> Partition<M> {
        let mut again = (self.make)();
        for batch in &self.log {
            again.replay(batch).expect("a batch that was written can be replayed");
        }
        again
    }

    fn reloaded(&self, store: &Stored) -> Partition<M> {
        let mut again = (self.make)();
        for ((table, key), value) in store {
            again.load(*table, key, value).expect("an entry that was stored can be loaded");
        }
        again.loaded();
        again
    }
}
