//! Writes replies, trimmed to what the client takes.

use std::sync::Arc;

use crate::question::{Asked, HEADER, OPT, Question, Refusal, UDP_BYTES, UDP_BYTES_MAX};
use crate::record::{IN, TARGET_AT, Told, Written, data, name, word};
use crate::shuffle::shuffled;
use crate::zone::{Data, Zone, kind};

/// Any class.
const ANY_CLASS: u16 = 255;

/// How a question ends, by the numbers of the protocol.
const NO_ERROR: u8 = 0;
const FAILED: u8 = 2;
const NO_NAME: u8 = 3;
const REFUSED: u8 = 5;

/// Bits of the third byte of a header.
const REPLY: u8 = 0x80;
const OPERATION_AT: u8 = 3;
const AUTHORITATIVE: u8 = 0x04;
pub(crate) const TRUNCATED: u8 = 0x02;
pub(crate) const RECURSION_DESIRED: u8 = 0x01;

/// Bits of the fourth.
pub(crate) const RECURSION_AVAILABLE: u8 = 0x80;
pub(crate) const CHECKING_DISABLED: u8 = 0x10;

/// The upper bits of the number for a version that is not known: 16, of which the lower four are in the header.
const BAD_VERSION: u8 = 1;

/// Where the name of the question stands, as a pointer to it.
const OWNER: [u8; 2] = pointer(HEADER);

/// The last place that a pointer reaches.
const POINTER_MAX: usize = 0x3fff;

/// Points to a name that stands at a place up to [`POINTER_MAX`].
#[expect(clippy::cast_possible_truncation, reason = "a place has 14 bits")]
const fn pointer(at: usize) -> [u8; 2] {
    (0xc000 | at as u16).to_be_bytes()
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Udp,
    Tcp,
}

impl Way {
    /// Bytes of a reply that the client takes this way.
    pub(crate) fn bytes_max(self, asked: &Asked) -> usize {
        match self {
            Self::Tcp => usize::from(u16::MAX),
            Self::Udp => asked.extended.map_or(UDP_BYTES, |extended| extended.bytes),
        }
    }
}

/// Writes the reply to a packet; `find` looks its name up. Nothing, when the question is about a name of others.
pub(crate) fn reply(
    asked: &Asked,
    zone: &Zone,
    way: Way,
    find: impl Fn(&Question) -> Arc<Written>,
) -> Option<Vec<u8>> {
    let question = match &asked.question {
        Ok(question) => question,
        Err(refusal) => return Some(Writer::new(asked, *refusal as u8).end(asked, 0)),
    };
    if asked.extended.is_some_and(|extended| extended.version > 0) {
        return Some(Writer::new(asked, NO_ERROR).end(asked, BAD_VERSION));
    }
    if (question.class != IN && question.class != ANY_CLASS) || kind::is_of_no_record(question.kind) {
        return Some(refused(asked, question));
    }
    let bytes_max = way.bytes_max(asked);
    let reply = match &*find(question) {
        Written::Foreign => return None,
        Written::Unknown => failed(asked, question),
        Written::Nobody => {
            let mut writer = Writer::of_ours(asked, NO_NAME, question);
            writer.authority(zone);
            writer.end(asked, 0)
        }
        Written::Records(answers) => {
            let mut writer = Writer::of_ours(asked, NO_ERROR, question);
            if answers.is_empty() {
                writer.authority(zone);
            }
            writer.records(answers, bytes_max.saturating_sub(Writer::end_bytes(asked)));
            writer.end(asked, 0)
        }
    };
    Some(reply)
}

/// The reply to what we do not answer on principle.
pub(crate) fn refused(asked: &Asked, question: &Question) -> Vec<u8> {
    Writer::new(asked, REFUSED).with_question(question).end(asked, 0)
}

/// The reply to what cannot be answered now.
pub(crate) fn failed(asked: &Asked, question: &Question) -> Vec<u8> {
    Writer::new(asked, FAILED).with_question(question).end(asked, 0)
}

/// The reply to what others have answered with more than the client takes: it may ask again by TCP.
pub(crate) fn cut(asked: &Asked, question: &Question) -> Vec<u8> {
    let mut writer = Writer::new(asked, NO_ERROR).with_question(question);
    writer.bytes[2] |= TRUNCATED;
    writer.end(asked, 0)
}

/// The number of a refusal is that of the protocol.
const _: () = assert!(Refusal::Malformed as u8 == 1 && Refusal::NotImplemented as u8 == 4);

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A reply with this number, and nothing in it.
    fn new(asked: &Asked, code: u8) -> Self {
        let mut bytes = Vec::with_capacity(UDP_BYTES);
        bytes.extend_from_slice(&asked.id.to_be_bytes());
        bytes.push(REPLY | asked.operation << OPERATION_AT | u8::from(asked.recursion_desired));
        bytes.push(code);
        bytes.resize(HEADER, 0);
        Self { bytes }
    }

    /// The answer to a question about a name of ours, of which we are sure.
    fn of_ours(asked: &Asked, code: u8, question: &Question) -> Self {
        let mut writer = Self::new(asked, code).with_question(question);
        writer.bytes[2] |= AUTHORITATIVE;
        writer
    }

    fn with_question(mut self, question: &Question) -> Self {
        self.bytes.extend_from_slice(&question.bytes);
        self.count(4);
        self
    }

    /// Counts one more in the section whose number stands at a place of the header.
    fn count(&mut self, at: usize) {
        let count = u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]).saturating_add(1);
        self.bytes[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    /// As many of the answers as fit with the addresses beside them, in random order; when one is left out, the client is
    /// told.
    fn records(&mut self, answers: &[Told], bytes_max: usize) {
        let mut is_beside = vec![false; answers.len()];
        let (mut beside, mut beside_bytes): (Vec<(usize, &Told)>, _) = (Vec::new(), 0);
        for told in shuffled(answers.len()).into_iter().map(|number| &answers[number]) {
            let target_at = self.bytes.len() + OWNER.len() + TARGET_AT;
            let is_new = !told.beside.is_empty() && !is_beside[told.first];
            let owner = if target_at > POINTER_MAX { told.target().len() } else { OWNER.len() };
            let more = if is_new { owner + told.beside.len() } else { 0 };
            if self.bytes.len() + OWNER.len() + told.record.len() + beside_bytes + more > bytes_max {
                self.bytes[2] |= TRUNCATED;
                break;
            }
            self.bytes.extend_from_slice(&OWNER);
            self.bytes.extend_from_slice(&told.record);
            self.count(6);
            beside_bytes += more;
            if is_new {
                is_beside[told.first] = true;
                beside.push((target_at, told));
            }
        }
        for (target_at, told) in beside {
            if target_at > POINTER_MAX {
                self.bytes.extend_from_slice(told.target());
            } else {
                self.bytes.extend_from_slice(&pointer(target_at));
            }
            self.bytes.extend_from_slice(&told.beside);
            self.count(10);
        }
    }

    /// Says whose the zone is.
    fn authority(&mut self, zone: &Zone) {
        let domain = zone.name();
        name(&mut self.bytes, &domain);
        data(&mut self.bytes, &Data::Soa(domain));
        self.count(8);
    }

    /// What [`Writer::end`] adds.
    fn end_bytes(asked: &Asked) -> usize {
        if asked.extended.is_some() { 11 } else { 0 }
    }

    /// Tells a client that says what it takes what we take.
    fn end(mut self, asked: &Asked, extended_code: u8) -> Vec<u8> {
        if asked.extended.is_some() {
            self.bytes.push(0);
            word(&mut self.bytes, OPT);
            word(&mut self.bytes, u16::try_from(UDP_BYTES_MAX).unwrap_or(u16::MAX));
            self.bytes.extend_from_slice(&[extended_code, 0, 0, 0, 0, 0]);
            self.count(10);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::question::{read, tests::packet};
    use crate::zone::tests::zone;
    use crate::zone::{Answer, Found};

    fn many(count: u8) -> Written {
        let address = |last: u8| Data::A(Ipv4Addr::new(10, 0, 0, last));
        Written::new(&Found::Records((0..count).map(address).map(Answer::from).collect()))
    }

    /// The number of the reply, whether it was cut, and the counts of its sections.
    fn told(asked: &[u8], way: Way, found: &Written) -> (u8, bool, [u8; 4], usize) {
        let asked = read(asked).unwrap();
        let reply = reply(&asked, &zone(), way, |_| Arc::new(found.clone()));
        let reply = reply.unwrap_or_else(|| refused(&asked, asked.question.as_ref().unwrap()));
        let counts = [reply[5], reply[7], reply[9], reply[11]];
        (reply[3] & 0xf, reply[2] & 2 != 0, counts, reply.len())
    }

    #[test]
    fn replies_are_trimmed_to_what_the_client_takes() {
        let (plain, large) =
            (packet("web.service.consul", 1, None), packet("web.service.consul", 1, Some(4096)));
        let (code, cut, counts, length) = told(&plain, Way::Udp, &many(100));
        assert!((code, cut) == (NO_ERROR, true) && length <= UDP_BYTES && counts[1] == 29, "{counts:?}");
        assert_eq!(told(&large, Way::Udp, &many(100)), (NO_ERROR, false, [1, 100, 0, 1], 36 + 1600 + 11));
        assert_eq!(told(&plain, Way::Tcp, &many(100)).2, [1, 100, 0, 0]);
    }

    #[test]
    fn names_that_are_missing_differ_from_those_without_a_record() {
        let asked = packet("web.service.consul", 28, None);
        assert_eq!(told(&asked, Way::Udp, &many(0)).0, NO_ERROR);
        assert_eq!(told(&asked, Way::Udp, &many(0)).2, [1, 0, 1, 0], "with who knows");
        assert_eq!(told(&asked, Way::Udp, &Written::Nobody).0, NO_NAME);
        assert_eq!(told(&asked, Way::Udp, &Written::Foreign).0, REFUSED);
        assert_eq!(told(&asked[..20], Way::Udp, &Written::Nobody).0, 1);
    }

    #[test]
    fn replies_say_what_they_are_of_and_whether_we_are_sure() {
        let head = |asked: &[u8], found: &Written| {
            let asked = read(asked).unwrap();
            let reply = reply(&asked, &zone(), Way::Udp, |_| Arc::new(found.clone()));
            let reply = reply.unwrap_or_else(|| refused(&asked, asked.question.as_ref().unwrap()));
            (reply[2], reply[3], reply[5])
        };
        let asked = packet("web.service.consul", 1, None);
        assert_eq!(head(&asked, &Written::Nobody), (0x85, NO_NAME, 1));
        assert_eq!(head(&asked, &many(1)), (0x85, NO_ERROR, 1));
        assert_eq!(head(&asked, &Written::Unknown), (0x81, FAILED, 1));
        assert_eq!(head(&asked, &Written::Foreign), (0x81, REFUSED, 1));
        for kind in [0, OPT, 249, 251, 252, 254] {
            assert_eq!(head(&packet("web.service.consul", kind, None), &Written::Nobody), (0x81, REFUSED, 1));
        }
        let mut notify = asked;
        notify[2] = 4 << 3;
        assert_eq!(head(&notify, &Written::Nobody), (0x80 | 4 << 3, 4, 0));
    }

    #[test]
    fn services_come_with_their_addresses_or_not_at_all() {
        let service = |number: u16| Answer {
            data: Data::Srv {
                weight: 1,
                port: number,
                target: format!("{:08x}.addr.dc1.consul", number / 2),
            },
            beside: Some(Data::A(Ipv4Addr::from(u32::from(number / 2)))),
        };
        for (count, way, bytes, is_cut) in [
            (2000, Way::Udp, None, true),
            (2000, Way::Udp, Some(4096), true),
            (2000, Way::Udp, Some(8192), true),
            (2000, Way::Tcp, None, true),
            (8, Way::Udp, Some(1232), false),
            (900, Way::Tcp, None, false),
        ] {
            let found = Written::new(&Found::Records((0..count).map(service).collect()));
            let asked = read(&packet("_web._tcp.service.consul", 33, bytes)).unwrap();
            let reply = reply(&asked, &zone(), way, |_| Arc::new(found.clone())).unwrap();
            let bytes_max = way.bytes_max(&asked);
            assert!(reply.len() <= bytes_max && (reply.len() + 90 > bytes_max) == is_cut, "{}", reply.len());
            assert_eq!(reply[2] & TRUNCATED != 0, is_cut);
            let records = crate::read_back::records(&reply);
            let (services, addresses): (Vec<_>, Vec<_>) = records
                .into_iter()
                .filter(|record| record.kind != OPT)
                .partition(|record| record.kind == kind::SRV);
            let mut targets: Vec<_> = services.iter().map(|record| record.data[6..].to_vec()).collect();
            targets.sort();
            targets.dedup();
            let mut owners: Vec<_> = addresses.iter().map(|record| record.owner.clone()).collect();
            owners.sort();
            assert_eq!(owners, targets, "each target has its address once");
            assert!(services.len() > 6 && (services.len() == usize::from(count)) != is_cut);
        }
    }
}
