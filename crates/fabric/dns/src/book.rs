//! Packets and their replies. What was found for a name is kept until it changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coreto_catalog::{Catalog, State};
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

/// What was found for names, by their questions.
#[derive(Default)]
struct Kept {
    /// The last batch that the replica has shown.
    applied: u64,
    by_question: HashMap<Vec<u8>, Known>,
    bytes: usize,
}

/// What was found for a name.
#[derive(Clone)]
struct Known {
    /// The last batch that the replica showed when it was found to be so still.
    applied: u64,
    /// When what is told had changed last.
    index: u64,
    written: Arc<Written>,
}

impl Kept {
    /// What was found, as far as it may be so still while a batch is the last.
    fn get(&mut self, key: &[u8], applied: u64) -> Option<Known> {
        if self.applied > applied {
            // It is another life of the catalog.
            *self = Self::default();
        }
        self.applied = applied;
        self.by_question.get(key).cloned()
    }

    fn put(&mut self, key: Vec<u8>, known: Known) {
        self.remove(&key);
        // Names that nobody has are without number, and soon found to be so.
        if !matches!(*known.written, Written::Records(_)) {
            return;
        }
        let bytes = key.len() + known.written.bytes();
        if self.bytes + bytes > BYTES_MAX {
            *self = Self { applied: self.applied, ..Self::default() };
        }
        self.bytes += bytes;
        self.by_question.insert(key, known);
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some(before) = self.by_question.remove(key) {
            self.bytes -= key.len() + before.written.bytes();
        }
    }
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
        let known = self.kept().get(&key, applied);
        if let Some(known) = known.as_ref().filter(|known| known.applied == applied) {
            return Arc::clone(&known.written);
        }
        let Some(subject) = self.zone.subject(&question.labels()) else { return Arc::new(Written::Foreign) };
        let looked = self.replica.read(|state| {
            let index = Zone::index(state, &subject);
            match &known {
                Some(known) if known.index == index => (index, None),
                _ => (index, Some(self.zone.find(state, &subject, question.kind))),
            }
        });
        let (index, written) = match (looked, known) {
            (None, _) => return Arc::new(Written::Unknown),
            (Some((index, None)), Some(known)) => (index, known.written),
            (Some((index, found)), _) => {
                (index, Arc::new(found.as_ref().map_or(Written::Unknown, Written::new)))
            }
        };
        self.kept().put(key, Known { applied, index, written: Arc::clone(&written) });
        written
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reply to a packet that a client would get while the catalog is in a state, in the domain `consul`; for fuzzing.
pub fn reply_from(state: &State, packet: &[u8], is_tcp: bool) -> Option<Vec<u8>> {
    let zone = Zone { domain: vec!["consul".to_owned()], datacenter: "dc1".into(), address: None };
    let asked = read(packet)?;
    let way = if is_tcp { Way::Tcp } else { Way::Udp };
    let reply = reply(&asked, &zone, way, |question| {
        let found = zone.subject(&question.labels()).map(|subject| zone.find(state, &subject, question.kind));
        Arc::new(found.as_ref().map_or(Written::Foreign, Written::new))
    });
    reply.or_else(|| asked.question.as_ref().ok().map(|question| refused(&asked, question)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::HEADER;
    use crate::question::tests::packet;
    use crate::read_back::records;
    use crate::reply::TRUNCATED;
    use crate::zone::{kind, tests::state};

    const NAMES: [&str; 13] = [
        "many.service.consul",
        "web.service.consul",
        "_web._tcp.service.consul",
        "v1.2.web.service.dc1.consul",
        "far.service.consul",
        "mixed.service.consul",
        "orders.service.consul",
        "n1.node.consul",
        "0a000007.addr.dc1.consul",
        "service.consul",
        "consul",
        "no.service.consul",
        "example.org",
    ];

    #[test]
    fn any_packet_has_a_reply_that_can_be_read_and_says_what_is_missing() {
        let state = state();
        let mut seed = 7u64;
        let mut chance = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let (mut whole, mut cut, mut refused) = (0, 0, 0);
        for _ in 0..50_000 {
            let kinds = [kind::A, kind::AAAA, kind::SRV, kind::TXT, kind::SOA, kind::ANY];
            let bytes = [None, Some(0), Some(600), Some(8192)];
            let mut packet =
                packet(NAMES[chance(NAMES.len())], kinds[chance(kinds.len())], bytes[chance(bytes.len())]);
            for _ in 0..chance(6).saturating_sub(3) {
                let at = chance(packet.len());
                packet[at] ^= u8::try_from(1 + chance(255)).unwrap();
            }
            packet.truncate(packet.len() - chance(8).saturating_sub(6) * chance(20));
            let Some(reply) = reply_from(&state, &packet, false) else {
                assert!(packet.len() < HEADER || packet[2] & 0x80 != 0, "{packet:?}");
                continue;
            };
            let asked = read(&packet).unwrap();
            assert!(reply[..2] == packet[..2] && reply[2] & 0x80 != 0, "{packet:?}");
            assert!(reply.len() <= Way::Udp.bytes_max(&asked), "{packet:?}");
            let told = records(&reply);
            let Ok(question) = asked.question else {
                refused += 1;
                continue;
            };
            if reply[5] == 1 {
                assert_eq!(&reply[HEADER..HEADER + question.bytes.len()], question.bytes, "{packet:?}");
            }
            let all = records(&reply_from(&state, &packet, true).unwrap());
            let is_cut = reply[2] & TRUNCATED != 0;
            assert_eq!(is_cut, told.len() < all.len(), "{packet:?}");
            *if is_cut { &mut cut } else { &mut whole } += 1;
        }
        assert!(whole > 1000 && cut > 100 && refused > 1000, "{whole} {cut} {refused}");
    }
}
