//! Days with a time of day.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use super::date::Date;
use super::time::Time;
use super::zone::Zone;
use super::{NANOS_PER_DAY, NANOS_PER_SECOND};

/// A date and a time of day, with an offset, a zone, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    date: Date,
    time: Time,
}

impl DateTime {
    /// A date and a time. A zone gets the offset that it has then.
    pub fn new(date: Date, time: Time) -> Self {
        let seconds = date.to_seconds() + (time.nanos() / 1_000_000_000).cast_signed();
        let zone = time.zone().at_local(seconds);
        // A clock time that the zone leaves out is moved on by what was left out.
        if let Some(offset) = zone.offset()
            && zone.at_instant(seconds - i64::from(offset)) != zone
            && let Some(moved) = Self::from_instant(Self::at(date, time, zone).to_instant(), zone)
        {
            return moved;
        }
        Self::at(date, time, zone)
    }

    /// As [`Self::new`], but of two equal clock times the one with the offset that the zone came with.
    fn with_offset(date: Date, time: Time) -> Self {
        let Some(offset) = time.zone().offset() else { return Self::new(date, time) };
        let seconds = date.to_seconds() + (time.nanos() / 1_000_000_000).cast_signed();
        if time.zone().at_instant(seconds - i64::from(offset)) == time.zone() {
            return Self::at(date, time, time.zone());
        }
        Self::new(date, time)
    }

    fn at(date: Date, time: Time, zone: Zone) -> Self {
        let time = Time::from_nanos(time.nanos(), zone).expect("a time stays one in another zone");
        Self { date, time }
    }

    /// The moment so many nanoseconds after 1970-01-01T00:00Z, in a zone.
    pub fn from_instant(nanos: i128, zone: Zone) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(i128::from(NANOS_PER_SECOND))).ok()?;
        let zone = zone.at_instant(seconds);
        let local = nanos + i128::from(zone.offset().unwrap_or(0)) * i128::from(NANOS_PER_SECOND);
        Self::from_local(local, zone)
    }

    fn from_local(nanos: i128, zone: Zone) -> Option<Self> {
        let day = i128::from(NANOS_PER_DAY);
        let date = Date::from_days(i64::try_from(nanos.div_euclid(day)).ok()?)?;
        let time = Time::from_nanos(u64::try_from(nanos.rem_euclid(day)).ok()?, zone)?;
        Some(Self { date, time })
    }

    /// The day.
    pub const fn date(self) -> Date {
        self.date
    }

    /// The time of day, with its offset or zone.
    pub const fn time(self) -> Time {
        self.time
    }

    /// Nanoseconds since 1970-01-01T00:00Z; a local moment is taken as UTC.
    pub fn to_instant(self) -> i128 {
        self.local_nanos() - i128::from(self.time.zone().offset().unwrap_or(0)) * i128::from(NANOS_PER_SECOND)
    }

    /// Milliseconds since 1970-01-01T00:00Z; nothing for a local moment.
    pub fn to_epoch_ms(self) -> Option<i64> {
        self.time.zone().offset()?;
        i64::try_from(self.to_instant().div_euclid(1_000_000)).ok()
    }

    fn local_nanos(self) -> i128 {
        i128::from(self.date.to_days()) * i128::from(NANOS_PER_DAY) + i128::from(self.time.nanos())
    }

    /// The order of two moments; nothing between one with and one without an offset.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        let local = |moment: &Self| moment.time.zone() == Zone::Local;
        (local(self) == local(other)).then(|| self.to_instant().cmp(&other.to_instant()))
    }

    /// The moment so many nanoseconds later.
    pub(crate) fn plus_nanos(self, nanos: i128) -> Option<Self> {
        match self.time.zone() {
            Zone::Local => Self::from_local(self.local_nanos() + nanos, Zone::Local),
            zone => Self::from_instant(self.to_instant() + nanos, zone),
        }
    }

    /// The same clock time so many months later.
    pub(crate) fn plus_months(self, months: i64) -> Option<Self> {
        Some(Self::new(self.date.plus_months(months)?, self.time))
    }

    /// The same instant on the clock of another zone; a local moment is put into it as it stands.
    pub(crate) fn in_zone(self, zone: Zone) -> Option<Self> {
        if self.time.zone() == Zone::Local {
            return Some(Self::new(self.date, Time::from_nanos(self.time.nanos(), zone)?));
        }
        Self::from_instant(self.to_instant(), zone)
    }

    /// Reads a date, `T`, and a time. A date alone is its midnight.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((date, time)) = text.split_once('T') else {
            return Some(Self::new(Date::parse(text)?, Time::new(0, 0, 0, 0, Zone::Local)?));
        };
        // The end of a day may be written as its hour 24.
        let mut day = Date::parse(date)?;
        let midnight;
        let time = match time.strip_prefix("24:00:00") {
            Some(zone) if !zone.starts_with('.') => {
                day = day.plus_days(1)?;
                midnight = format!("00:00:00{zone}");
                &midnight
            }
            _ => time,
        };
        let clock = Time::parse(time)?;
        Some(if time.ends_with(']') { Self::with_offset(day, clock) } else { Self::new(day, clock) })
    }

    /// The text of a moment that becomes a variable: a zone stands in brackets after its offset.
    pub fn to_variable_text(self) -> String {
        let mut text = format!("{}T", self.date);
        let written =
            self.time.write_clock(&mut text).and_then(|()| self.time.zone().write_bracketed(&mut text));
        written.expect("writing to a string does not fail");
        text
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date, f)?;
        f.write_char('T')?;
        fmt::Display::fmt(&self.time, f)
    }
}
