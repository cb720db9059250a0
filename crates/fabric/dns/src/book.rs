//! Packets and their replies. What was found for a name is kept until the catalog changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use coreto_catalog::Catalog;
use coreto_partition::Replica;

use crate::question::{Asked, Question, read};
use crate::record::Written;
use crate::reply::{RECURSION_AVAILABLE, Way, refused, reply};
use crate::zone::Zone;

/// Bytes of records that are kept, of all names together.
const BYTES_MAX: usize = 16 << 20;

/// What replies are made of.
pub(crate) struct Book {
    zone: Zone,
    /// Whether names of others are asked of others.
    forwards: bool,
    replica: Arc<Replica<Catalog>>,
    kept: Mutex<Kept>,
}

/// What becomes of a packet.
pub(crate) enum Outcome {
    /// This is sent back.
    Reply(Vec<u8>),
    /// Others are asked.
    Forward(Asked, Question),
}

/// What was found for names, by their questions, while the replica showed a batch as its last.
#[derive(Default)]
struct Kept {
    applied: u64,
    by_question: HashMap<Vec<u8>, Arc<Written>>,
    bytes: usize,
}

impl Book {
    pub(crate) fn new(zone: Zone, forwards: bool, replica: Arc<Replica<Catalog>>) -> Self {
        Self { zone, forwards, replica, kept: Mutex::default() }
    }

    /// What becomes of a packet; nothing when it is not worth a reply.
    pub(crate) fn answer(&self, packet: &[u8], way: Way) -> Option<Outcome> {
        let asked = read(packet)?;
        let reply = reply(&asked, &self.zone, way, |question| self.find(question));
        let mut reply = match (reply, &asked.question) {
            (Some(reply), _) => reply,
            (None, Ok(question)) if self.forwards && asked.recursion_desired => {
                let question = question.clone();
                return Some(Outcome::Forward(asked, question));
            }
            (None, Ok(question)) => refused(&asked, question),
            (None, Err(_)) => return None,
        };
        if self.forwards {
            reply[3] |= RECURSION_AVAILABLE;
        }
        Some(Outcome::Reply(reply))
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
        let labels = question.labels();
        if !self.zone.has(&labels) {
            return Arc::new(Written::Foreign);
        }
        let look = |state: &_| self.zone.find(state, &labels, question.kind);
        let found = self.replica.read(look);
        let written = Arc::new(found.as_ref().map_or(Written::Unknown, Written::new));
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
