//! A service on a simulated disk, and who takes its answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coreto_log::disk::SimDisk;
use coreto_log::{DiskLog, NodeId, PartitionName};
use coreto_machine::{Caller, Channel};
use coreto_partition::store::{MemoryStore, Store};
use coreto_partition::{
    Address, Answer, Clock, Config, Effects, Handle, Limits, Mailbox, Refused, Request, Service,
    SnapshotPolicy,
};
use coreto_sim::chance::Chance;
use coreto_sim::gate::{Gate, GatedLog};
use coreto_sim::toy::{self, Command, Deliver, Pair, Query, Toy};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
pub(crate) struct Answers(pub(crate) Mutex<BTreeMap<u64, String>>);

impl Mailbox<Toy> for Answers {
    fn put(&self, ticket: u64, answer: Answer<Toy>) {
        let text = match answer {
            Answer::Reply(_) => "done".to_owned(),
            Answer::Rejected(rejection) => format!("rejected: {}", rejection.reason),
            Answer::Answered(answer) => format!("{answer:?}"),
            Answer::Lost { .. } => "lost".to_owned(),
            Answer::KeyMisused | Answer::KeysFull => "no key".to_owned(),
        };
        assert!(self.0.lock().unwrap().insert(ticket, text).is_none(), "one answer a request");
    }
    fn flush(&self) {}
}

impl Effects<Toy> for Answers {
    fn perform(&self, effects: &mut Vec<Deliver>) {
        effects.clear();
    }
}

/// What outlives a service: its disk and its stores.
pub(crate) struct Machine {
    pub(crate) disk: SimDisk,
    pub(crate) gate: Gate,
    pub(crate) stores: BTreeMap<u32, MemoryStore>,
    pub(crate) limits: Limits,
    pub(crate) snapshots: SnapshotPolicy,
    pub(crate) answers: Arc<Answers>,
    pub(crate) tickets: u64,
}

impl Machine {
    pub(crate) fn new(partitions: u32) -> Self {
        Self {
            disk: SimDisk::new(7),
            gate: Gate::default(),
            stores: (1..=partitions).map(|number| (number, MemoryStore::default())).collect(),
            limits: Limits {
                free_bytes_new_work: 0,
                free_bytes_all: 0,
                entries_rewritten_at_once: 3,
                ..Limits::default()
            },
            snapshots: SnapshotPolicy::default(),
            answers: Arc::default(),
            tickets: 0,
        }
    }

    pub(crate) fn log(&self) -> DiskLog<SimDisk> {
        DiskLog::on(self.disk.clone(), Path::new("/data")).with_segment_sizes(4096, 16_384)
    }

    pub(crate) fn start(&self, executors: usize) -> Service<Toy> {
        Service::start(self.config(executors)).unwrap()
    }

    pub(crate) fn config(&self, executors: usize) -> Config<Toy, GatedLog<DiskLog<SimDisk>>> {
        let stores = self.stores.clone();
        let open = move |name: &PartitionName| Ok(Box::new(stores[&name.number].clone()) as Box<dyn Store>);
        Config {
            group: "toy".into(),
            partitions: u32::try_from(self.stores.len()).unwrap(),
            executors,
            log: Arc::new(GatedLog { log: self.log(), gate: self.gate.clone() }),
            node: NodeId(1),
            stores: Box::new(open),
            env: Box::new(|_| ()),
            effects: self.answers.clone(),
            replicas: Vec::new(),
            watcher: None,
            clock: Arc::new(Clock::real()),
            limits: self.limits.clone(),
            snapshots: self.snapshots,
        }
    }

    pub(crate) fn address(&mut self) -> Address<Toy> {
        self.tickets += 1;
        Address { mailbox: self.answers.clone(), ticket: self.tickets }
    }

    pub(crate) fn ask(&mut self, handle: &Handle<Toy>, command: Command) -> Result<u64, Refused> {
        let answer = Some(self.address());
        handle.submit(Request::new(command, Caller::anonymous(Channel::Grpc), answer))?;
        Ok(self.tickets)
    }

    pub(crate) fn put(&mut self, handle: &Handle<Toy>, name: &str, value: u64) -> Result<u64, Refused> {
        self.ask(handle, Command::Put(Pair { name: name.into(), value }))
    }

    pub(crate) fn answer(&self, ticket: u64) -> Option<String> {
        self.answers.0.lock().unwrap().get(&ticket).cloned()
    }

    pub(crate) fn await_answer(&self, ticket: u64) -> String {
        wait_for("an answer", || self.answer(ticket))
    }
}

pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Names that no compression makes shorter, more than a small segment holds.
pub(crate) fn long_names() -> impl Iterator<Item = String> {
    let mut chance = Chance::new(1);
    (0..200).map(move |_| {
        let letters: [char; 900] =
            std::array::from_fn(|_| char::from(b'a' + chance.bits().to_le_bytes()[0] % 26));
        letters.iter().collect()
    })
}

pub(crate) fn values(handle: &Handle<Toy>) -> Vec<(String, u64)> {
    let toy::Answer::All(values) = handle.ask(Caller::internal(), Query::All).unwrap() else {
        panic!("another answer")
    };
    values.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

pub(crate) fn gifts(handle: &Handle<Toy>) -> Vec<((u32, u64), u64)> {
    match handle.ask(Caller::internal(), Query::Gifts).unwrap() {
        toy::Answer::Gifts(gifts) => gifts,
        _ => panic!("another answer"),
    }
}
