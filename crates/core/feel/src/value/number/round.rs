//! Rounding: to 34 digits after every operation, and to a scale on demand.

use super::wide::{digits, power_of_ten, power_of_ten_checked};
use super::{DIGITS_MAX, Number, SCALE_MAX, SCALE_MIN};

/// How to round what lies between two neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards positive infinity.
    Ceiling,
    /// Towards negative infinity.
    Floor,
    /// To the nearest; the middle goes away from zero.
    HalfUp,
    /// To the nearest; the middle goes towards zero.
    HalfDown,
    /// To the nearest; the middle goes to the even neighbour.
    HalfEven,
}

impl Number {
    /// The number rounded to so many digits after the decimal point (negative: before it).
    ///
    /// Gives nothing when the scale is outside of the range of decimal128 or the result would need more digits
    /// than a number has.
    pub fn rounded(self, scale: i32, rounding: Rounding) -> Option<Self> {
        if !(SCALE_MIN..=SCALE_MAX).contains(&scale) {
            return None;
        }
        let drop = self.scale() - scale;
        if drop <= 0 {
            // Nothing to round. The wish for more zeros is granted as far as 34 digits reach.
            let room = (DIGITS_MAX - digits(self.coefficient().unsigned_abs())).cast_signed();
            let zeros = room.min(-drop);
            let coefficient = self.coefficient() * power_of_ten(zeros.unsigned_abs());
            return Some(Self::from_parts(coefficient, self.scale() + zeros));
        }
        let coefficient = drop_digits(self.coefficient(), drop.unsigned_abs(), false, rounding);
        fit(coefficient, scale, false)
    }

    /// The largest integer that is not above.
    #[must_use]
    pub fn floor(self) -> Self {
        self.rounded(0, Rounding::Floor).unwrap_or(self)
    }
}

/// Makes a number of a coefficient of any length, rounding half to even. `sticky` tells that a digit other than
/// zero was cut off below the coefficient. Gives nothing if the number is too large; too small becomes zero.
pub(super) fn fit(coefficient: i128, scale: i32, sticky: bool) -> Option<Number> {
    let excess = digits(coefficient.unsigned_abs()).saturating_sub(DIGITS_MAX);
    // Both bounds are met by one rounding, since rounding twice would not be to the nearest.
    let drop = excess.max(scale.saturating_sub(SCALE_MAX).max(0).unsigned_abs());
    let (mut coefficient, mut scale) = (coefficient, scale);
    if drop > 0 || sticky {
        coefficient = drop_digits(coefficient, drop, sticky, Rounding::HalfEven);
        scale = scale.checked_sub_unsigned(drop)?;
        if digits(coefficient.unsigned_abs()) > DIGITS_MAX {
            coefficient /= 10;
            scale -= 1;
        }
    }
    if scale < SCALE_MIN {
        if coefficient == 0 {
            return Some(Number::ZERO);
        }
        let zeros = (SCALE_MIN - scale).unsigned_abs();
        if digits(coefficient.unsigned_abs()) + zeros > DIGITS_MAX {
            return None;
        }
        coefficient *= power_of_ten(zeros);
        scale = SCALE_MIN;
    }
    Some(Number::from_parts(coefficient, scale))
}

/// Divides by 10^count and rounds.
fn drop_digits(coefficient: i128, count: u32, sticky: bool, rounding: Rounding) -> i128 {
    let (kept, rest, half) = match power_of_ten_checked(count) {
        Some(power) => {
            let rest = (coefficient % power).unsigned_abs();
            (coefficient / power, rest, rest.cmp(&(power.unsigned_abs() / 2)))
        }
        None => (0, coefficient.unsigned_abs(), std::cmp::Ordering::Less),
    };
    let half = if count == 0 {
        std::cmp::Ordering::Less
    } else if half.is_eq() && sticky {
        std::cmp::Ordering::Greater
    } else {
        half
    };
    if rest == 0 && !sticky {
        return kept;
    }
    let away = match rounding {
        Rounding::Up => true,
        Rounding::Down => false,
        Rounding::Ceiling => coefficient > 0,
        Rounding::Floor => coefficient < 0,
        Rounding::HalfUp => half.is_ge(),
        Rounding::HalfDown => half.is_gt(),
        Rounding::HalfEven => half.is_gt() || half.is_eq() && kept % 2 != 0,
    };
    if away { kept + coefficient.signum() } else { kept }
}
