//! What leaves, what is shown, and what is found again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coreto_log::{LogReader, PartitionLog, PartitionName};
use coreto_machine::{Caller, Topic};
use coreto_partition::store::MemoryStore;
use coreto_partition::{Config, Health, Refused, Replica, Service};
use coreto_sim::toy::{Command, Gift, Query, Toy};

use crate::machine::{Machine, gifts, long_names, values, wait_for};

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
fn a_replica_is_put_in_anew_when_the_log_was_cut() {
    let mut machine = Machine::new(1);
    let replica = Arc::new(Replica::<Toy>::new(Box::new(|_, _| ())));
    let config = Config { replicas: vec![Arc::clone(&replica)], ..machine.config(1) };
    let service = Service::start(config).unwrap();
    let handle = service.handles()[0].clone();
    for round in 1..=5 {
        machine.disk.fail_writes(1);
        // Whether it is there, the log that is read back decides.
        let lost = machine.put(&handle, &format!("lost{round}"), 1).unwrap();
        assert_eq!(machine.await_answer(lost), "lost");
        let ticket = wait_for("the partition", || machine.put(&handle, &format!("k{round}"), round).ok());
        machine.await_answer(ticket);
        wait_for("the replica", || (replica.applied() == handle.durable()).then_some(()));
        let shown = replica.read(|state| {
            let values = state.values.range(..).map(|(name, value)| (name.to_string(), **value));
            values.collect::<Vec<_>>()
        });
        assert_eq!(shown.unwrap(), values(&handle), "after round {round}");
    }
    service.stop();
}

#[test]
fn a_replica_behind_a_trimmed_log_goes_on_from_a_snapshot() {
    let mut machine = Machine::new(1);
    machine.snapshots.log_bytes = 5000;
    let name = PartitionName { group: "toy".into(), number: 1 };
    let heard: Arc<Mutex<Vec<u64>>> = Arc::default();
    let told = Arc::clone(&heard);
    let observer = move |topics: Option<&[Topic]>, applied: u64| {
        if topics.is_none() {
            told.lock().unwrap().push(applied);
        }
    };
    let replica = Arc::new(Replica::<Toy>::new(Box::new(observer)));
    let config = Config { replicas: vec![Arc::clone(&replica)], ..machine.config(1) };
    let service = Service::start(config).unwrap();
    let handle = service.handles()[0].clone();
    let log = machine.log();
    let shown = |replica: &Replica<Toy>| {
        let all = replica.read(|state| {
            let values = state.values.range(..).map(|(name, value)| (name.to_string(), **value));
            values.collect::<Vec<_>>()
        });
        all.unwrap()
    };
    let mut value = 0;
    // Once while it has the log open, and once while it is just there.
    for round in 1..=2 {
        replica.hold(true);
        let (applied, before) = (replica.applied(), shown(&replica));
        wait_for("a trimmed log", || {
            value += 1;
            let ticket = machine.put(&handle, &format!("{:0500}", value % 50), value).unwrap();
            machine.await_answer(ticket);
            // Further than what a reader may have open.
            let read = log.read(&name, applied + 250).and_then(|mut reader| reader.next());
            matches!(read, Err(coreto_log::Error::Trimmed { .. })).then_some(())
        });
        assert_eq!((replica.applied(), shown(&replica)), (applied, before), "it is held");
        assert!(replica.lag(handle.durable()) > Duration::ZERO);
        replica.hold(false);
        wait_for("the replica", || (replica.applied() == handle.durable()).then_some(()));
        assert_eq!(shown(&replica), values(&handle));
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard.len(), 1 + round, "whoever waits is told that anything may have changed: {heard:?}");
        assert!(heard.is_sorted() && heard[round] > applied, "never backwards: {heard:?}");
    }
    let ticket = machine.put(&handle, "last", 7).unwrap();
    machine.await_answer(ticket);
    wait_for("the replica", || (replica.applied() == handle.durable()).then_some(()));
    assert_eq!(shown(&replica), values(&handle), "and it is fed as before");
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
