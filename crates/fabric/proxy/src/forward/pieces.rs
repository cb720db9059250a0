//! Pieces of a body that are kept in memory.

use bytes::{Bytes, BytesMut};

/// Pieces in their order. Small ones are put together: one alone would hold the whole buffer that it was read into.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    whole: Vec<Bytes>,
    /// Small ones, behind the others.
    tail: BytesMut,
}

/// A smaller piece is copied.
const SMALL_BYTES: usize = 4 << 10;
/// With so much of them small ones are a piece.
const TAIL_BYTES: usize = 16 << 10;

impl Pieces {
    pub(super) fn push(&mut self, data: &Bytes) {
        if data.len() >= SMALL_BYTES {
            self.seal();
            self.whole.push(data.clone());
            return;
        }
        self.tail.extend_from_slice(data);
        if self.tail.len() >= TAIL_BYTES {
            self.seal();
        }
    }

    /// Makes a piece of what is small.
    pub(super) fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.whole.push(std::mem::take(&mut self.tail).freeze());
        }
    }

    /// A piece by its number. What came since the last [`Pieces::seal`] may be in none.
    pub(super) fn get(&self, at: usize) -> Option<&Bytes> {
        self.whole.get(at)
    }

    /// How many there are, but for what is in none.
    pub(super) fn len(&self) -> usize {
        self.whole.len()
    }

    /// Forgets the first ones, and with the last of them what is in none. Gives how many bytes are left.
    pub(super) fn forget(&mut self, first: usize) -> usize {
        if first == self.whole.len() {
            *self = Self::default();
        }
        self.whole.drain(..first.min(self.whole.len()));
        self.whole.iter().map(Bytes::len).sum()
    }

    pub(super) fn into_vec(mut self) -> Vec<Bytes> {
        self.seal();
        self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pieces_are_few_and_all_are_in_order() {
        let mut pieces = Pieces::default();
        let mut expected = Vec::new();
        for turn in 0..60_000_u32 {
            let byte = turn.to_le_bytes()[0];
            let data = if turn % 20_000 == 7 { vec![byte; SMALL_BYTES] } else { vec![byte] };
            pieces.push(&Bytes::from(data.clone()));
            expected.extend(data);
        }
        let pieces = pieces.into_vec();
        assert!(pieces.len() < 12, "{}", pieces.len());
        assert_eq!(pieces.concat(), expected);
    }

    #[test]
    fn forgets_the_first_ones() {
        let mut pieces = Pieces::default();
        let large = |byte| Bytes::from(vec![byte; SMALL_BYTES]);
        pieces.push(&large(1));
        pieces.push(&large(2));
        assert_eq!(pieces.forget(1), SMALL_BYTES);
        assert_eq!(pieces.get(0), Some(&large(2)));
        pieces.push(&Bytes::from_static(b"small"));
        assert_eq!(pieces.forget(1), 0);
        assert_eq!(pieces.into_vec(), Vec::<Bytes>::new());
    }
}
