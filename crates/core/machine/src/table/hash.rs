//! A table for keys that we issue: found by hash, never iterated.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use super::ordered::change;
use super::slot::{Checkpoint, Journal, Slot};
use super::{Changed, Changes, Key, Member};
use crate::codec::{Codec, DecodeError};
use crate::fingerprint::Fingerprint;

/// The map of one shard.
#[expect(clippy::disallowed_types, reason = "the hasher is fixed and nothing depends on the order")]
type Shard<K, V> = std::collections::HashMap<K, Slot<V>, FixedHash>;

/// So many shards that growing one is never felt: a shard holds a few thousand of a million entries.
const SHARDS: usize = 256;

/// A map in memory, found by hash, with undo and a list of changes.
///
/// Its keys must be ours: the hash is fixed, so somebody who chooses keys could make them collide.
#[derive(Debug)]
pub struct HashTable<K, V> {
    shards: Box<[Shard<K, V>]>,
    journal: Journal<K, V>,
    /// The shard where a walk over all entries goes on.
    walk: usize,
}

impl<K, V> Default for HashTable<K, V> {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { shards, journal: Journal::default(), walk: SHARDS }
    }
}

impl<K: Key + Hash, V: Codec + Send + Sync + 'static> HashTable<K, V> {
    fn shard(key: &K) -> usize {
        let hash = FixedHash.hash_one(key);
        usize::try_from(hash & (SHARDS as u64 - 1)).expect("less than SHARDS")
    }

    /// The entry's value.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        self.peek(key).map(Arc::clone)
    }

    /// The entry's handle, without a reference of one's own.
    pub fn peek(&self, key: &K) -> Option<&Arc<V>> {
        self.shards[Self::shard(key)].get(key).map(|slot| &slot.value)
    }

    /// Whether there is such an entry.
    pub fn contains(&self, key: &K) -> bool {
        self.peek(key).is_some()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(Shard::is_empty)
    }

    /// Visits every entry, in no order that anything may depend on: only to rebuild indexes.
    pub fn for_each(&self, mut visit: impl FnMut(&K, &Arc<V>)) {
        for (key, slot) in self.shards.iter().flatten() {
            visit(key, &slot.value);
        }
    }

    /// Sets the entry's value.
    pub fn insert(&mut self, key: K, value: V) {
        let shard = &mut self.shards[Self::shard(&key)];
        let slot = self.journal.write(&key, shard.get(&key), value);
        shard.insert(key, slot);
    }

    /// Takes the entry out.
    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        let slot = self.shards[Self::shard(key)].remove(key)?;
        let value = Arc::clone(&slot.value);
        self.journal.remove(key, slot);
        Some(value)
    }
}

impl<K: Key + Hash, V: Codec + Clone + Send + Sync + 'static> HashTable<K, V> {
    /// Changes the entry's value; does nothing when there is none, and says whether there was.
    pub fn update(&mut self, key: &K, change: impl FnOnce(&mut V)) -> bool {
        let Some(slot) = self.shards[Self::shard(key)].get_mut(key) else { return false };
        let mut value = V::clone(&slot.value);
        change(&mut value);
        *slot = self.journal.write(key, Some(slot), value);
        true
    }
}

impl<K: Key + Hash, V: Codec + Send + Sync + 'static> Member for HashTable<K, V> {
    fn commit(&mut self) {
        self.journal.commit();
    }

    fn undo(&mut self) {
        while let Some((key, old)) = self.journal.pop() {
            let shard = &mut self.shards[Self::shard(&key)];
            match old {
                Some(slot) => drop(shard.insert(key, slot)),
                None => drop(shard.remove(&key)),
            }
        }
    }

    fn changed(&self) -> Changed {
        self.journal.changed()
    }

    fn take_changes(&mut self, table: u32, into: &mut Changes) {
        let shards = &mut self.shards;
        self.journal.checkpoint(
            |key, each| {
                if let Some(slot) = shards[Self::shard(key)].get_mut(key) {
                    each(slot);
                }
            },
            |key, what| into.push(change(table, &key, what)),
        );
    }

    fn begin_walk(&mut self) {
        self.walk = 0;
    }

    fn walk(&mut self, table: u32, full: usize, into: &mut Changes) -> bool {
        // By whole shards, which have no order to go on in.
        while let Some(shard) = self.shards.get_mut(self.walk) {
            if into.len() >= full {
                return false;
            }
            for (key, slot) in shard {
                into.push(change(table, key, Checkpoint::Write(slot.take())));
            }
            self.walk += 1;
        }
        true
    }

    fn load(&mut self, mut key: &[u8], value: &[u8]) -> Result<(), DecodeError> {
        let key = K::decode_key(&mut key)?;
        self.shards[Self::shard(&key)].insert(key, Slot::loaded(V::decode(value)?));
        Ok(())
    }

    fn hash(&self, table: u32, fingerprint: &mut Fingerprint) {
        for (key, slot) in self.shards.iter().flatten() {
            fingerprint.entry(table, &key.to_key_bytes(), &slot.value.to_bytes());
        }
    }

    fn copy(&self) -> Self {
        let copied =
            |shard: &Shard<K, V>| shard.iter().map(|(key, slot)| (key.clone(), slot.copy())).collect();
        Self { shards: self.shards.iter().map(copied).collect(), ..Self::default() }
    }
}

/// Hashes issued numbers by one multiplication; the same in every run.
#[derive(Clone, Copy, Debug, Default)]
struct FixedHash;

#[derive(Default)]
struct FixedHasher(u64);

impl BuildHasher for FixedHash {
    type Hasher = FixedHasher;
    fn build_hasher(&self) -> FixedHasher {
        FixedHasher::default()
    }
}

impl Hasher for FixedHasher {
    fn finish(&self) -> u64 {
        // The map takes its buckets from the low bits and its tags from the high ones: both need mixing.
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
