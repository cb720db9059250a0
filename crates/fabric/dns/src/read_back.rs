//! Reads replies, for tests.

use crate::question::HEADER;

/// A record of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its name without pointers.
    pub(crate) owner: Vec<u8>,
    pub(crate) kind: u16,
    pub(crate) data: Vec<u8>,
}

/// All records of a reply, which is to be whole.
pub(crate) fn records(reply: &[u8]) -> Vec<Record> {
    let word = |at: usize| usize::from(u16::from_be_bytes([reply[at], reply[at + 1]]));
    let mut at = HEADER;
    for _ in 0..word(4) {
        at = name(reply, at).1 + 4;
    }
    let count = word(6) + word(8) + word(10);
    let record = |_| {
        let (owner, behind) = name(reply, at);
        let (kind, length) = (u16::try_from(word(behind)).unwrap(), word(behind + 8));
        at = behind + 10 + length;
        Record { owner, kind, data: reply[behind + 10..at].to_vec() }
    };
    let records = (0..count).map(record).collect();
    assert_eq!(at, reply.len(), "nothing is behind the last record");
    records
}

/// A name that begins at a place, and where it ends there.
fn name(reply: &[u8], mut at: usize) -> (Vec<u8>, usize) {
    let (mut name, mut end) = (Vec::new(), None);
    for _ in 0..128 {
        let length = usize::from(reply[at]);
        if length >= 0xc0 {
            end.get_or_insert(at + 2);
            at = (length & 0x3f) << 8 | usize::from(reply[at + 1]);
            continue;
        }
        assert!(length < 64, "a label has a length");
        name.extend_from_slice(&reply[at..=at + length]);
        at += 1 + length;
        if length == 0 {
            return (name, end.unwrap_or(at));
        }
    }
    panic!("a name does not end");
}
