//! A store in memory, for the simulator: what it has not kept in time is lost with a crash.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use coreto_machine::table::Change;

use super::{Store, StoreError, Visit};

/// A store in memory. Clones share what was written, as processes share a disk.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    applied: Option<u64>,
    /// What was written last was not the end.
    unfinished: bool,
    entries: BTreeMap<(u32, Box<[u8]>), Vec<u8>>,
    /// Checkpoints that a crash may still take back, oldest first.
    unkept: Vec<(Option<u64>, Vec<Encoded>)>,
    failing: bool,
}

/// A change with its value encoded.
type Encoded = (u32, Box<[u8]>, Option<Vec<u8>>);

impl MemoryStore {
    /// Loses the newest `lost` checkpoints that are not kept yet.
    pub fn crash(&self, lost: usize) {
        let mut shared = self.lock();
        let kept = shared.unkept.len().saturating_sub(lost);
        shared.unkept.truncate(kept);
        shared.keep();
    }

    /// Fails every write from now on, or no longer.
    pub fn fail(&self, failing: bool) {
        self.lock().failing = failing;
    }

    /// Damages the first entry whose value is long enough; says whether there was one.
    pub fn damage(&self) -> bool {
        let mut shared = self.lock();
        shared.keep();
        let long = shared.entries.values_mut().find(|value| value.len() > 2);
        long.is_some_and(|value| {
            value.truncate(1);
            value[0] = 0xff;
            true
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn keep(&mut self) {
        for (applied, changes) in std::mem::take(&mut self.unkept) {
            self.applied = applied;
            self.unfinished = applied.is_none();
            for (table, key, value) in changes {
                match value {
                    Some(value) => drop(self.entries.insert((table, key), value)),
                    None => drop(self.entries.remove(&(table, key))),
                }
            }
        }
    }
}

impl Store for MemoryStore {
    fn applied(&self) -> Result<Option<u64>, StoreError> {
        let mut shared = self.lock();
        shared.keep();
        if shared.unfinished { Err(StoreError::Unfinished) } else { Ok(shared.applied) }
    }

    fn load(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut shared = self.lock();
        shared.keep();
        shared.entries.iter().try_for_each(|((table, key), value)| visit(*table, key, value))
    }

    fn write(&mut self, applied: Option<u64>, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut shared = self.lock();
        if shared.failing {
            return Err(StoreError::Io(std::io::Error::other("the simulated store fails")));
        }
        let changes = changes
            .into_iter()
            .map(|change| {
                let value = change.value.map(|value| {
                    let mut out = Vec::new();
                    value.store(&mut out);
                    out
                });
                (change.table, change.key, value)
            })
            .collect();
        shared.unkept.push((applied, changes));
        Ok(())
    }

    fn discard(&mut self) -> Result<(), StoreError> {
        let mut shared = self.lock();
        *shared = Shared { failing: shared.failing, ..Shared::default() };
        Ok(())
    }
}
