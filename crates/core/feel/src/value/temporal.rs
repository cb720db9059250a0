//! Dates, times, date-times and durations.

mod arithmetic;
mod calendar;
mod date;
mod date_time;
mod duration;
mod property;
mod time;
mod zone;
mod zone_database;

pub(crate) use arithmetic::{OutOfRange, arithmetic};
pub use date::Date;
pub use date_time::DateTime;
pub use duration::{DaysTimeDuration, YearsMonthsDuration};
pub use time::Time;
pub use zone::{Zone, ZoneId};

pub(crate) const NANOS_PER_SECOND: i64 = 1_000_000_000;
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;
pub(crate) const NANOS_PER_DAY: i64 = SECONDS_PER_DAY * NANOS_PER_SECOND;

/// The number of a text of 1 to 18 digits and nothing else.
fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 18 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
