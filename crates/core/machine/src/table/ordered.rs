//! A table that is ordered by its key.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use super::slot::{Checkpoint, Journal, Slot};
use super::{Change, Changed, Changes, Key, Member};
use crate::codec::{Codec, DecodeError};
use crate::fingerprint::Fingerprint;

/// A map in memory, ordered by key, with undo and a list of changes.
///
/// `get` hands out a handle that stays as it is while the table goes on.
#[derive(Debug)]
pub struct Table<K, V> {
    slots: BTreeMap<K, Slot<V>>,
    journal: Journal<K, V>,
    /// Where a walk over all entries goes on.
    walk: Option<Bound<K>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), journal: Journal::default(), walk: None }
    }
}

impl<K: Key, V: Codec + Send + Sync + 'static> Table<K, V> {
    /// The entry's value.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        self.slots.get(key).map(|slot| Arc::clone(&slot.value))
    }

    /// The entry's handle, without a reference of one's own.
    pub fn peek(&self, key: &K) -> Option<&Arc<V>> {
        self.slots.get(key).map(|slot| &slot.value)
    }

    /// The entry of a key that is held in another form, with the same order.
    pub fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Arc<V>>
    where
        K: Borrow<Q>,
    {
        self.slots.get(key).map(|slot| &slot.value)
    }

    /// Whether there is such an entry.
    pub fn contains(&self, key: &K) -> bool {
        self.slots.contains_key(key)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Entries of a range, in order.
    pub fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &Arc<V>)> {
        self.slots.range(range).map(|(key, slot)| (key, &slot.value))
    }

    /// Entries from `start` on, in order, while `inside` holds of the key.
    pub fn scan<'a, F: Fn(&K) -> bool>(
        &'a self,
        start: &K,
        inside: F,
    ) -> impl Iterator<Item = (&'a K, &'a Arc<V>)> + use<'a, K, V, F> {
        self.range((Bound::Included(start.clone()), Bound::Unbounded)).take_while(move |(key, _)| inside(key))
    }

    /// Sets the entry's value.
    pub fn insert(&mut self, key: K, value: V) {
        let slot = self.journal.write(&key, self.slots.get(&key), value);
        self.slots.insert(key, slot);
    }

    /// Takes the entry out.
    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        let slot = self.slots.remove(key)?;
        let value = Arc::clone(&slot.value);
        self.journal.remove(key, slot);
        Some(value)
    }
}

impl<K: Key, V: Codec + Clone + Send + Sync + 'static> Table<K, V> {
    /// Changes the entry's value; does nothing when there is none, and says whether there was.
    pub fn update(&mut self, key: &K, change: impl FnOnce(&mut V)) -> bool {
        let Some(slot) = self.slots.get_mut(key) else { return false };
        let mut value = V::clone(&slot.value);
        change(&mut value);
        *slot = self.journal.write(key, Some(slot), value);
        true
    }
}

impl<K: Key, V: Codec + Send + Sync + 'static> Member for Table<K, V> {
    fn commit(&mut self) {
        self.journal.commit();
    }

    fn undo(&mut self) {
        while let Some((key, old)) = self.journal.pop() {
            match old {
                Some(slot) => drop(self.slots.insert(key, slot)),
                None => drop(self.slots.remove(&key)),
            }
        }
    }

    fn changed(&self) -> Changed {
        self.journal.changed()
    }

    fn take_changes(&mut self, table: u32, into: &mut Changes) {
        let slots = &mut self.slots;
        self.journal.checkpoint(
            |key, each| {
                if let Some(slot) = slots.get_mut(key) {
                    each(slot);
                }
            },
            |key, what| into.push(change(table, &key, what)),
        );
    }

    fn begin_walk(&mut self) {
        self.walk = Some(Bound::Unbounded);
    }

    fn walk(&mut self, table: u32, full: usize, into: &mut Changes) -> bool {
        let Some(from) = self.walk.take() else { return true };
        for (key, slot) in self.slots.range_mut((from, Bound::Unbounded)) {
            if into.len() >= full {
                self.walk = Some(Bound::Included(key.clone()));
                return false;
            }
            into.push(change(table, key, Checkpoint::Write(slot.take())));
        }
        true
    }

    fn load(&mut self, mut key: &[u8], value: &[u8]) -> Result<(), DecodeError> {
        self.slots.insert(K::decode_key(&mut key)?, Slot::loaded(V::decode(value)?));
        Ok(())
    }

    fn hash(&self, table: u32, fingerprint: &mut Fingerprint) {
        for (key, slot) in &self.slots {
            fingerprint.entry(table, &key.to_key_bytes(), &slot.value.to_bytes());
        }
    }

    fn copy(&self) -> Self {
        let slots = self.slots.iter().map(|(key, slot)| (key.clone(), slot.copy())).collect();
        Self { slots, ..Self::default() }
    }
}

/// A checkpoint's decision as a change of the store.
pub(super) fn change<K: Key, V: Codec + Send + Sync + 'static>(
    table: u32,
    key: &K,
    what: Checkpoint<V>,
) -> Change {
    Change {
        table,
        key: key.to_key_bytes(),
        value: match what {
            Checkpoint::Write(value) => Some(value),
            Checkpoint::Delete => None,
        },
    }
}
