//! An entry in memory, with what the next checkpoint needs to know of it.

use std::sync::Arc;

use super::Changed;

/// A value and two marks.
#[derive(Debug)]
pub(super) struct Slot<V> {
    pub(super) value: Arc<V>,
    /// The store has an entry for this key, perhaps an older one.
    stored: bool,
    /// The key is on the list of changes because of this slot.
    listed: bool,
}

impl<V> Clone for Slot<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), stored: self.stored, listed: self.listed }
    }
}

impl<V> Slot<V> {
    /// An entry as it stands in the store.
    pub(super) fn loaded(value: V) -> Self {
        Self { value: Arc::new(value), stored: true, listed: false }
    }

    /// The same value, of which no store knows.
    pub(super) fn copy(&self) -> Self {
        Self { value: Arc::clone(&self.value), stored: false, listed: false }
    }

    /// Takes the value for the store, whether it has an older one or none.
    pub(super) fn take(&mut self) -> Arc<V> {
        self.listed = false;
        self.stored = true;
        Arc::clone(&self.value)
    }
}

/// What the running transaction did, and what changed since the last checkpoint.
///
/// An entry that comes and goes between two checkpoints never reaches the store: `changed` lists keys whose
/// slot may have to be written, `deleted` those whose stored entry may have to go, and what the table holds
/// when the changes are taken decides.
#[derive(Debug)]
pub(super) struct Journal<K, V> {
    undo: Vec<(K, Option<Slot<V>>)>,
    changed: Vec<K>,
    deleted: Vec<K>,
    /// How many of the keys on the list of changes were taken out again.
    gone: usize,
}

impl<K, V> Default for Journal<K, V> {
    fn default() -> Self {
        Self { undo: Vec::new(), changed: Vec::new(), deleted: Vec::new(), gone: 0 }
    }
}

/// What the next checkpoint does about one key.
pub(super) enum Checkpoint<V> {
    Write(Arc<V>),
    Delete,
}

impl<K: Clone, V> Journal<K, V> {
    /// Remembers what was there, and makes the slot that takes its place.
    pub(super) fn write(&mut self, key: &K, old: Option<&Slot<V>>, value: V) -> Slot<V> {
        if !old.is_some_and(|slot| slot.listed) {
            self.changed.push(key.clone());
        }
        self.undo.push((key.clone(), old.cloned()));
        Slot { value: Arc::new(value), stored: old.is_some_and(|slot| slot.stored), listed: true }
    }

    /// Remembers what a removal took.
    pub(super) fn remove(&mut self, key: &K, old: Slot<V>) {
        if old.stored {
            self.deleted.push(key.clone());
        }
        self.gone += usize::from(old.listed);
        self.undo.push((key.clone(), Some(old)));
    }

    pub(super) fn commit(&mut self) {
        self.undo.clear();
    }

    /// The last write that is not undone yet: its key, and what was there before.
    pub(super) fn pop(&mut self) -> Option<(K, Option<Slot<V>>)> {
        self.undo.pop()
    }

    pub(super) fn changed(&self) -> Changed {
        let keys = self.changed.len() + self.deleted.len();
        // What was undone counts, so that this is not exact.
        Changed { keys, entries: keys.saturating_sub(self.gone) }
    }

    /// Hands each key that the store must hear of to `each`, once for a write and at least once for a deletion.
    pub(super) fn checkpoint(
        &mut self,
        mut slot: impl FnMut(&K, &mut dyn FnMut(&mut Slot<V>)),
        mut each: impl FnMut(K, Checkpoint<V>),
    ) {
        self.gone = 0;
        for key in self.deleted.drain(..) {
            let mut present = false;
            slot(&key, &mut |_| present = true);
            if !present {
                each(key, Checkpoint::Delete);
            }
        }
        for key in self.changed.drain(..) {
            let mut value = None;
            slot(&key, &mut |slot| {
                if slot.listed {
                    value = Some(slot.take());
                }
            });
            if let Some(value) = value {
                each(key, Checkpoint::Write(value));
            }
        }
    }
}
