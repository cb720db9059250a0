//! Packets and their replies. What was found for a name is kept until the catalog changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use coreto_catalog::Catalog;
use coreto_partition::Replica;

use crate::question::{Question, read};
use crate::reply::{Way, reply};
use crate::zone::{Found, Zone};

/// Records that are kept, of all names together.
const RECORDS_MAX: usize = 1 << 16;

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
    by_question: HashMap<Vec<u8>, Arc<Found>>,
    records: usize,
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

    fn find(&self, question: &Question) -> Arc<Found> {
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
        let found = Arc::new(self.replica.read(look).unwrap_or(Found::Nobody));
        // Names that nobody has are without number.
        if let Found::Records { answers, additional } = &*found {
            let records = answers.len() + additional.len() + 1;
            if kept.records + records > RECORDS_MAX {
                *kept = Kept { applied, ..Kept::default() };
            }
            kept.records += records;
            kept.by_question.insert(key, Arc::clone(&found));
        }
        found
    }
}
