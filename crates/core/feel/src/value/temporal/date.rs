//! Days of the calendar.

use std::fmt;

use super::{SECONDS_PER_DAY, calendar};

/// Largest year; the smallest is its negative.
pub(crate) const YEAR_MAX: i32 = 999_999_999;

/// A day of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// A date, if the calendar has it.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let fits = (-YEAR_MAX..=YEAR_MAX).contains(&year)
            && (1..=12).contains(&month)
            && (1..=calendar::month_length(year, month)).contains(&day);
        fits.then_some(Self { year, month, day })
    }

    /// The date so many days after 1970-01-01.
    pub fn from_days(days: i64) -> Option<Self> {
        if days.unsigned_abs() > 400_000_000_000 {
            return None;
        }
        let (year, month, day) = calendar::date_of(days);
        Self::new(i32::try_from(year).ok()?, month, day)
    }

    /// Days since 1970-01-01.
    pub fn to_days(self) -> i64 {
        calendar::days_of(self.year, self.month, self.day)
    }

    /// Seconds from 1970-01-01T00:00 to the start of the day.
    pub(crate) fn to_seconds(self) -> i64 {
        self.to_days() * SECONDS_PER_DAY
    }

    /// The year; negative before the year 0.
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month, from 1.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// The day of the week: Monday is 1, Sunday 7.
    pub fn weekday(self) -> u8 {
        u8::try_from((self.to_days() + 3).rem_euclid(7)).expect("below 7") + 1
    }

    /// The day of the year, from 1.
    pub fn day_of_year(self) -> u16 {
        let start = calendar::days_of(self.year, 1, 1);
        u16::try_from(self.to_days() - start).expect("below 366") + 1
    }

    /// The week of the year by ISO 8601: week 1 is the one with the first Thursday.
    pub fn week_of_year(self) -> u8 {
        // The Thursday of the same week decides to which year the week belongs.
        let thursday = self.to_days() + 4 - i64::from(self.weekday());
        let (year, ..) = calendar::date_of(thursday);
        let year = i32::try_from(year).unwrap_or(self.year);
        let start = calendar::days_of(year, 1, 1);
        u8::try_from((thursday - start) / 7).expect("below 53") + 1
    }

    /// The last day of the same month.
    #[must_use]
    pub fn last_day_of_month(self) -> Self {
        Self { day: calendar::month_length(self.year, self.month), ..self }
    }

    /// The date so many days later.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        Self::from_days(self.to_days().checked_add(days)?)
    }

    /// The same day so many months later, or the last one of a month that is shorter.
    pub fn plus_months(self, months: i64) -> Option<Self> {
        let total = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        let year = i32::try_from(total.div_euclid(12)).ok()?;
        let month = u8::try_from(total.rem_euclid(12)).expect("below 12") + 1;
        if !(-YEAR_MAX..=YEAR_MAX).contains(&year) {
            return None;
        }
        Self::new(year, month, self.day.min(calendar::month_length(year, month)))
    }

    /// Reads `2020-01-31`; years of more than four digits and negative ones have a sign or none.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        let mut parts = digits.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || year.len() < 4 || year.len() > 9 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        // A sign marks a year that needs one.
        if year.len() > 4 && year.starts_with('0') || year.len() == 4 && text.starts_with('+') {
            return None;
        }
        let year: i32 = super::digits(year)?.try_into().ok()?;
        let month = super::digits(month)?.try_into().ok()?;
        let day = super::digits(day)?.try_into().ok()?;
        Self::new(if negative { -year } else { year }, month, day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = self;
        match year {
            0..=9999 => write!(f, "{year:04}-{month:02}-{day:02}"),
            10_000.. => write!(f, "+{year}-{month:02}-{day:02}"),
            _ => write!(f, "-{:04}-{month:02}-{day:02}", year.unsigned_abs()),
        }
    }
}
