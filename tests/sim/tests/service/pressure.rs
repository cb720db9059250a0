//! What is refused, and what waits, under load.

use std::time::Duration;

use coreto_machine::Caller;
use coreto_partition::{Frame, Refused};
use coreto_sim::toy::{Command, Query};

use crate::machine::{Machine, wait_for};

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
