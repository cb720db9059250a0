//! Bytes as text (RFC 4648 §4), whole and piece by piece.

/// The text of some bytes, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let at = usize::try_from((bits >> (18 - 6 * digit)) & 0x3f).unwrap_or_default();
            text.push(if digit <= three.len() { char::from(DIGITS[at]) } else { '=' });
        }
    }
    text
}

/// Reads text that comes in pieces, cut anywhere. Padding ends a group of four, not the text: what was written by
/// several hands one behind the other is read as one.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    bits: u32,
    /// Characters of the group that has begun, and how many of them are padding.
    digits: u8,
    padding: u8,
}

/// What came is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotBase64;

impl Decoder {
    /// The bytes of all groups that are whole.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<Vec<u8>, NotBase64> {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
        for character in text {
            let value = match (character, self.padding) {
                (b'=', 0 | 1) if self.digits >= 2 => {
                    self.padding += 1;
                    0
                }
                (_, 1..) => return Err(NotBase64),
                (character, 0) => value(*character).ok_or(NotBase64)?,
            };
            self.bits = (self.bits << 6) | value;
            self.digits += 1;
            if self.digits == 4 {
                let [_, group @ ..] = self.bits.to_be_bytes();
                let (told, rest) = group.split_at(3 - usize::from(self.padding));
                if rest.iter().any(|byte| *byte != 0) {
                    // Bits that no byte has: who wrote them may mean something else.
                    return Err(NotBase64);
                }
                bytes.extend_from_slice(told);
                *self = Self::default();
            }
        }
        Ok(bytes)
    }

    /// Whether no group has begun.
    pub(crate) fn is_whole(&self) -> bool {
        self.digits == 0
    }
}

fn value(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff, 0xfe], "+//+"),
        ] {
            assert_eq!(encode(bytes), text);
            let mut decoder = Decoder::default();
            let pieces = text.as_bytes().chunks(1).map(|piece| decoder.read(piece).expect("it is base64"));
            assert_eq!(pieces.flatten().collect::<Vec<u8>>(), bytes);
            assert!(decoder.is_whole());
        }
    }

    #[test]
    fn reads_what_was_padded_piece_by_piece() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.read(b"Zg==Zm8=Zm9vZg="), Ok(b"ffofoo".to_vec()));
        assert!(!decoder.is_whole());
        assert_eq!(decoder.read(b"="), Ok(b"f".to_vec()));
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["Z===", "====", "=", "Zg=g", "Zg=\n", "Zm9-", "Zm9_", "Z g=", "Zh==", "Zm9=", "Zg==="] {
            assert_eq!(Decoder::default().read(text.as_bytes()), Err(NotBase64), "{text}");
        }
    }
}
