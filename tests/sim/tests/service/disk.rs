//! Disks that are full, slow or broken, and batches that no disk takes.

use coreto_log::{LogWriter, NodeId, PartitionLog, PartitionName};
use coreto_machine::Codec;
use coreto_partition::{Health, Service, StartError};
use coreto_sim::toy::{self, Command, Pair};

use crate::machine::{Machine, long_names, values, wait_for};

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
