//! The store on disk: fjall, an embedded log-structured merge tree.

mod manifest;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use coreto_machine::table::Change;
use fjall::config::FilterPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use super::{FORMAT, META_TABLE, Store, StoreError, Visit};
use crate::partition::said;
use crate::priority::let_go_last;

/// Memory for blocks read; a store is read once, at the start, from end to end.
const CACHE_BYTES: u64 = 4 << 20;

/// Memory for what is written before it goes into a file of its own.
const MEMTABLE_BYTES: u64 = 8 << 20;

/// Files of the write-ahead journal; the least that fjall takes.
const JOURNAL_BYTES: u64 = 64 << 20;

/// A store in a directory of its own.
pub struct FjallStore {
    path: PathBuf,
    open: Option<Open>,
}

struct Open {
    database: Database,
    entries: Keyspace,
}

impl FjallStore {
    /// Opens the store in `path`, or makes an empty one.
    ///
    /// # Errors
    /// When the directory cannot be opened, is damaged, or was written by a newer program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut store = Self { path: path.to_owned(), open: None };
        manifest::check(path)?;
        store.open = Some(store.connect()?);
        if let Some(found) = store.guard("reading what it knows of itself", || store.meta("format"))?
            && found > FORMAT
        {
            return Err(StoreError::Newer { found, known: FORMAT });
        }
        Ok(store)
    }

    /// A store in `path` that is emptied before it is used.
    ///
    /// # Errors
    /// When the directory cannot be removed or made anew.
    pub fn empty(path: &Path) -> Result<Self, StoreError> {
        let mut store = Self { path: path.to_owned(), open: None };
        store.discard()?;
        Ok(store)
    }

    fn connect(&self) -> Result<Open, StoreError> {
        let builder = Database::builder(&self.path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1);
        let database = self.guard("opening it", || builder.open().map_err(self.failed("opening it")))?;
        // They write files anew, for which nobody waits.
        let_go_last("fjall");
        // Nothing is looked up by key, so filters would only take memory.
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(MEMTABLE_BYTES)
                .filter_policy(FilterPolicy::disabled())
        };
        let doing = "opening its tables";
        let entries =
            self.guard(doing, || database.keyspace("tables", options).map_err(self.failed(doing)))?;
        Ok(Open { database, entries })
    }

    fn failed<E: std::error::Error + Send + Sync + 'static>(
        &self,
        doing: &'static str,
    ) -> impl FnOnce(E) -> StoreError {
        let path = self.path.clone();
        move |source| StoreError::Embedded { path, doing, source: Box::new(source) }
    }

    /// Makes an error of a panic: files that are damaged in some ways break assumptions of the store.
    fn guard<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // What the panic leaves behind is not used again: the store is discarded after any error.
        catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(self.failed(doing)(Panicked(said(&*panic)))))
    }

    fn opened(&self) -> Result<&Open, StoreError> {
        self.open.as_ref().ok_or_else(|| StoreError::Entry { reason: "the store is closed".to_owned() })
    }

    fn visit_all(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        for entry in self.opened()?.entries.iter() {
            let (key, value) = entry.into_inner().map_err(self.failed("reading an entry"))?;
            let (table, key) = key.split_first_chunk::<4>().ok_or_else(|| StoreError::Entry {
                reason: "a key is shorter than a table's number".to_owned(),
            })?;
            let table = u32::from_be_bytes(*table);
            if table != META_TABLE {
                visit(table, key, &value)?;
            }
        }
        Ok(())
    }

    fn write_all(&self, applied: Option<u64>, changes: Vec<Change>) -> Result<(), StoreError> {
        let open = self.opened()?;
        let mut batch = open.database.batch();
        let mut key = Vec::new();
        let mut value = Vec::new();
        for change in changes {
            key.clear();
            key.extend_from_slice(&change.table.to_be_bytes());
            key.extend_from_slice(&change.key);
            match change.value {
                Some(stored) => {
                    value.clear();
                    stored.store(&mut value);
                    batch.insert(&open.entries, key.as_slice(), value.as_slice());
                }
                None => batch.remove(&open.entries, key.as_slice()),
            }
        }
        batch.insert(&open.entries, meta_key("format"), FORMAT.to_be_bytes());
        if let Some(applied) = applied {
            batch.insert(&open.entries, meta_key("applied"), applied.to_be_bytes());
            batch.remove(&open.entries, meta_key("unfinished"));
        } else {
            batch.insert(&open.entries, meta_key("unfinished"), 1u64.to_be_bytes());
        }
        batch.commit().map_err(self.failed("writing a checkpoint"))
    }

    fn meta(&self, name: &str) -> Result<Option<u64>, StoreError> {
        let value = self
            .opened()?
            .entries
            .get(meta_key(name))
            .map_err(self.failed("reading what it knows of itself"))?;
        value
            .map(|value| {
                let bytes: [u8; 8] = value.as_ref().try_into().map_err(|_| StoreError::Entry {
                    reason: format!("`{name}` takes {} bytes instead of 8", value.len()),
                })?;
                Ok(u64::from_be_bytes(bytes))
            })
            .transpose()
    }
}

/// What a panic of the store said.
#[derive(Debug, thiserror::Error)]
#[error("it panicked: {0}")]
struct Panicked(String);

fn meta_key(name: &str) -> Vec<u8> {
    [&META_TABLE.to_be_bytes(), name.as_bytes()].concat()
}

impl Store for FjallStore {
    fn applied(&self) -> Result<Option<u64>, StoreError> {
        self.guard("reading what it knows of itself", || match self.meta("unfinished")? {
            Some(_) => Err(StoreError::Unfinished),
            None => self.meta("applied"),
        })
    }

    fn load(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        self.guard("reading its entries", || self.visit_all(visit))
    }

    fn write(&mut self, applied: Option<u64>, changes: Vec<Change>) -> Result<(), StoreError> {
        self.guard("writing a checkpoint", || self.write_all(applied, changes))
    }

    fn discard(&mut self) -> Result<(), StoreError> {
        self.open = None;
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::Io(error)),
            _ => (),
        }
        self.open = Some(self.connect()?);
        Ok(())
    }
}
