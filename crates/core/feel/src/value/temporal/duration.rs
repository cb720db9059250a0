//! Spans of time.

use std::fmt;

use super::{NANOS_PER_SECOND, SECONDS_PER_DAY};

/// A span of days, hours, minutes, seconds and nanoseconds; may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DaysTimeDuration {
    seconds: i64,
    /// Always counted upward from the seconds, also below zero.
    nanos: u32,
}

impl DaysTimeDuration {
    /// A span of so many seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// A span of so many nanoseconds, if its seconds fit in 64 bits.
    pub fn from_nanos(nanos: i128) -> Option<Self> {
        let second = i128::from(NANOS_PER_SECOND);
        let seconds = i64::try_from(nanos.div_euclid(second)).ok()?;
        Some(Self { seconds, nanos: u32::try_from(nanos.rem_euclid(second)).expect("below a second") })
    }

    /// All of it in nanoseconds.
    pub fn to_nanos(self) -> i128 {
        i128::from(self.seconds) * i128::from(NANOS_PER_SECOND) + i128::from(self.nanos)
    }

    /// All of it in milliseconds, cut towards zero.
    pub fn to_ms(self) -> i128 {
        self.to_nanos() / 1_000_000
    }

    /// Whether it goes back in time.
    pub const fn is_negative(self) -> bool {
        self.seconds < 0
    }

    /// The span in the other direction.
    pub fn negate(self) -> Option<Self> {
        Self::from_nanos(-self.to_nanos())
    }

    /// The sum of two spans.
    pub fn plus(self, other: Self) -> Option<Self> {
        Self::from_nanos(self.to_nanos() + other.to_nanos())
    }

    /// Days, hours, minutes and seconds, all with the sign of the span.
    pub fn parts(self) -> [i64; 4] {
        let seconds =
            i64::try_from(self.to_nanos() / i128::from(NANOS_PER_SECOND)).expect("no longer than it was");
        [seconds / SECONDS_PER_DAY, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60]
    }

    /// Reads `P1DT2H3M4.5S`, with any of its parts but at least one, and `-` before it for the other direction.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let rest = rest.strip_prefix('P')?;
        let (days, clock) = match rest.split_once('T') {
            Some((_, "")) => return None,
            Some((days, clock)) => (days, Some(clock)),
            None => (rest, None),
        };
        let mut nanos = 0i128;
        let mut parts = 0;
        if !days.is_empty() {
            nanos +=
                amount(days.strip_suffix('D')?)? * i128::from(SECONDS_PER_DAY) * i128::from(NANOS_PER_SECOND);
            parts += 1;
        }
        let mut clock = clock.unwrap_or_default();
        for (unit, seconds) in [('H', 3600), ('M', 60)] {
            if let Some((count, rest)) = clock.split_once(unit) {
                nanos += amount(count)? * seconds * i128::from(NANOS_PER_SECOND);
                clock = rest;
                parts += 1;
            }
        }
        if !clock.is_empty() {
            let seconds = clock.strip_suffix('S')?;
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
            nanos += amount(whole)? * i128::from(NANOS_PER_SECOND);
            if seconds.contains('.') {
                if fraction.len() > 9 {
                    return None;
                }
                // Nothing after the point is nothing.
                let digits = if fraction.is_empty() { "0" } else { fraction };
                nanos += amount(digits)? * 10i128.pow(9 - u32::try_from(digits.len()).ok()?);
            }
            parts += 1;
        }
        if parts == 0 {
            return None;
        }
        Self::from_nanos(if negative { -nanos } else { nanos })
    }
}

/// A count of up to 18 digits.
fn amount(digits: &str) -> Option<i128> {
    super::digits(digits).map(i128::from)
}

impl fmt::Display for DaysTimeDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.to_nanos();
        if total == 0 {
            return f.write_str("PT0S");
        }
        if total < 0 {
            f.write_str("-")?;
        }
        let [days, hours, minutes, seconds] = self.parts().map(i64::unsigned_abs);
        let fraction = total.unsigned_abs() % u128::from(NANOS_PER_SECOND.unsigned_abs());
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if (hours, minutes, seconds, fraction) == (0, 0, 0, 0) {
            return Ok(());
        }
        f.write_str("T")?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        if fraction > 0 {
            write!(f, "{seconds}.{}S", format!("{fraction:09}").trim_end_matches('0'))?;
        } else if seconds > 0 {
            write!(f, "{seconds}S")?;
        }
        Ok(())
    }
}

/// A span of years and months; may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct YearsMonthsDuration {
    months: i64,
}

impl YearsMonthsDuration {
    /// Beyond this no date can be reached any more.
    const MONTHS_MAX: i64 = 1 << 40;

    /// A span of so many months; nothing when it leads beyond every date.
    pub fn from_months(months: i64) -> Option<Self> {
        (-Self::MONTHS_MAX..=Self::MONTHS_MAX).contains(&months).then_some(Self { months })
    }

    /// All of it in months.
    pub const fn to_months(self) -> i64 {
        self.months
    }

    /// The span in the other direction.
    pub fn negate(self) -> Option<Self> {
        Self::from_months(-self.months)
    }

    /// Reads `P1Y2M`, `P1Y`, `P2M`, with `-` before it for the other direction.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut rest = rest.strip_prefix('P')?;
        if rest.is_empty() {
            return None;
        }
        let mut months = 0i64;
        for (unit, factor) in [('Y', 12), ('M', 1)] {
            if let Some((count, after)) = rest.split_once(unit) {
                months = months.checked_add(super::digits(count)?.checked_mul(factor)?)?;
                rest = after;
            }
        }
        if !rest.is_empty() {
            return None;
        }
        Self::from_months(if negative { -months } else { months })
    }
}

impl fmt::Display for YearsMonthsDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let months = self.months.unsigned_abs();
        if self.months < 0 {
            f.write_str("-")?;
        }
        match (months / 12, months % 12) {
            (0, 0) => f.write_str("P0Y"),
            (years, 0) => write!(f, "P{years}Y"),
            (0, months) => write!(f, "P{months}M"),
            (years, months) => write!(f, "P{years}Y{months}M"),
        }
    }
}
