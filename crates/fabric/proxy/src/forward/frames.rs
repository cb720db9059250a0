//! The frames of a WebSocket as they pass in one direction (RFC 6455 §5.2).

/// Follows them, so that one of ours can be put between two of theirs.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The bytes that have come of a frame's head.
    head: [u8; HEAD_BYTES_MAX],
    known: usize,
    /// What is still to come of a payload.
    left: u64,
    /// Whether the one that closes has passed: nothing follows it.
    closed: bool,
}

/// Two bytes, a length of eight, a mask of four.
const HEAD_BYTES_MAX: usize = 14;
const CLOSE: u8 = 8;

/// Says that we go away (§7.4.1), to a client and, masked as clients do, to a service.
pub(super) const GOODBYE: &[u8] = &[0x88, 2, 0x03, 0xe9];
pub(super) const MASKED_GOODBYE: &[u8] = &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9];

impl Frames {
    /// Takes in what passes.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        // Bound: each turn takes a byte of a head, or what there is of a payload.
        while let [first, rest @ ..] = bytes {
            if self.left > 0 {
                let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= taken as u64;
                bytes = &bytes[taken..];
                continue;
            }
            self.head[self.known] = *first;
            self.known += 1;
            bytes = rest;
            if let Some(length) = self.length() {
                self.closed |= self.head[0] & 0x0f == CLOSE;
                (self.known, self.left) = (0, length);
            }
        }
    }

    /// The length of the payload, once the head is whole.
    fn length(&self) -> Option<u64> {
        let [_, second, rest @ ..] = &self.head;
        let size = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        if self.known < 2 || self.known < 2 + size + mask {
            return None;
        }
        let long = rest[..size].iter().fold(0, |length, byte| (length << 8) | u64::from(*byte));
        Some(if size == 0 { u64::from(second & 0x7f) } else { long })
    }

    /// Whether a frame may be put here.
    pub(super) fn may_end(&self) -> bool {
        self.known == 0 && self.left == 0 && !self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_a_frame_ends() {
        let long = |head: &[u8], length: usize| [head, &vec![7; length]].concat();
        let frames = [
            vec![0x81, 0],
            vec![0x81, 3, 1, 2, 3],
            long(&[0x02, 0x83, 9, 9, 9, 9], 3),
            long(&[0x80, 126, 1, 0], 256),
            long(&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 9, 9, 9, 9], 65_536),
            vec![0x89, 0x80, 9, 9, 9, 9],
        ];
        for pieces in [1, 3, 70_000] {
            let mut passed = Frames::default();
            for frame in &frames {
                for (at, piece) in frame.chunks(pieces).enumerate() {
                    passed.pass(piece);
                    let last = (at + 1) * pieces >= frame.len();
                    assert_eq!(passed.may_end(), last, "{:?} {at}", &frame[..2]);
                }
            }
            passed.pass(GOODBYE);
            assert!(!passed.may_end(), "nothing follows the end");
        }
    }
}
