//! Decimal numbers of 34 significant digits, rounded half to even.

mod arithmetic;
mod round;
mod text;
mod wide;

use std::cmp::Ordering;

pub use round::Rounding;
pub use text::NumberError;

/// Most significant digits that a number keeps.
pub const DIGITS_MAX: u32 = 34;
/// Largest scale (digits after the decimal point); the smallest exponent of decimal128.
const SCALE_MAX: i32 = 6176;
/// Smallest scale; zeros that may stand between the digits and the decimal point.
const SCALE_MIN: i32 = -6111;

/// A decimal number: `coefficient / 10^scale`, with at most 34 digits of coefficient.
///
/// Numbers remember their scale (`1.0` prints as `1.0`) but compare by value (`1.0 = 1`). Every result is
/// rounded half to even to 34 digits. There is no NaN, no infinity and no negative zero.
///
/// ```
/// use coreto_feel::Number;
///
/// let third = Number::ONE.divide(Number::from_i64(3)).expect("not by zero");
/// assert_eq!(third.to_string(), "0.3333333333333333333333333333333333");
/// assert_eq!("1.10".parse::<Number>(), "1.1".parse());
/// ```
#[derive(Clone, Copy)]
pub struct Number {
    // The coefficient is split, so that a number takes 24 bytes and not the 32 that an aligned i128 would need.
    low: u64,
    high: i64,
    scale: i16,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self::from_i64(0);
    /// One.
    pub const ONE: Self = Self::from_i64(1);

    /// The number of an integer.
    pub const fn from_i64(integer: i64) -> Self {
        Self { low: integer.cast_unsigned(), high: integer >> 63, scale: 0 }
    }

    /// A coefficient that is known to have at most 34 digits, and a scale that is known to be in range.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the halves are taken apart here"
    )]
    const fn from_parts(coefficient: i128, scale: i32) -> Self {
        Self { low: coefficient as u64, high: (coefficient >> 64) as i64, scale: scale as i16 }
    }

    const fn coefficient(self) -> i128 {
        ((self.high as i128) << 64) | self.low as i128
    }

    const fn scale(self) -> i32 {
        self.scale as i32
    }

    /// The coefficient, if it is small enough for the fast paths.
    const fn small(self) -> Option<i64> {
        let low = self.low.cast_signed();
        if self.high == low >> 63 { Some(low) } else { None }
    }

    /// The integer, if this is one that is written without a fraction and fits in 64 bits.
    #[inline]
    pub(crate) const fn as_integer(&self) -> Option<i64> {
        if self.scale == 0 { self.small() } else { None }
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.low == 0 && self.high == 0
    }

    /// Whether this is below zero.
    pub const fn is_negative(self) -> bool {
        self.high < 0
    }

    /// Whether there is nothing after the decimal point, as in 3, 3.0 and 3e10.
    pub fn is_integer(self) -> bool {
        self.scale() <= 0 || self.is_zero() || {
            let scale = self.scale();
            scale < 35 && self.coefficient() % wide::power_of_ten(scale.unsigned_abs()) == 0
        }
    }

    /// The integer part (cut towards zero), if it fits in 64 bits.
    pub fn to_i64(&self) -> Option<i64> {
        if self.scale == 0 {
            return self.small();
        }
        self.to_i128().and_then(|integer| i64::try_from(integer).ok())
    }

    /// The integer part (cut towards zero), if it fits in 128 bits.
    pub fn to_i128(self) -> Option<i128> {
        let scale = self.scale();
        if scale > 34 || self.is_zero() {
            return Some(0);
        }
        let power = wide::power_of_ten_checked(scale.unsigned_abs());
        if scale >= 0 { Some(self.coefficient() / power?) } else { self.coefficient().checked_mul(power?) }
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        match self.small() {
            #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
            Some(integer) if self.scale == 0 => integer as f64,
            _ => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The number with the shortest decimal text that gives this double; nothing for NaN and infinities.
    pub fn from_f64(double: f64) -> Option<Self> {
        if !double.is_finite() {
            return None;
        }
        let shortest = if double.abs() < 1e15 && double.fract() == 0.0 {
            format!("{double}")
        } else {
            format!("{double:e}")
        };
        shortest.parse().ok()
    }

    /// The same value without zeros at the end of its fraction.
    #[must_use]
    pub fn normalized(self) -> Self {
        if self.scale <= 0 {
            return self;
        }
        let (coefficient, dropped) = wide::without_zeros(self.coefficient(), self.scale().unsigned_abs());
        if coefficient == 0 {
            return Self::ZERO;
        }
        Self::from_parts(coefficient, self.scale() - dropped.cast_signed())
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return match (self.small(), other.small()) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => (self.high, self.low).cmp(&(other.high, other.low)),
            };
        }
        self.cmp_scaled(other)
    }
}

impl Number {
    /// The order of two numbers of different scales.
    fn cmp_scaled(self, other: &Self) -> Ordering {
        let (left, right) = (self.coefficient(), other.coefficient());
        if left.signum() != right.signum() || left == 0 {
            return left.signum().cmp(&right.signum());
        }
        // Of the same sign and not zero: first by the place of the leading digit, then digit by digit.
        let magnitude =
            |coefficient: i128, scale: i32| wide::digits(coefficient.unsigned_abs()).cast_signed() - scale;
        let by_place = magnitude(left, self.scale()).cmp(&magnitude(right, other.scale()));
        if by_place != Ordering::Equal {
            return if left > 0 { by_place } else { by_place.reverse() };
        }
        // The leading digits stand at the same place, so the shorter coefficient grows to at most 34 digits.
        let difference = self.scale() - other.scale();
        let power = wide::power_of_ten(difference.unsigned_abs());
        if difference > 0 { left.cmp(&(right * power)) } else { (left * power).cmp(&right) }
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self::from_i64(integer)
    }
}

impl From<i32> for Number {
    fn from(integer: i32) -> Self {
        Self::from_i64(i64::from(integer))
    }
}

impl From<u32> for Number {
    fn from(integer: u32) -> Self {
        Self::from_i64(i64::from(integer))
    }
}

impl TryFrom<i128> for Number {
    type Error = NumberError;
    fn try_from(integer: i128) -> Result<Self, NumberError> {
        round::fit(integer, 0, false).ok_or(NumberError::OutOfRange)
    }
}
