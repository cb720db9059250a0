//! The Huffman code of HPACK (RFC 7541, appendix B), decoding only: we never send it.

/// Bits of each symbol's code; 256 is the end of the text. The code is canonical, so the lengths are all of it.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

const BITS_MAX: usize = 30;
const END: u16 = 256;

/// For each length the first code and the place of its symbol in the order of codes.
pub(super) struct Huffman {
    symbols: Vec<u16>,
    first_code: [u32; BITS_MAX + 1],
    first_place: [usize; BITS_MAX + 1],
    count: [u32; BITS_MAX + 1],
}

impl Huffman {
    pub(super) fn new() -> Self {
        let mut symbols: Vec<u16> = (0..=END).collect();
        symbols.sort_by_key(|symbol| (LENGTHS[usize::from(*symbol)], *symbol));
        let mut count = [0; BITS_MAX + 1];
        for bits in LENGTHS {
            count[usize::from(bits)] += 1;
        }
        let (mut first_code, mut first_place) = ([0; BITS_MAX + 1], [0; BITS_MAX + 1]);
        let (mut code, mut place) = (0, 0);
        for bits in 1..=BITS_MAX {
            code <<= 1;
            (first_code[bits], first_place[bits]) = (code, place);
            code += count[bits];
            place += count[bits] as usize;
        }
        Self { symbols, first_code, first_place, count }
    }

    /// The text, or `None` if these bytes are no such code.
    pub(super) fn decode(&self, coded: &[u8]) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(coded.len() * 8 / 5);
        let (mut code, mut bits) = (0u32, 0usize);
        for byte in coded {
            for place in (0..8).rev() {
                code = code << 1 | u32::from(byte >> place & 1);
                bits += 1;
                if bits > BITS_MAX {
                    return None;
                }
                let at = code.wrapping_sub(self.first_code[bits]);
                if code >= self.first_code[bits] && at < self.count[bits] {
                    let symbol = self.symbols[self.first_place[bits] + at as usize];
                    // The end of the text never appears inside it.
                    text.push(u8::try_from(symbol).ok()?);
                    (code, bits) = (0, 0);
                }
            }
        }
        // What is left must be ones, fewer than a byte of them.
        (bits < 8 && code == (1 << bits) - 1).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_the_examples_of_the_rfc() {
        let huffman = Huffman::new();
        let coded = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(huffman.decode(&coded).unwrap(), b"www.example.com");
        assert_eq!(huffman.decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).unwrap(), b"no-cache");
        assert_eq!(huffman.decode(&[]).unwrap(), b"");
        assert_eq!(huffman.decode(&[0xff, 0xff, 0xff, 0xff]), None);
    }
}
