//! Powers of ten, digit counts, and products of 256 bits.

const POWERS: [i128; 39] = {
    let mut powers = [1i128; 39];
    let mut at = 1;
    while at < 39 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// 10^exponent for an exponent below 39.
pub(super) const fn power_of_ten(exponent: u32) -> i128 {
    POWERS[exponent as usize]
}

/// 10^exponent if it fits in an i128.
pub(super) fn power_of_ten_checked(exponent: u32) -> Option<i128> {
    POWERS.get(exponent as usize).copied()
}

/// How many decimal digits a number has; one for zero.
pub(super) fn digits(number: u128) -> u32 {
    // A bit is worth log 2 ≈ 1233/4096 digits, so the guess is right or one too low.
    let guess = ((u128::BITS - number.leading_zeros()) * 1233) >> 12;
    let more = number >= POWERS[guess as usize].unsigned_abs();
    (guess + u32::from(more)).max(1)
}

/// Drops zeros at the end of a number, but not more than so many; gives the rest and how many were dropped.
pub(super) fn without_zeros(number: i128, most: u32) -> (i128, u32) {
    let (mut rest, mut dropped) = (number, 0);
    // Division of 128 bits is slow, so a number is only divided that way until it fits in half of them.
    while dropped < most && i64::try_from(rest).is_err() && rest % 10 == 0 {
        rest /= 10;
        dropped += 1;
    }
    let Ok(mut small) = i64::try_from(rest) else { return (rest, dropped) };
    for (step, power) in [(8, 100_000_000), (4, 10_000), (2, 100), (1, 10)] {
        while small != 0 && most - dropped >= step && small % power == 0 {
            small /= power;
            dropped += step;
        }
    }
    (i128::from(small), dropped)
}

/// A natural number of 256 bits.
#[derive(Clone, Copy)]
pub(super) struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    pub(super) fn product(left: u128, right: u128) -> Self {
        const MASK: u128 = u64::MAX as u128;
        let (left_high, left_low) = (left >> 64, left & MASK);
        let (right_high, right_low) = (right >> 64, right & MASK);
        let low = left_low * right_low;
        let middle = left_high * right_low + (low >> 64);
        let middle_low = (middle & MASK) + left_low * right_high;
        Self {
            high: left_high * right_high + (middle >> 64) + (middle_low >> 64),
            low: (middle_low << 64) | (low & MASK),
        }
    }

    /// The number, if it fits in 127 bits.
    pub(super) fn narrow(self) -> Option<i128> {
        if self.high == 0 { i128::try_from(self.low).ok() } else { None }
    }

    /// A lower bound, off by one at most, of how many digits a number of 128 bits and more has.
    pub(super) fn digits_min(self) -> u32 {
        let bits =
            256 - if self.high == 0 { 128 + self.low.leading_zeros() } else { self.high.leading_zeros() };
        (bits - 1) * 30_103 / 100_000 + 1
    }

    /// Divides by a number below 2^64; gives quotient and remainder.
    pub(super) fn divide(self, divisor: u64) -> (Self, u64) {
        let divisor = u128::from(divisor);
        let mut quotient = [0u128; 4];
        let mut rest = 0u128;
        let limbs = [
            self.high >> 64,
            self.high & u128::from(u64::MAX),
            self.low >> 64,
            self.low & u128::from(u64::MAX),
        ];
        for (limb, out) in limbs.into_iter().zip(&mut quotient) {
            let dividend = (rest << 64) | limb;
            *out = dividend / divisor;
            rest = dividend % divisor;
        }
        let rest = u64::try_from(rest).expect("a remainder is below its divisor of 64 bits");
        (Self { high: (quotient[0] << 64) | quotient[1], low: (quotient[2] << 64) | quotient[3] }, rest)
    }
}
