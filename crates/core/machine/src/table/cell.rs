//! A single value with undo.

use std::sync::Arc;

use super::{Change, Changed, Changes, Member};
use crate::codec::{Codec, DecodeError};
use crate::fingerprint::Fingerprint;

/// One stored value.
#[derive(Debug, Default)]
pub struct Cell<V> {
    value: V,
    undo: Option<V>,
    changed: bool,
}

impl<V: Codec + Clone + Send + Sync + 'static> Cell<V> {
    /// The value.
    pub const fn get(&self) -> &V {
        &self.value
    }

    /// Sets the value.
    pub fn set(&mut self, value: V) {
        let old = std::mem::replace(&mut self.value, value);
        self.undo.get_or_insert(old);
        self.changed = true;
    }
}

impl<V: Codec + Clone + Default + Send + Sync + 'static> Member for Cell<V> {
    fn commit(&mut self) {
        self.undo = None;
    }

    fn undo(&mut self) {
        if let Some(old) = self.undo.take() {
            self.value = old;
        }
    }

    fn changed(&self) -> Changed {
        let count = usize::from(self.changed);
        Changed { keys: count, entries: count }
    }

    fn take_changes(&mut self, table: u32, into: &mut Changes) {
        if std::mem::take(&mut self.changed) {
            into.push(Change { table, key: Box::default(), value: Some(Arc::new(self.value.clone())) });
        }
    }

    fn begin_walk(&mut self) {
        self.changed = true;
    }

    fn walk(&mut self, _table: u32, _full: usize, _into: &mut Changes) -> bool {
        true
    }

    fn load(&mut self, _key: &[u8], value: &[u8]) -> Result<(), DecodeError> {
        self.value = V::decode(value)?;
        Ok(())
    }

    fn hash(&self, table: u32, fingerprint: &mut Fingerprint) {
        // So that a cell that is declared later leaves the hashes of before as they were.
        let value = self.value.to_bytes();
        if value != V::default().to_bytes() {
            fingerprint.entry(table, &[], &value);
        }
    }

    fn copy(&self) -> Self {
        Self { value: self.value.clone(), undo: None, changed: false }
    }
}
