//! Packets and their replies. What was found for a name is kept until the catalog changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use coreto_catalog::Catalog;
use coreto_partition::Replica;

use crate::question::{Question, read};
use crate::record::Written;
use crate::reply::{Way, reply};
use crate::zone::{Found, Zone};

/// Bytes of records that are kept, of all names together.
const BYTES_MAX: usize = 16 << 20;

/// What replies are made of.
pub(crate) struct Book {
    zone: Zone,
    replica: Arc<Replica<Catalog>>,
    kept: Mutex<Kept>,
}

/// What was found for names, by their questions, while the replica showed a batch as its last.
#[derive(Default)]
struct Kept {
    applied: u64,
    by_question: HashMap<Vec<u8>, Arc<Written>>,
    bytes: usize,
}

impl Book {
    pub(crate) fn new(zone: Zone, replica: Arc<Replica<Catalog>>) -> Self {
        Self { zone, replica, kept: Mutex::default() }
    }

    /// The reply to a packet; nothing when it is not worth one.
    pub(crate) fn answer(&self, packet: &[u8], way: Way) -> Option<Vec<u8>> {
        let asked = read(packet)?;
        Some(reply(&asked, &self.zone, way, |question| self.find(question)))
    }

    fn find(&self, question: &Question) -> Arc<Written> {
        // What is seen below is at least as new as this.
        let applied = self.replica.applied();
        let key = question.key();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.applied != applied {
            *kept = Kept { applied, ..Kept::default() };
        }
        if let Some(found) = kept.by_question.get(&key) {
            return Arc::clone(found);
        }
        let look = |state: &_| self.zone.find(state, &question.labels(), question.kind);
        let found = self.replica.read(look).unwrap_or(Found::Nobody);
        let written = Arc::new(Written::new(&found));
        // Names that nobody has are without number.
        if let Written::Records { .. } = &*written {
            let bytes = key.len() + written.bytes();
            if kept.bytes + bytes > BYTES_MAX {
                *kept = Kept { applied, ..Kept::default() };
            }
            kept.bytes += bytes;
            kept.by_question.insert(key, Arc::clone(&written));
        }
        written
    }
}
