//! A hash of state that two runs can be compared by.

/// Sums the hashes of table entries, so that the order in which they are visited does not matter.
///
/// It is no defence against an adversary: it tells apart states that differ by accident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Adds one entry of the table with the given number.
    pub fn entry(&mut self, table: u32, key: &[u8], value: &[u8]) {
        let mut hash = mix(u64::from(table) ^ 0x9e37_79b9_7f4a_7c15);
        hash = absorb(hash, key);
        hash = absorb(hash, value);
        self.0 = self.0.wrapping_add(hash);
    }

    /// The sum so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

fn absorb(mut hash: u64, bytes: &[u8]) -> u64 {
    hash = mix(hash ^ bytes.len() as u64);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = mix(hash ^ u64::from_le_bytes(word));
    }
    hash
}

/// The finalizer of `SplitMix64`.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
