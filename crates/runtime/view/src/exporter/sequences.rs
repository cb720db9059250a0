//! The `sequence` of records: a number per value type, for readers that page by it.

use coreto_record::protocol::ValueType;

/// The last number that each value type was given. Kept with the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sequences(Vec<(u32, u64)>);

impl Sequences {
    /// The next number of a value type, from 1.
    pub(super) fn next(&mut self, value_type: ValueType) -> u64 {
        let number = value_type as u32;
        if let Some((_, count)) = self.0.iter_mut().find(|(other, _)| *other == number) {
            *count += 1;
            return *count;
        }
        self.0.push((number, 1));
        1
    }

    /// Takes over the numbers of another, into memory that is there already.
    pub(super) fn copy(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }

    /// Pairs of twelve bytes: value type (4) and count (8), little endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|(number, count)| number.to_le_bytes().into_iter().chain(count.to_le_bytes()))
            .collect()
    }

    /// Reads what [`encode`](Self::encode) wrote. A rest that is no pair is passed over.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let (pairs, _) = bytes.as_chunks::<12>();
        let pair = |pair: &[u8; 12]| {
            let number = u32::from_le_bytes(pair[..4].try_into().expect("four bytes"));
            (number, u64::from_le_bytes(pair[4..].try_into().expect("eight bytes")))
        };
        Self(pairs.iter().map(pair).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_type_and_survives_the_cursor() {
        let mut sequences = Sequences::default();
        assert_eq!(sequences.next(ValueType::Job), 1);
        assert_eq!(sequences.next(ValueType::Job), 2);
        assert_eq!(sequences.next(ValueType::Variable), 1);
        let mut read = Sequences::decode(&sequences.encode());
        assert_eq!(read, sequences);
        assert_eq!(read.next(ValueType::Job), 3);
    }
}
