//! An ordered set that is derived from tables.

use std::collections::BTreeSet;
use std::ops::{Bound, RangeBounds};

use super::{Changed, Changes, Key, Member};
use crate::codec::DecodeError;
use crate::fingerprint::Fingerprint;

/// An ordered set in memory with undo. It is not stored: whoever declares it rebuilds it after loading.
#[derive(Debug)]
pub struct Index<K> {
    keys: BTreeSet<K>,
    undo: Vec<(K, bool)>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { keys: BTreeSet::new(), undo: Vec::new() }
    }
}

impl<K: Key> Index<K> {
    /// Adds a key; does nothing when it is there.
    pub fn insert(&mut self, key: K) {
        if self.keys.insert(key.clone()) {
            self.undo.push((key, true));
        }
    }

    /// Takes a key out; does nothing when it is not there.
    pub fn remove(&mut self, key: &K) {
        if let Some(key) = self.keys.take(key) {
            self.undo.push((key, false));
        }
    }

    /// The smallest key.
    pub fn first(&self) -> Option<&K> {
        self.keys.first()
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &K) -> bool {
        self.keys.contains(key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Keys of a range, in order.
    pub fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = &K> {
        self.keys.range(range)
    }

    /// Keys from `start` on, in order, while `inside` holds.
    pub fn scan<'a, F: Fn(&K) -> bool>(
        &'a self,
        start: &K,
        inside: F,
    ) -> impl Iterator<Item = &'a K> + use<'a, K, F> {
        self.range((Bound::Included(start.clone()), Bound::Unbounded)).take_while(move |key| inside(key))
    }
}

impl<K: Key> Member for Index<K> {
    fn commit(&mut self) {
        self.undo.clear();
    }

    fn undo(&mut self) {
        while let Some((key, inserted)) = self.undo.pop() {
            if inserted {
                self.keys.remove(&key);
            } else {
                self.keys.insert(key);
            }
        }
    }

    fn changed(&self) -> Changed {
        Changed::default()
    }

    fn take_changes(&mut self, _table: u32, _into: &mut Changes) {}

    fn begin_walk(&mut self) {}

    fn walk(&mut self, _table: u32, _full: usize, _into: &mut Changes) -> bool {
        true
    }

    fn load(&mut self, _key: &[u8], _value: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }

    fn hash(&self, table: u32, fingerprint: &mut Fingerprint) {
        for key in &self.keys {
            fingerprint.entry(table, &key.to_key_bytes(), &[]);
        }
    }

    fn copy(&self) -> Self {
        Self { keys: self.keys.clone(), undo: Vec::new() }
    }
}
