//! Where checkpoints go: the tables on disk, behind the log.
//!
//! A store is never the only copy: it is found to be at some sequence, and the log holds the rest. One that is
//! ahead of the log, damaged, or that ever failed to write is discarded and rebuilt from a snapshot and the log.

mod fjall;
mod memory;
mod snapshot;

use std::io;
use std::path::PathBuf;

use coreto_machine::DecodeError;
use coreto_machine::table::Change;

use crate::partition::LEDGER_BIT;

pub use fjall::FjallStore;
pub use memory::MemoryStore;
pub use snapshot::{read_snapshot, write_snapshot};

/// Why a store cannot be used. It is then discarded.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The embedded store reports an error.
    #[error("the store in `{path}` failed while {doing}")]
    Embedded {
        /// Its directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What it reports.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An entry is not what this program writes.
    #[error("the store holds an entry that cannot be read: {reason}")]
    Entry {
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a newer program.
    #[error("store format {found} is newer than this program reads ({known})")]
    Newer {
        /// The format found.
        found: u64,
        /// The newest one that this program knows.
        known: u64,
    },
    /// It was being filled when it was closed.
    #[error("the store was not filled to the end")]
    Unfinished,
    /// A file cannot be read or written.
    #[error("cannot access the store's files")]
    Io(#[source] io::Error),
}

impl StoreError {
    /// An entry of a table, be it the machine's or the partition's, is not what this program writes.
    pub(crate) fn of_entry(table: u32, error: &DecodeError) -> Self {
        Self::Entry { reason: format!("table {}: {error}", table & !LEDGER_BIT) }
    }
}

/// One stored entry: table, key, value.
pub type Visit<'a> = &'a mut dyn FnMut(u32, &[u8], &[u8]) -> Result<(), StoreError>;

/// The tables of one partition on disk.
pub trait Store: Send {
    /// The sequence of the last batch whose changes it holds; `None` when it is empty.
    ///
    /// # Errors
    /// When it cannot be read, or was not filled to the end.
    fn applied(&self) -> Result<Option<u64>, StoreError>;

    /// Visits every entry, in the order of tables and keys.
    ///
    /// # Errors
    /// When it cannot be read, or the visitor fails.
    fn load(&self, visit: Visit<'_>) -> Result<(), StoreError>;

    /// Writes changes and the sequence up to which they go, all or nothing; without a sequence when the store lacks
    /// others still, and is of no use until it gets them.
    ///
    /// # Errors
    /// When they may not have been written. The store must be discarded then.
    fn write(&mut self, applied: Option<u64>, changes: Vec<Change>) -> Result<(), StoreError>;

    /// Empties the store.
    ///
    /// # Errors
    /// When its files cannot be removed or made anew.
    fn discard(&mut self) -> Result<(), StoreError>;
}

/// The format of table values and keys that this program writes.
pub(crate) const FORMAT: u64 = 1;

/// The pseudo table for what the store knows of itself.
pub(crate) const META_TABLE: u32 = u32::MAX;
