//! Times of day.

use std::cmp::Ordering;
use std::fmt;

use super::zone::Zone;
use super::{NANOS_PER_DAY, NANOS_PER_SECOND};

/// A time of day, with an offset, a zone, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    nanos: u64,
    zone: Zone,
}

impl Time {
    /// A time of so many nanoseconds since midnight, if the day has so many.
    pub fn from_nanos(nanos: u64, zone: Zone) -> Option<Self> {
        (nanos < NANOS_PER_DAY.unsigned_abs()).then_some(Self { nanos, zone })
    }

    /// A time of hour, minute and second.
    pub fn new(hour: u8, minute: u8, second: u8, nanos: u32, zone: Zone) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 59 || i64::from(nanos) >= NANOS_PER_SECOND {
            return None;
        }
        let seconds = u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second);
        Self::from_nanos(seconds * NANOS_PER_SECOND.unsigned_abs() + u64::from(nanos), zone)
    }

    /// Nanoseconds since midnight.
    pub const fn nanos(self) -> u64 {
        self.nanos
    }

    /// Offset or zone.
    pub const fn zone(self) -> Zone {
        self.zone
    }

    /// The hour, from 0.
    pub fn hour(self) -> u8 {
        u8::try_from(self.nanos / 3_600_000_000_000).expect("below 24")
    }

    /// The minute, from 0.
    pub fn minute(self) -> u8 {
        u8::try_from(self.nanos / 60_000_000_000 % 60).expect("below 60")
    }

    /// The second, from 0.
    pub fn second(self) -> u8 {
        u8::try_from(self.nanos / 1_000_000_000 % 60).expect("below 60")
    }

    /// The order of two times; nothing between one with and one without an offset.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self.zone.standard_offset(), other.zone.standard_offset()) {
            (None, None) => Some(self.nanos.cmp(&other.nanos)),
            (Some(_), Some(_)) => Some(self.utc_nanos().cmp(&other.utc_nanos())),
            _ => None,
        }
    }

    /// Nanoseconds since midnight at UTC, on the day of the time; may be negative or beyond the day.
    pub(crate) fn utc_nanos(self) -> i64 {
        let offset = i64::from(self.zone.standard_offset().unwrap_or(0));
        self.nanos.cast_signed() - offset * NANOS_PER_SECOND
    }

    /// The time so many nanoseconds later, around midnight.
    #[must_use]
    pub(crate) fn plus_nanos(self, nanos: i128) -> Self {
        let day = i128::from(NANOS_PER_DAY);
        let nanos = u64::try_from((i128::from(self.nanos) + nanos).rem_euclid(day)).expect("below a day");
        Self { nanos, zone: self.zone }
    }

    /// Reads `10:31`, `10:31:10`, `10:31:10.123`, each with `Z`, `+02:00` or `@Europe/Paris` after it or nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(['Z', 'z', '+', '-', '@', '[']).unwrap_or(text.len());
        let (clock, zone) = text.split_at(end);
        let zone = Zone::parse(zone)?;
        let mut parts = clock.strip_prefix('T').unwrap_or(clock).split(':');
        let hour = two_digits(parts.next()?)?;
        let minute = two_digits(parts.next()?)?;
        let (second, nanos) = match parts.next() {
            Some(second) => match second.split_once('.') {
                Some((second, fraction)) => (two_digits(second)?, nanos_of(fraction)?),
                None => (two_digits(second)?, 0),
            },
            None => (0, 0),
        };
        if parts.next().is_some() {
            return None;
        }
        Self::new(hour, minute, second, nanos, zone)
    }

    /// The text of a time that becomes a variable: seconds are left out of a local time that has none.
    pub fn to_variable_text(self) -> String {
        if self.zone == Zone::Local && self.nanos.is_multiple_of(60_000_000_000) {
            return format!("{:02}:{:02}", self.hour(), self.minute());
        }
        self.to_string()
    }

    /// The clock without offset or zone.
    pub(super) fn write_clock(self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour(), self.minute(), self.second())?;
        let fraction = self.nanos % 1_000_000_000;
        if fraction != 0 {
            write!(f, ".{}", format!("{fraction:09}").trim_end_matches('0'))?;
        }
        Ok(())
    }
}

fn two_digits(text: &str) -> Option<u8> {
    if text.len() == 2 { super::digits(text)?.try_into().ok() } else { None }
}

fn nanos_of(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let digits = u32::try_from(super::digits(fraction)?).ok()?;
    Some(digits * 10u32.pow(9 - u32::try_from(fraction.len()).ok()?))
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_clock(f)?;
        self.zone.write_suffix(f)
    }
}
