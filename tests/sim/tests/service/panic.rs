//! Panics, and starts that fail: the others go on.

use std::sync::Arc;

use coreto_machine::{Caller, Channel};
use coreto_partition::store::{MemoryStore, StoreError};
use coreto_partition::{Address, Answer, Health, Mailbox, Refused, Request, Service, StartError};
use coreto_sim::toy::{Command, Pair, Query, Toy};

use crate::machine::{Machine, values, wait_for};

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
