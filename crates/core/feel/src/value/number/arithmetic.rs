//! The operations of decimal arithmetic; nothing where a result is out of range or not defined.

use super::round::fit;
use super::wide::{Wide, digits, power_of_ten, without_zeros};
use super::{DIGITS_MAX, Number, SCALE_MIN};

#[expect(clippy::should_implement_trait, reason = "these have no result where that would be out of range")]
impl Number {
    /// The sum; nothing when it is out of range.
    pub fn add(self, other: Self) -> Option<Self> {
        if self.scale == other.scale
            && let (Some(left), Some(right)) = (self.small(), other.small())
            && let Some(sum) = left.checked_add(right)
        {
            return Some(Self { scale: self.scale, ..Self::from_i64(sum) });
        }
        self.add_wide(other)
    }

    /// The difference; nothing when it is out of range.
    pub fn subtract(self, other: Self) -> Option<Self> {
        self.add(other.negate())
    }

    fn add_wide(self, other: Self) -> Option<Self> {
        // `coarse` has fewer digits after the point, so it is the one that grows zeros.
        let (coarse, fine) = if self.scale <= other.scale { (self, other) } else { (other, self) };
        let gap = (fine.scale() - coarse.scale()).unsigned_abs();
        let room = 37 - digits(coarse.coefficient().unsigned_abs());
        if gap <= room {
            return fit(coarse.coefficient() * power_of_ten(gap) + fine.coefficient(), fine.scale(), false);
        }
        if coarse.is_zero() {
            return Some(fine);
        }
        // The fine one reaches below the digits that we can hold. What is cut off only matters as "there was more",
        // for which one extra digit stands in.
        let zeros = room - 1;
        let scale = coarse.scale() + zeros.cast_signed();
        let drop = gap - zeros;
        let (kept, lost) = if drop > 38 {
            (0, !fine.is_zero())
        } else {
            let power = power_of_ten(drop);
            (fine.coefficient() / power, fine.coefficient() % power != 0)
        };
        let extra = if lost { fine.coefficient().signum() } else { 0 };
        fit((coarse.coefficient() * power_of_ten(zeros) + kept) * 10 + extra, scale + 1, false)
    }

    /// The product; nothing when it is out of range.
    pub fn multiply(self, other: Self) -> Option<Self> {
        let scale = self.scale() + other.scale();
        if let (Some(left), Some(right)) = (self.small(), other.small()) {
            if let Some(product) = left.checked_mul(right)
                && (0..=32).contains(&scale)
            {
                #[expect(clippy::cast_possible_truncation, reason = "at most 32")]
                return Some(Self { scale: scale as i16, ..Self::from_i64(product) });
            }
            return fit(i128::from(left) * i128::from(right), scale, false);
        }
        let negative = self.is_negative() != other.is_negative();
        let mut product =
            Wide::product(self.coefficient().unsigned_abs(), other.coefficient().unsigned_abs());
        let (mut scale, mut sticky) = (scale, false);
        let magnitude = loop {
            if let Some(magnitude) = product.narrow() {
                break magnitude;
            }
            // 37 digits stay, enough for the rounding; at most 68 come in, so the loop ends after three turns.
            let excess = (product.digits_min() - 37).min(19);
            let power = power_of_ten(excess).try_into().expect("10^19 fits in 64 bits");
            let (quotient, rest) = product.divide(power);
            product = quotient;
            sticky |= rest != 0;
            scale -= excess.cast_signed();
        };
        fit(if negative { -magnitude } else { magnitude }, scale, sticky)
    }

    /// The quotient; nothing when dividing by zero or out of range.
    pub fn divide(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let scale_wanted = self.scale() - other.scale();
        if let (Some(left), Some(right)) = (self.small(), other.small())
            && left.checked_rem(right) == Some(0)
        {
            return fit(i128::from(left) / i128::from(right), scale_wanted, false);
        }
        let divisor = other.coefficient().unsigned_abs();
        let dividend = self.coefficient().unsigned_abs();
        let mut quotient = dividend / divisor;
        let mut rest = dividend - quotient * divisor;
        let mut scale = scale_wanted;
        // A divisor of up to 19 digits leaves room for as many new digits per step, a longer one for four.
        let chunk: u32 = if divisor < 1 << 64 { 18 } else { 4 };
        while rest != 0 && quotient < 100_000_000_000_000_000_000_000_000_000_000_000 {
            let step = chunk.min(37 - digits(quotient));
            let power = power_of_ten(step).unsigned_abs();
            rest *= power;
            let next = rest / divisor;
            rest -= next * divisor;
            quotient = quotient * power + next;
            scale += step.cast_signed();
        }
        let quotient = quotient.cast_signed();
        let quotient = if self.is_negative() == other.is_negative() { quotient } else { -quotient };
        let result = fit(quotient, scale, rest != 0)?;
        Some(if rest == 0 { result.without_zeros_down_to(scale_wanted) } else { result })
    }

    /// Drops zeros at the end, as long as the scale stays above the wanted one.
    fn without_zeros_down_to(self, scale_wanted: i32) -> Self {
        let most = self.scale() - scale_wanted.max(SCALE_MIN);
        let (coefficient, dropped) = without_zeros(self.coefficient(), u32::try_from(most).unwrap_or(0));
        Self::from_parts(coefficient, self.scale() - dropped.cast_signed())
    }

    /// The rest of a division, with the sign of the divisor; nothing when dividing by zero.
    pub fn modulo(self, divisor: Self) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        if self.scale == divisor.scale
            && let (Some(left), Some(right)) = (self.small(), divisor.small())
            && let Some(rest) = left.checked_rem(right)
        {
            let rest = if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest };
            return Some(Self { scale: self.scale, ..Self::from_i64(rest) });
        }
        let rest = self.remainder(divisor);
        if rest.is_zero() || rest.is_negative() == divisor.is_negative() {
            Some(rest)
        } else {
            rest.add(divisor)
        }
    }

    /// The rest of a division, exact and with the sign of the dividend.
    fn remainder(self, divisor: Self) -> Self {
        let scale = self.scale().max(divisor.scale());
        let magnitude = self.coefficient().unsigned_abs();
        let modulus = divisor.coefficient().unsigned_abs();
        let zeros = (scale - divisor.scale()).unsigned_abs();
        let rest = if digits(modulus) + zeros > 38 {
            // The divisor is larger than any coefficient.
            magnitude
        } else {
            let modulus = modulus * power_of_ten(zeros).unsigned_abs();
            shifted_rest(magnitude % modulus, (scale - self.scale()).unsigned_abs(), modulus)
        };
        let rest = rest.cast_signed();
        Self::from_parts(if self.is_negative() { -rest } else { rest }, scale)
    }

    /// The number with the other sign.
    #[must_use]
    pub const fn negate(self) -> Self {
        Self::from_parts(-self.coefficient(), self.scale())
    }

    /// The number without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        if self.is_negative() { self.negate() } else { self }
    }

    /// The power; exact for whole exponents as far as 34 digits reach, else through a double.
    pub fn power(self, exponent: Self) -> Option<Self> {
        if !exponent.is_integer() {
            return Self::from_f64(self.to_f64().powf(exponent.to_f64()));
        }
        let exponent = exponent.to_i64().and_then(|whole| i32::try_from(whole).ok())?;
        let magnitude = self.whole_power(exponent.unsigned_abs())?;
        if exponent < 0 { Self::ONE.divide(magnitude) } else { Some(magnitude) }
    }

    fn whole_power(self, exponent: u32) -> Option<Self> {
        let (mut base, mut rest, mut result) = (self, exponent, Self::ONE);
        while rest > 0 {
            if rest & 1 == 1 {
                result = result.multiply(base)?;
            }
            rest >>= 1;
            if rest > 0 {
                base = base.multiply(base)?;
            }
        }
        Some(result)
    }

    /// The square root, through a double; nothing for negative numbers.
    pub fn square_root(self) -> Option<Self> {
        // A whole root is found exactly, where the double would only come near for long numbers.
        if let Some(integer) = self.to_i128().filter(|&integer| self.is_integer() && integer >= 0) {
            let root = integer.isqrt();
            if root * root == integer {
                return fit(root, 0, false);
            }
        }
        Self::from_f64(self.to_f64().sqrt())
    }

    /// The natural logarithm, through a double; nothing for zero and below.
    pub fn logarithm(self) -> Option<Self> {
        Self::from_f64(self.to_f64().ln())
    }

    /// e to the power of this, through a double.
    pub fn exponential(self) -> Option<Self> {
        Self::from_f64(self.to_f64().exp())
    }
}

/// The rest that remains of `rest * 10^zeros`, by a modulus of at most 34 digits if there are zeros.
fn shifted_rest(mut rest: u128, mut zeros: u32, modulus: u128) -> u128 {
    // Bound: a dividend grows by some 12,000 zeros at most, and each turn takes four.
    while zeros > 0 && rest != 0 {
        let step = zeros.min(38 - digits(rest));
        rest = rest * power_of_ten(step).unsigned_abs() % modulus;
        zeros -= step;
    }
    rest
}

const _: () = assert!(DIGITS_MAX == 34, "the room in sums and quotients is counted for 34 digits");
