//! Random bits for commands.

/// Xoshiro256++, seeded by the operating system: fast, and never the same twice.
pub(crate) struct Chance([u64; 4]);

impl Chance {
    /// A generator with a seed of 256 bits from the operating system.
    pub(crate) fn from_system() -> std::io::Result<Self> {
        let mut bytes = [0u8; 32];
        let mut filled = 0;
        while filled < bytes.len() {
            filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
        }
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        Ok(Self([word(0), word(8), word(16), word(24) | 1]))
    }

    /// Another generator, seeded by this one.
    pub(crate) fn fork(&mut self) -> Self {
        Self([self.next(), self.next(), self.next(), self.next() | 1])
    }

    /// The next 128 bits.
    pub(crate) fn bits(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }
}
