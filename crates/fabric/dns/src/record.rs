//! Records as bytes (RFC 1035, section 4.1.3; RFC 2782 for SRV).

use crate::zone::{Data, Found};

/// The class of the internet.
pub(crate) const IN: u16 = 1;

/// What was found, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is none of our domain.
    Foreign,
    /// The catalog is not read yet.
    Unknown,
    /// There is no such name, or nobody well behind it.
    Nobody,
    /// Records: those of the name without it, and others whole.
    Records { answers: Vec<Vec<u8>>, additional: Vec<Vec<u8>> },
}

impl Written {
    pub(crate) fn new(found: &Found) -> Self {
        match found {
            Found::Foreign => Self::Foreign,
            Found::Nobody => Self::Nobody,
            Found::Records { answers, additional } => {
                let answer = |found: &Data| {
                    let mut bytes = Vec::new();
                    data(&mut bytes, found);
                    bytes
                };
                let other = |(owner, found): &(String, Data)| {
                    let mut bytes = Vec::new();
                    name(&mut bytes, owner);
                    data(&mut bytes, found);
                    bytes
                };
                Self::Records {
                    answers: answers.iter().map(answer).collect(),
                    additional: additional.iter().map(other).collect(),
                }
            }
        }
    }

    /// Bytes that it takes to keep it.
    pub(crate) fn bytes(&self) -> usize {
        let Self::Records { answers, additional } = self else { return 0 };
        let list =
            |list: &[Vec<u8>]| list.iter().map(|bytes| bytes.len() + size_of::<Vec<u8>>()).sum::<usize>();
        list(answers) + list(additional)
    }
}

pub(crate) fn word(bytes: &mut Vec<u8>, word: u16) {
    bytes.extend_from_slice(&word.to_be_bytes());
}

/// A name, uncompressed. A label that is too long cannot be told, and ends it.
pub(crate) fn name(bytes: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let Ok(length @ 1..=63) = u8::try_from(label.len()) else { break };
        bytes.push(length);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
}

/// A record behind its name, whose data are written meanwhile.
pub(crate) fn record(bytes: &mut Vec<u8>, kind: u16, ttl: u32, data: impl FnOnce(&mut Vec<u8>)) {
    word(bytes, kind);
    word(bytes, IN);
    bytes.extend_from_slice(&ttl.to_be_bytes());
    let length_at = bytes.len();
    word(bytes, 0);
    data(bytes);
    let length = u16::try_from(bytes.len() - length_at - 2).unwrap_or(u16::MAX);
    bytes[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
}

/// A record that may not be kept: the next question may have another answer.
fn data(bytes: &mut Vec<u8>, data: &Data) {
    record(bytes, data.kind(), 0, |bytes| match data {
        Data::A(address) => bytes.extend_from_slice(&address.octets()),
        Data::Aaaa(address) => bytes.extend_from_slice(&address.octets()),
        Data::Cname(target) => name(bytes, target),
        Data::Srv { weight, port, target } => {
            word(bytes, 1);
            word(bytes, *weight);
            word(bytes, *port);
            name(bytes, target);
        }
        Data::Txt(text) => {
            for part in text.as_bytes().chunks(255) {
                bytes.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
                bytes.extend_from_slice(part);
            }
        }
    });
}
