//! The one list of keys.
//!
//! A key is 64 bits wide: the partition in the upper 13, a counter of that partition in the lower 51, as
//! Zeebe's clients and tools decode it. On the log the two halves change places, so that young partitions
//! write short numbers.

use std::fmt;

use coreto_machine::codec::{Field, Reader, Wire};
use coreto_machine::{Codec, DecodeError, table};

/// Bits of a key that count within a partition.
const COUNTER_BITS: u32 = 51;

/// The partition that issued a key.
pub const fn partition_of(raw: u64) -> u32 {
    (raw >> COUNTER_BITS) as u32
}

/// The partition, of so many, that would know a key. One of a partition that there is not is unknown everywhere, so any
/// may say so.
pub fn partition_of_key(raw: u64, partitions: u32) -> u32 {
    let partition = partition_of(raw);
    if (1..=partitions).contains(&partition) { partition } else { 1 }
}

/// The partition, of so many, to which a text such as a correlation key belongs: the polynomial over its bytes, signed,
/// with the factor 31, in 32 bits (contract: gateway protocol, keys).
pub fn partition_of_text(text: &str, partitions: u32) -> u32 {
    let sum = |hash: i32, byte: &u8| hash.wrapping_mul(31).wrapping_add(i32::from(byte.cast_signed()));
    let hash = i64::from(text.as_bytes().iter().fold(0, sum));
    let index = hash % i64::from(partitions.max(1));
    u32::try_from(index.unsigned_abs()).expect("below the number of partitions") + 1
}

/// What all keys have in common.
pub trait Key: Copy + Ord + fmt::Display {
    /// The key as a number; only edges use it.
    fn raw(self) -> u64;
    /// The key with this number; only edges use it.
    fn from_raw(raw: u64) -> Self;
    /// The key that a partition issues for a number of its counter.
    fn issue(partition: u32, counter: u64) -> Self {
        Self::from_raw((u64::from(partition) << COUNTER_BITS) | counter)
    }
    /// Whether the key was never given; the wire's −1.
    fn is_unset(self) -> bool {
        self.raw() == 0
    }
}

macro_rules! keys {
    ($( $(#[$meta:meta])* $name:ident ),* $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl Key for $name {
            fn raw(self) -> u64 {
                self.0
            }
            fn from_raw(raw: u64) -> Self {
                Self(raw)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl Field for $name {
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                self.0.rotate_left(64 - COUNTER_BITS).write(number, out);
            }
            fn read(
                &mut self,
                number: u32,
                wire: Wire,
                reader: &mut Reader<'_>,
            ) -> Result<(), DecodeError> {
                let mut turned = 0u64;
                turned.read(number, wire, reader)?;
                self.0 = turned.rotate_right(64 - COUNTER_BITS);
                Ok(())
            }
        }

        impl Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                u64::decode(bytes).map(Self)
            }
        }

        impl table::Key for $name {
            fn encode_key(&self, out: &mut Vec<u8>) {
                table::Key::encode_key(&self.0, out);
            }
            fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
                <u64 as table::Key>::decode_key(bytes).map(Self)
            }
        }
    )*};
}

keys! {
    /// One request that deployed resources.
    DeploymentKey,
    /// One version of a process.
    ProcessDefinitionKey,
    /// One running copy of a process definition; also the element instance key of its root.
    ProcessInstanceKey,
    /// One visit of one BPMN element inside a process instance.
    ElementInstanceKey,
    /// One token that passed a sequence flow.
    FlowKey,
    /// One unit of work offered to job workers.
    JobKey,
    /// One variable in one scope.
    VariableKey,
    /// One reason why an element instance cannot go on.
    IncidentKey,
    /// One timer that waits.
    TimerKey,
    /// One message.
    MessageKey,
    /// One broadcast of a signal.
    SignalKey,
    /// One thing that waits for messages or signals.
    SubscriptionKey,
    /// One version of a decision.
    DecisionKey,
    /// One version of a decision requirements graph: all decisions of one DMN file.
    DecisionRequirementsKey,
}

impl From<ProcessInstanceKey> for ElementInstanceKey {
    /// The root element instance has the key of its process instance.
    fn from(key: ProcessInstanceKey) -> Self {
        Self(key.0)
    }
}

/// An element's place in its process definition; 0 is the process itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementNumber(pub u32);

impl ElementNumber {
    /// The process itself.
    pub const PROCESS: Self = Self(0);
}

impl Field for ElementNumber {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.0.write(number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.0.read(number, wire, reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_key_of_the_first_partition_is_that_of_the_protocol() {
        let key = JobKey::issue(1, 1);
        assert_eq!(key.raw(), 2_251_799_813_685_249);
        assert_eq!(partition_of(key.raw()), 1);
    }

    #[test]
    fn keys_of_no_partition_belong_to_the_first() {
        let of = |partition: u64| partition_of_key(partition << COUNTER_BITS | 7, 3);
        assert_eq!([of(0), of(1), of(3), of(4)], [1, 1, 3, 1]);
    }

    #[test]
    fn texts_belong_to_partitions_as_the_protocol_says() {
        let cases = [("", 1), ("a", 2), ("Aa", 1), ("BB", 1)];
        for (text, partition) in cases {
            assert_eq!(partition_of_text(text, 3), partition, "{text}");
        }
        assert_eq!(partition_of_text("order-4711", 1), 1);
        // 'é' is the two bytes −61 and −87, which sum up to −1978.
        assert_eq!(partition_of_text("é", 5), 4);
    }

    #[test]
    fn young_keys_are_short_on_the_log() {
        let mut out = Vec::new();
        JobKey::issue(1, 1).write(1, &mut out);
        assert_eq!(out.len(), 3);
        let mut reader = Reader::new(&out);
        let (number, wire) = reader.field().unwrap().unwrap();
        let mut back = JobKey::default();
        back.read(number, wire, &mut reader).unwrap();
        assert_eq!(back, JobKey::issue(1, 1));
    }
}
