//! Stores that fail, or are of another time than the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coreto_machine::table::Change;
use coreto_partition::store::{Store, StoreError, Visit};
use coreto_partition::{Health, Service};

use crate::machine::{Machine, values, wait_for};

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
