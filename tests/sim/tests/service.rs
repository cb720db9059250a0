//! The threads that run partitions: what they let out, refuse, wait for, and find again.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coreto_log::disk::SimDisk;
use coreto_log::{DiskLog, LogReader, LogWriter, NodeId, PartitionLog, PartitionName};
use coreto_machine::table::Change;
use coreto_machine::{Caller, Channel, Codec, Topic};
use coreto_partition::store::{MemoryStore, Store, StoreError, Visit};
use coreto_partition::{
    Address, Answer, Clock, Config, Effects, Frame, Handle, Health, Limits, Mailbox, Refused, Replica,
    Request, Service, SnapshotPolicy, StartError,
};
use coreto_sim::chance::Chance;
use coreto_sim::gate::{Gate, GatedLog};
use coreto_sim::toy::{self, Command, Deliver, Gift, Pair, Query, Toy};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Answers(Mutex<BTreeMap<u64, String>>);

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
struct Machine {
    disk: SimDisk,
    gate: Gate,
    stores: BTreeMap<u32, MemoryStore>,
    limits: Limits,
    snapshots: SnapshotPolicy,
    answers: Arc<Answers>,
    tickets: u64,
}

impl Machine {
    fn new(partitions: u32) -> Self {
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

    fn log(&self) -> DiskLog<SimDisk> {
        DiskLog::on(self.disk.clone(), Path::new("/data")).with_segment_sizes(4096, 16_384)
    }

    fn start(&self, executors: usize) -> Service<Toy> {
        Service::start(self.config(executors)).unwrap()
    }

    fn config(&self, executors: usize) -> Config<Toy, GatedLog<DiskLog<SimDisk>>> {
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

    fn address(&mut self) -> Address<Toy> {
        self.tickets += 1;
        Address { mailbox: self.answers.clone(), ticket: self.tickets }
    }

    fn ask(&mut self, handle: &Handle<Toy>, command: Command) -> Result<u64, Refused> {
        let answer = Some(self.address());
        handle.submit(Request::new(command, Caller::anonymous(Channel::Grpc), answer))?;
        Ok(self.tickets)
    }

    fn put(&mut self, handle: &Handle<Toy>, name: &str, value: u64) -> Result<u64, Refused> {
        self.ask(handle, Command::Put(Pair { name: name.into(), value }))
    }

    fn answer(&self, ticket: u64) -> Option<String> {
        self.answers.0.lock().unwrap().get(&ticket).cloned()
    }

    fn await_answer(&self, ticket: u64) -> String {
        wait_for("an answer", || self.answer(ticket))
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
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
fn long_names() -> impl Iterator<Item = String> {
    let mut chance = Chance::new(1);
    (0..200).map(move |_| {
        let letters: [char; 900] =
            std::array::from_fn(|_| char::from(b'a' + chance.bits().to_le_bytes()[0] % 26));
        letters.iter().collect()
    })
}

fn values(handle: &Handle<Toy>) -> Vec<(String, u64)> {
    let toy::Answer::All(values) = handle.ask(Caller::internal(), Query::All).unwrap() else {
        panic!("another answer")
    };
    values.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

fn gifts(handle: &Handle<Toy>) -> Vec<((u32, u64), u64)> {
    match handle.ask(Caller::internal(), Query::Gifts).unwrap() {
        toy::Answer::Gifts(gifts) => gifts,
        _ => panic!("another answer"),
    }
}

#[test]
fn nothing_is_answered_while_the_append_is_held() {
    let mut machine = Machine::new(1);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    machine.gate.hold();
    let first = machine.put(&handle, "a", 1).unwrap();
    wait_for("the append", || machine.gate.has_waiting().then_some(()));
    let durable = handle.durable();
    let rejected = machine.put(&handle, "a", 0).unwrap();
    let address = machine.address();
    let asked = address.ticket;
    handle.query(Caller::internal(), Query::Value("a".into()), address).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(machine.answers.0.lock().unwrap().is_empty());
    assert_eq!(handle.durable(), durable);
    machine.gate.release();
    assert_eq!(machine.await_answer(first), "done");
    assert_eq!(machine.await_answer(rejected), "rejected: a value is more than 0");
    assert_eq!(machine.await_answer(asked), "Value(Some(1))");
    service.stop();
}

#[test]
fn a_replica_shows_what_is_durable_and_no_more_while_it_is_held() {
    let mut machine = Machine::new(1);
    let touched: Arc<Mutex<Vec<u64>>> = Arc::default();
    let heard = Arc::clone(&touched);
    let observer = move |topics: Option<&[Topic]>, _: u64| {
        heard.lock().unwrap().extend(topics.unwrap_or_default().iter().map(|topic| topic.key));
    };
    let replica = Arc::new(Replica::<Toy>::new(Box::new(observer)));
    assert!(replica.read(|_| ()).is_none(), "its partition has not started");
    let start = |machine: &Machine| {
        Service::start(Config { replicas: vec![Arc::clone(&replica)], ..machine.config(1) }).unwrap()
    };
    let value =
        |name: &str| replica.read(|state| state.values.get(&name.into()).map(|value| *value)).flatten();
    let service = start(&machine);
    let handle = service.handles()[0].clone();

    machine.gate.hold();
    let ticket = machine.put(&handle, "a", 1).unwrap();
    wait_for("the append", || machine.gate.has_waiting().then_some(()));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(value("a"), None, "it is not durable yet");
    machine.gate.release();
    machine.await_answer(ticket);
    wait_for("the replica", || (replica.applied() == handle.durable()).then_some(()));
    assert_eq!(value("a"), Some(1));
    assert_eq!(*touched.lock().unwrap(), [1]);

    replica.hold(true);
    let ticket = machine.put(&handle, "a", 2).unwrap();
    machine.await_answer(ticket);
    replica.lag(handle.durable());
    std::thread::sleep(Duration::from_millis(50));
    assert!(replica.lag(handle.durable()) >= Duration::from_millis(50), "it says since when it lags");
    assert_eq!(value("a"), Some(1));
    replica.hold(false);
    wait_for("the replica", || (value("a") == Some(2)).then_some(()));
    wait_for("no lag", || replica.lag(handle.durable()).is_zero().then_some(()));
    service.stop();

    let service = start(&machine);
    let handle = service.handles()[0].clone();
    assert_eq!(
        (value("a"), replica.applied()),
        (Some(2), handle.durable()),
        "it is there with its partition"
    );
    let ticket = machine.put(&handle, "b", 3).unwrap();
    machine.await_answer(ticket);
    wait_for("the replica", || (value("b") == Some(3)).then_some(()));
    service.stop();
}

#[test]
fn partitions_share_threads_and_are_found_again() {
    let mut machine = Machine::new(5);
    let service = machine.start(2);
    let handles = service.handles().to_vec();
    let mut tickets = Vec::new();
    for value in 1..=100 {
        for handle in &handles {
            tickets.push(machine.put(handle, &format!("k{}", value % 10), value).unwrap());
        }
    }
    for ticket in tickets {
        assert_eq!(machine.await_answer(ticket), "done");
    }
    let before: Vec<_> = handles.iter().map(values).collect();
    assert!(before.iter().all(|values| values.len() == 10));
    service.stop();
    assert!(matches!(handles[0].health(), Health::Stopped { .. }));
    assert!(matches!(machine.put(&handles[0], "late", 1), Err(Refused::Closed { .. })));

    let service = machine.start(3);
    let after: Vec<_> = service.handles().iter().map(values).collect();
    assert_eq!(before, after);
    service.stop();
}

#[test]
fn gifts_arrive_once_over_stops_and_starts() {
    const EACH: u64 = 60;
    let mut machine = Machine::new(3);
    for round in 1..=3 {
        let service = machine.start(2);
        let mut tickets = Vec::new();
        for _ in 0..EACH {
            for (from, to) in [(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)] {
                let handle = service.handles()[from - 1].clone();
                let gift = Gift { to, ..Gift::default() };
                tickets.push(machine.ask(&handle, Command::Give(gift)).unwrap());
            }
        }
        if round < 3 {
            for ticket in tickets {
                machine.await_answer(ticket);
            }
            service.stop();
            continue;
        }
        let expected = usize::try_from(2 * EACH * round).unwrap();
        for handle in service.handles() {
            let gifts = wait_for("the gifts", || Some(gifts(handle)).filter(|found| found.len() >= expected));
            assert_eq!(gifts.len(), expected);
            assert!(gifts.iter().all(|(_, times)| *times == 1), "each arrives once");
        }
        service.stop();
    }
}

#[test]
fn new_work_is_refused_before_what_is_going_on() {
    let mut machine = Machine::new(1);
    machine.limits.queue_bytes_soft = 1000;
    machine.limits.queue_bytes_hard = 2000;
    machine.limits.batch_bytes_soft = 100;
    machine.limits.queue_wait_max = Duration::MAX;
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    machine.gate.hold();
    let mut taken = Vec::new();
    let refused = wait_for("a refusal", || match machine.put(&handle, "a", 1) {
        Ok(ticket) => {
            taken.push(ticket);
            None
        }
        Err(refused) => Some(refused),
    });
    assert!(matches!(refused, Refused::Busy { limit: 1000, queued_bytes: 1000.. }), "{refused}");
    let remove = || Command::Remove("a".into());
    let going_on = machine.ask(&handle, remove()).expect("what is going on has room left");
    let refused = wait_for("a refusal", || machine.ask(&handle, remove()).err());
    assert!(matches!(refused, Refused::Busy { limit: 2000, queued_bytes: 2000.. }), "{refused}");
    assert!(taken.iter().all(|ticket| machine.answer(*ticket).is_none()));

    machine.gate.release();
    for ticket in taken {
        assert_eq!(machine.await_answer(ticket), "done");
    }
    assert_eq!(machine.await_answer(going_on), "done");
    wait_for("room for new work", || machine.put(&handle, "a", 1).ok());
    service.stop();
}

#[test]
fn frames_count_in_the_queue() {
    let mut machine = Machine::new(1);
    machine.limits.queue_bytes_soft = 20_000;
    machine.limits.batch_bytes_soft = 100;
    machine.limits.queue_wait_max = Duration::MAX;
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    machine.gate.hold();
    // The open batch gets full, so that what comes then stays in the queue.
    let tickets: Vec<_> = (0..50).map(|_| machine.put(&handle, "a", 1).unwrap()).collect();
    let frame = Frame { from: 2, to: 1, sequence: 9, command: vec![0; 20_000].into() };
    wait_for("the append", || machine.gate.has_waiting().then_some(()));
    handle.frame(frame).unwrap();
    let refused = machine.put(&handle, "a", 1).unwrap_err();
    assert!(matches!(refused, Refused::Busy { limit: 20_000, queued_bytes: 20_000.. }), "{refused}");
    machine.gate.release();
    for ticket in tickets {
        assert_eq!(machine.await_answer(ticket), "done");
    }
    service.stop();
}

#[test]
fn new_work_is_refused_when_those_before_wait_too_long() {
    let mut machine = Machine::new(1);
    machine.limits.batch_bytes_soft = 100;
    machine.limits.queue_wait_max = Duration::from_millis(100);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    machine.gate.hold();
    let refused = wait_for("a refusal", || machine.put(&handle, "a", 1).err());
    assert!(matches!(refused, Refused::Slow { limit_ms: 100, wait_ms: 100.. }), "{refused}");
    assert!(machine.ask(&handle, Command::Remove("a".into())).is_ok(), "what is going on is taken");
    machine.gate.release();
    wait_for("room for new work", || machine.put(&handle, "a", 1).ok());
    service.stop();
}

#[test]
fn a_full_disk_is_waited_for() {
    let mut machine = Machine::new(1);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    let ticket = machine.put(&handle, "a", 1).unwrap();
    machine.await_answer(ticket);
    machine.disk.set_capacity(0);
    let tickets: Vec<_> = long_names().map(|name| machine.put(&handle, &name, 1).unwrap()).collect();
    wait_for("a full disk", || matches!(handle.health(), Health::NoSpace { .. }).then_some(()));
    assert_eq!(machine.answer(tickets[199]), None);
    machine.disk.set_capacity(u64::MAX);
    for ticket in &tickets {
        assert_eq!(machine.await_answer(*ticket), "done");
    }
    assert_eq!(handle.health(), Health::Healthy);
    service.stop();
}

#[test]
fn a_service_stops_while_its_disk_is_full() {
    let mut machine = Machine::new(1);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    machine.disk.set_capacity(0);
    let tickets: Vec<_> = long_names().map(|name| machine.put(&handle, &name, 1).unwrap()).collect();
    wait_for("a full disk", || matches!(handle.health(), Health::NoSpace { .. }).then_some(()));
    service.stop();
    let acknowledged = tickets.iter().filter(|ticket| machine.await_answer(**ticket) == "done").count();
    assert!(acknowledged < tickets.len());

    machine.disk.set_capacity(u64::MAX);
    let service = machine.start(1);
    assert_eq!(values(&service.handles()[0]).len(), acknowledged);
    service.stop();
}

#[test]
fn a_lost_log_is_read_back() {
    let mut machine = Machine::new(2);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    let mut done = 0;
    for round in 1..=5 {
        machine.disk.fail_writes(1);
        // Nobody knows whether what was on its way is there; what is said to be done is.
        let lost = machine.put(&handle, &format!("lost{round}"), 1).unwrap();
        assert_eq!(machine.await_answer(lost), "lost");
        let ticket = wait_for("the partition", || machine.put(&handle, &format!("k{round}"), 1).ok());
        done += usize::from(machine.await_answer(ticket) == "done");
    }
    assert_eq!(done, 5);
    let there = values(&handle).into_iter().filter(|(name, _)| name.starts_with('k')).count();
    assert_eq!(there, done);
    service.stop();
}

#[test]
fn a_store_that_failed_is_written_again_from_memory() {
    let mut machine = Machine::new(1);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    for value in 1..=20 {
        let ticket = machine.put(&handle, &format!("k{value}"), value).unwrap();
        machine.await_answer(ticket);
    }
    wait_for("a checkpoint", || (handle.statistics().checkpoints > 0).then_some(()));
    machine.stores[&1].fail(true);
    let ticket = machine.put(&handle, "while it fails", 1).unwrap();
    machine.await_answer(ticket);
    wait_for("the store to be given up", || machine.stores[&1].applied().unwrap().is_none().then_some(()));
    machine.stores[&1].fail(false);
    let expected = values(&handle);
    service.stop();

    let mut found = 0;
    machine.stores[&1]
        .load(&mut |table, _, _| {
            found += usize::from(table == 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(found, expected.len(), "the store has all values, not only what changed since");
    let service = machine.start(1);
    assert_eq!(values(&service.handles()[0]), expected);
    service.stop();
}

#[test]
fn a_store_that_is_ahead_of_the_log_is_made_anew() {
    let mut machine = Machine::new(1);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    for value in 1..=5 {
        let ticket = machine.put(&handle, &format!("k{value}"), value).unwrap();
        machine.await_answer(ticket);
    }
    let expected = values(&handle);
    service.stop();

    // It is that of another log, and has what this one has not.
    let store = machine.stores.get_mut(&1).unwrap();
    let foreign = Change { table: 1, key: "foreign".as_bytes().into(), value: Some(Arc::new(7u64)) };
    store.write(Some(1000), vec![foreign]).unwrap();
    let service = machine.start(1);
    assert_eq!(values(&service.handles()[0]), expected);
    let ticket = machine.put(&service.handles()[0], "more", 1).unwrap();
    assert_eq!(machine.await_answer(ticket), "done");
    service.stop();
    assert!(machine.stores[&1].applied().unwrap().unwrap() < 1000);
    let service = machine.start(1);
    assert_eq!(values(&service.handles()[0]).len(), expected.len() + 1);
    service.stop();
}

#[test]
fn snapshots_let_the_log_be_trimmed_and_a_store_be_lost() {
    let mut machine = Machine::new(1);
    machine.snapshots.log_bytes = 5000;
    let name = PartitionName { group: "toy".into(), number: 1 };
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    let log = machine.log();
    let mut value = 0;
    wait_for("a trimmed log", || {
        value += 1;
        let ticket = machine.put(&handle, &format!("{:0500}", value % 50), value).unwrap();
        machine.await_answer(ticket);
        log.read(&name, 1).and_then(|mut reader| reader.next()).is_err().then_some(())
    });
    assert!(log.snapshots(&name).unwrap().len() >= 2);
    let expected = values(&handle);
    service.stop();

    machine.stores.insert(1, MemoryStore::default());
    let service = machine.start(1);
    assert_eq!(values(&service.handles()[0]), expected);
    service.stop();
}

#[test]
fn a_question_or_a_mailbox_that_panics_leaves_the_rest_as_it_is() {
    struct Broken;
    impl Mailbox<Toy> for Broken {
        fn put(&self, _: u64, _: Answer<Toy>) {
            panic!("the mailbox was told to panic");
        }
        fn flush(&self) {}
    }
    let mut machine = Machine::new(1);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    let address = machine.address();
    let asked = address.ticket;
    handle.query(Caller::internal(), Query::Panic, address).unwrap();
    assert_eq!(machine.await_answer(asked), "lost");
    let put = Command::Put(Pair { name: "a".into(), value: 1 });
    let broken = Address { mailbox: Arc::new(Broken), ticket: 0 };
    handle.submit(Request::new(put, Caller::anonymous(Channel::Grpc), Some(broken))).unwrap();
    wait_for("the put", || (values(&handle).len() == 1).then_some(()));
    let ticket = machine.put(&handle, "b", 2).unwrap();
    assert_eq!(machine.await_answer(ticket), "done");
    assert_eq!(handle.health(), Health::Healthy);
    service.stop();
}

#[test]
fn a_partition_that_panics_outside_of_a_command_says_so_and_leaves_the_others_alone() {
    let mut machine = Machine::new(2);
    let service = machine.start(1);
    let handles = service.handles().to_vec();
    machine.put(&handles[0], "fatal", 1).unwrap();
    wait_for("the end", || matches!(handles[0].health(), Health::Stopped { .. }).then_some(()));
    wait_for("a refusal", || {
        matches!(machine.put(&handles[0], "a", 1), Err(Refused::Closed { .. })).then_some(())
    });
    let ticket = machine.put(&handles[1], "a", 1).unwrap();
    assert_eq!(machine.await_answer(ticket), "done");
    service.stop();
}

#[test]
fn answers_do_not_pile_up_while_the_log_stalls() {
    let mut machine = Machine::new(1);
    machine.limits.answers_in_batch_max = 10;
    machine.limits.queue_bytes_hard = 2000;
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    machine.gate.hold();
    machine.put(&handle, "a", 1).unwrap();
    wait_for("the append", || machine.gate.has_waiting().then_some(()));
    let mut asked = Vec::new();
    let refused = wait_for("a refusal", || {
        let address = machine.address();
        asked.push(address.ticket);
        handle.query(Caller::internal(), Query::Value("a".into()), address).err()
    });
    assert!(matches!(refused, Refused::Busy { limit: 2000, .. }), "{refused}");
    asked.pop();
    machine.gate.release();
    for ticket in asked {
        assert_eq!(machine.await_answer(ticket), "Value(Some(1))");
    }
    service.stop();
}

#[test]
fn a_service_that_is_often_restarted_trims_its_log() {
    let mut machine = Machine::new(1);
    machine.snapshots.log_bytes = 20_000;
    let name = PartitionName { group: "toy".into(), number: 1 };
    for names in long_names().collect::<Vec<_>>().chunks(4) {
        let service = machine.start(1);
        for name in names {
            let ticket = machine.put(&service.handles()[0], name, 1).unwrap();
            machine.await_answer(ticket);
        }
        service.stop();
    }
    let log = machine.log();
    assert!(log.read(&name, 1).and_then(|mut reader| reader.next()).is_err(), "the log is trimmed");
    assert_eq!(log.snapshots(&name).unwrap().len(), 2);
}

#[test]
fn a_disk_with_little_space_lets_a_snapshot_be_made() {
    let mut machine = Machine::new(1);
    machine.limits.free_bytes_new_work = 1 << 20;
    let name = PartitionName { group: "toy".into(), number: 1 };
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    let ticket = machine.put(&handle, "a", 1).unwrap();
    machine.await_answer(ticket);
    assert_eq!(machine.log().snapshots(&name).unwrap(), []);
    machine.disk.set_capacity(1 << 19);
    wait_for("little space", || matches!(handle.health(), Health::NoSpace { .. }).then_some(()));
    let ticket = machine.ask(&handle, Command::Remove("a".into())).unwrap();
    machine.await_answer(ticket);
    wait_for("a snapshot", || machine.log().snapshots(&name).unwrap().pop());
    service.stop();
}

#[test]
fn a_disk_that_fails_is_not_called_full() {
    let mut machine = Machine::new(1);
    let service = machine.start(1);
    let handle = service.handles()[0].clone();
    // It does not fit into the first segment, and the next one cannot be made.
    let name: String = long_names().take(8).collect();
    machine.disk.fail_writes(u32::MAX);
    let ticket = machine.put(&handle, &name, 1).unwrap();
    let reason = wait_for("the reason", || match handle.health() {
        Health::CannotWrite { reason } => Some(reason),
        health => {
            assert!(!matches!(health, Health::NoSpace { .. }));
            None
        }
    });
    assert!(reason.contains("the simulated disk fails"), "{reason}");
    machine.disk.fail_writes(0);
    assert_eq!(machine.await_answer(ticket), "done");
    assert_eq!(handle.health(), Health::Healthy);
    service.stop();
}

/// A store that panics where no error is made of it, and says that it does.
struct Panics(Arc<AtomicBool>);

impl Store for Panics {
    fn applied(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    fn load(&self, _visit: Visit<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn write(&mut self, _applied: Option<u64>, _changes: Vec<Change>) -> Result<(), StoreError> {
        self.0.store(true, Ordering::Release);
        panic!("the store panics")
    }

    fn discard(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_dead_checkpoint_thread_is_told_of() {
    let mut machine = Machine::new(1);
    let mut config = machine.config(1);
    let panics = Arc::new(AtomicBool::new(false));
    let its = Arc::clone(&panics);
    config.stores = Box::new(move |_| Ok(Box::new(Panics(Arc::clone(&its)))));
    let service = Service::start(config).unwrap();
    let handle = service.handles()[0].clone();
    let ticket = machine.put(&handle, "a", 1).unwrap();
    assert_eq!(machine.await_answer(ticket), "done");
    wait_for("a checkpoint", || panics.load(Ordering::Acquire).then_some(()));
    machine.disk.fail_writes(1);
    let lost = machine.put(&handle, "b", 1).unwrap();
    assert_eq!(machine.await_answer(lost), "lost");
    wait_for("the end", || match handle.health() {
        Health::Stopped { reason } => reason.contains("checkpoint").then_some(()),
        _ => None,
    });
    service.stop();
}

#[test]
fn a_batch_that_does_not_fit_is_named() {
    let machine = Machine::new(1);
    let name = PartitionName { group: "toy".into(), number: 1 };
    let event = toy::Event::Put(Pair::default()).to_bytes();
    // Format, time, first position and counter, then an event.
    let mut batch = [&[1][..], &[0; 8], &1u64.to_le_bytes(), &[0; 8], &[2]].concat();
    batch.push(u8::try_from(event.len()).unwrap());
    batch.extend(event);
    let mut writer = machine.log().open_writer(&name, NodeId(1), 0).unwrap();
    let sequence = writer.append(&batch).unwrap();
    writer.close().unwrap();
    let Some(StartError::Recover { source, .. }) = Service::start(machine.config(1)).err() else {
        panic!("it started")
    };
    let expected = format!("batch {sequence} of partition `toy-1` cannot be applied: a name is not empty");
    assert_eq!(source.to_string(), expected);
}

#[test]
fn what_was_started_is_stopped_when_another_partition_cannot_be() {
    let machine = Machine::new(2);
    let mut config = machine.config(1);
    config.stores = Box::new(|name| match name.number {
        1 => Ok(Box::<MemoryStore>::default()),
        _ => Err(StoreError::Entry { reason: "there is none".to_owned() }),
    });
    let error = Service::start(config).err().unwrap();
    assert!(matches!(error, StartError::Store { partition, .. } if partition.number == 2));
    assert_eq!(Arc::strong_count(&machine.answers), 1, "no thread is left");
}
