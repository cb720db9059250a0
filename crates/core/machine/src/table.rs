//! The only way in which a machine keeps state.
//!
//! A [`Table`] is ordered by its key, a [`HashTable`] is for keys that we issue and never iterates, an
//! [`Index`] is an ordered set that is derived from tables and not stored, a [`Cell`] is a single value, a [`Total`] a
//! derived sum.
//! Each has an undo list for the running transaction; tables and cells also know what changed since the
//! last checkpoint. [`tables!`](crate::tables) declares a state made of them.

mod cell;
mod hash;
mod index;
mod key;
mod macros;
mod ordered;
mod slot;
mod total;

pub use cell::Cell;
pub use hash::HashTable;
pub use index::Index;
pub use key::Key;
pub use ordered::Table;
pub use total::Total;

use std::ops::Add;

use crate::codec::DecodeError;
use crate::fingerprint::Fingerprint;
use crate::head::Place;

/// Encodes a table's value later, on another thread.
pub trait Stored: Send + Sync {
    /// Appends the value's encoding.
    fn store(&self, out: &mut Vec<u8>);
}

impl<T: crate::Codec + Send + Sync> Stored for T {
    fn store(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}

/// What changed since the last checkpoint, as handles that stay as they are.
#[derive(Default)]
pub struct Changes {
    entries: Vec<Change>,
}

/// About how much the next checkpoint finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Keys that it looks at, those of entries that have come and gone since the last one included.
    pub keys: usize,
    /// Entries that it takes, and deletions.
    pub entries: usize,
}

impl Add for Changed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { keys: self.keys + other.keys, entries: self.entries + other.entries }
    }
}

/// One changed entry of a table.
pub struct Change {
    /// The table's number.
    pub table: u32,
    /// The encoded key; its order is the key's order.
    pub key: Box<[u8]>,
    /// The value, or `None` when the entry is gone.
    pub value: Option<std::sync::Arc<dyn Stored>>,
}

impl Changes {
    /// Adds a changed entry.
    pub fn push(&mut self, change: Change) {
        self.entries.push(change);
    }

    /// Sets bits in the table numbers of all entries so far, to keep two states apart in one store.
    pub fn number_from(&mut self, bits: u32) {
        for change in &mut self.entries {
            change.table |= bits;
        }
    }

    /// The entries, in no particular order; a key stands at most once.
    pub fn into_entries(self) -> Vec<Change> {
        self.entries
    }

    /// How many entries changed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A state made of tables. Implemented by [`tables!`](crate::tables).
pub trait Tables: Send + Sync + 'static {
    /// The empty state of a new partition.
    fn create(place: Place) -> Self;

    /// Where the partition stands in its group.
    fn place(&self) -> Place;

    /// The last number that [`Txn::next_number`](crate::Txn::next_number) gave.
    fn counter(&self) -> u64;

    /// Sets the last number given.
    fn set_counter(&mut self, counter: u64);

    /// The transaction stands.
    fn commit(&mut self);

    /// The transaction never was.
    fn undo(&mut self);

    /// About how much changed since the last checkpoint.
    fn changed(&self) -> Changed;

    /// Takes what changed since the last checkpoint.
    fn take_changes(&mut self, into: &mut Changes);

    /// Begins a walk over all entries, for a new store. What changes meanwhile is listed as ever.
    fn begin_walk(&mut self);

    /// Takes further entries of the walk as they are now, until `into` has about `full`. Says whether it is over.
    ///
    /// What changed is to be taken behind it: then the two together name a key once.
    fn walk(&mut self, full: usize, into: &mut Changes) -> bool;

    /// Puts back a stored entry. [`Tables::loaded`] follows when all are in.
    ///
    /// # Errors
    /// When the table is unknown, or key or value cannot be decoded.
    fn load(&mut self, table: u32, key: &[u8], value: &[u8]) -> Result<(), DecodeError>;

    /// All stored entries are in: rebuilds what is derived from them.
    fn loaded(&mut self);

    /// A hash over all tables, indexes and cells.
    fn fingerprint(&self) -> Fingerprint;

    /// A second state that is as this one is after its last transaction. They share values until these change.
    #[must_use]
    fn copy(&self) -> Self;
}

/// What [`tables!`](crate::tables) needs of each of its members.
pub trait Member {
    /// The transaction stands.
    fn commit(&mut self);
    /// The transaction never was.
    fn undo(&mut self);
    /// About how much changed since the last checkpoint.
    fn changed(&self) -> Changed;
    /// Takes what changed.
    fn take_changes(&mut self, table: u32, into: &mut Changes);
    /// Begins a walk over all entries.
    fn begin_walk(&mut self);
    /// Takes further entries of the walk, until `into` has about `full`. Says whether it is over.
    fn walk(&mut self, table: u32, full: usize, into: &mut Changes) -> bool;
    /// Puts back a stored entry.
    ///
    /// # Errors
    /// When key or value cannot be decoded.
    fn load(&mut self, key: &[u8], value: &[u8]) -> Result<(), DecodeError>;
    /// Adds all entries to a hash.
    fn hash(&self, table: u32, fingerprint: &mut Fingerprint);
    /// A second one with the same entries, of which no store knows.
    #[must_use]
    fn copy(&self) -> Self;
}
