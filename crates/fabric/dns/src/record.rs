//! Records as bytes (RFC 1035, section 4.1.3; RFC 2782 for SRV).

use std::collections::HashMap;

use crate::zone::{Answer, Data, Found};

/// The class of the internet.
pub(crate) const IN: u16 = 1;

/// What was found, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is none of our domain.
    Foreign,
    /// There is no such name, or nobody well behind it.
    Nobody,
    /// What there is cannot be known now.
    Unknown,
    Records(Vec<Told>),
}

/// A record, and the address of the name that it leads to; both without the names of which they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) record: Vec<u8>,
    /// Empty, when there is none.
    pub(crate) beside: Vec<u8>,
    /// The number of the first record that leads to the same name.
    pub(crate) first: usize,
}

/// Where the name begins to which a service leads: behind the type, the class, the TTL and the length, and three numbers.
pub(crate) const TARGET_AT: usize = 16;

impl Told {
    /// The name of what stands beside.
    pub(crate) fn target(&self) -> &[u8] {
        self.record.get(TARGET_AT..).unwrap_or_default()
    }
}

impl Written {
    pub(crate) fn new(found: &Found) -> Self {
        let Found::Records(answers) = found else { return Self::Nobody };
        let mut firsts: HashMap<Vec<u8>, usize> = HashMap::new();
        let told = |(number, answer): (usize, &Answer)| {
            let [mut record, mut beside] = [Vec::new(), Vec::new()];
            data(&mut record, &answer.data);
            let mut told = Told { record, beside: Vec::new(), first: number };
            if let Some(address) = &answer.beside {
                data(&mut beside, address);
                told.beside = beside;
                told.first = *firsts.entry(told.target().to_vec()).or_insert(number);
            }
            told
        };
        Self::Records(answers.iter().enumerate().map(told).collect())
    }

    /// Bytes that it takes to keep it.
    pub(crate) fn bytes(&self) -> usize {
        let Self::Records(answers) = self else { return 0 };
        answers.iter().map(|told| told.record.len() + told.beside.len() + size_of::<Told>()).sum()
    }
}

pub(crate) fn word(bytes: &mut Vec<u8>, word: u16) {
    bytes.extend_from_slice(&word.to_be_bytes());
}

/// A name, uncompressed. Who asks for it has seen that each label can be told.
pub(crate) fn name(bytes: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let Ok(length @ 1..=63) = u8::try_from(label.len()) else { break };
        bytes.push(length);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
}

/// The same, with what it says written meanwhile.
fn record(bytes: &mut Vec<u8>, kind: u16, data: impl FnOnce(&mut Vec<u8>)) {
    word(bytes, kind);
    word(bytes, IN);
    bytes.extend_from_slice(&[0; 4]);
    let length_at = bytes.len();
    word(bytes, 0);
    data(bytes);
    let length = u16::try_from(bytes.len() - length_at - 2).unwrap_or(u16::MAX);
    bytes[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
}

/// A record behind its name that may not be kept: the next question may have another answer.
pub(crate) fn data(bytes: &mut Vec<u8>, data: &Data) {
    record(bytes, data.kind(), |bytes| match data {
        Data::A(address) => bytes.extend_from_slice(&address.octets()),
        Data::Aaaa(address) => bytes.extend_from_slice(&address.octets()),
        Data::Cname(target) | Data::Ns(target) => name(bytes, target),
        Data::Soa(domain) => authority(bytes, domain),
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

/// Seconds for which a client may think that there is no such name.
const MISSING_TTL: u32 = 0;

/// Who speaks for a domain, and how long a missing name of it may be taken for missing.
fn authority(bytes: &mut Vec<u8>, domain: &str) {
    name(bytes, &format!("ns.{domain}"));
    name(bytes, &format!("hostmaster.{domain}"));
    for number in [1, 3600, 600, 86_400, MISSING_TTL] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
}
