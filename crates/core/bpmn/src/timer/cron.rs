//! Cron texts with six fields: second, minute, hour, day of the month, month, day of the week.

use coreto_feel::value::temporal::Zone;
use coreto_feel::value::{Date, DateTime, Time};

use super::{FOR_EVER, Tick, on_clock};

/// Days that are looked at before a text counts as one that never comes: dates of leap years on one day of the week
/// come again within 40 years.
const DAYS_MAX: u32 = 366 * 41;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// Sunday is 0 and 7.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A cron text, read: allowed numbers as bits, and days that depend on their month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    seconds: u64,
    minutes: u64,
    hours: u64,
    months: u64,
    days: Vec<DayOfMonth>,
    weekdays: Vec<DayOfWeek>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DayOfMonth {
    Among(u64),
    /// So many days before the last.
    BeforeLast(u8),
    /// The last one that is a working day.
    LastWorkday,
    /// The working day next to this one, in the same month.
    WorkdayNear(u8),
}

/// Sunday is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DayOfWeek {
    Among(u64),
    /// The last of the month.
    Last(u8),
    /// The first to fifth of the month.
    Nth(u8, u8),
}

impl Cron {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = match text {
            "@yearly" | "@annually" => "0 0 0 1 1 *",
            "@monthly" => "0 0 0 1 * *",
            "@weekly" => "0 0 0 * * 0",
            "@daily" | "@midnight" => "0 0 0 * * *",
            "@hourly" => "0 0 * * * *",
            _ => text,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [second, minute, hour, day, month, weekday] = fields[..] else { return None };
        Some(Self {
            seconds: numbers(second, 0, 59, &[])?,
            minutes: numbers(minute, 0, 59, &[])?,
            hours: numbers(hour, 0, 23, &[])?,
            months: numbers(month, 1, 12, &MONTHS)?,
            days: day.split(',').map(day_of_month).collect::<Option<_>>()?,
            weekdays: weekday.split(',').map(day_of_week).collect::<Option<_>>()?,
        })
    }

    /// The next time after now. When there is none, it is due once more at once.
    pub(super) fn tick(&self, now_ms: i64, zone: &str) -> Tick {
        match self.after(now_ms, zone) {
            Some(at_ms) => Tick { at_ms, repetitions: FOR_EVER },
            None => Tick { at_ms: now_ms, repetitions: 0 },
        }
    }

    fn after(&self, now_ms: i64, zone: &str) -> Option<i64> {
        let now = on_clock(now_ms, zone)?;
        let zone = now.time().zone();
        let mut date = now.date();
        let mut from = Some(now.time());
        for _ in 0..DAYS_MAX {
            if self.takes(date) {
                // Bound: each round moves on within a day.
                while let Some(time) = self.time_after(from, zone) {
                    let at_ms = DateTime::new(date, time).to_epoch_ms()?;
                    if at_ms > now_ms {
                        return Some(at_ms);
                    }
                    // The clocks go back: this is the second time that it is so late.
                    from = Some(time);
                }
            }
            date = date.plus_days(1)?;
            from = None;
        }
        None
    }

    fn takes(&self, date: Date) -> bool {
        has(self.months, date.month())
            && self.days.iter().any(|day| day.takes(date))
            && self.weekdays.iter().any(|day| day.takes(date))
    }

    /// The first allowed time of day, or the first one after `from`.
    fn time_after(&self, from: Option<Time>, zone: Zone) -> Option<Time> {
        let (mut hour, mut minute, mut second) =
            from.map_or((0, 0, 0), |from| (from.hour(), from.minute(), from.second() + 1));
        if !has(self.hours, hour) {
            (hour, minute, second) = (next(self.hours, hour)?, 0, 0);
        }
        // Bound: each round moves on to a later minute or hour.
        loop {
            if has(self.minutes, minute)
                && let Some(second) = next(self.seconds, second)
            {
                return Time::new(hour, minute, second, 0, zone);
            }
            second = 0;
            if let Some(later) = next(self.minutes, minute + 1) {
                minute = later;
            } else {
                (hour, minute) = (next(self.hours, hour + 1)?, 0);
            }
        }
    }
}

impl DayOfMonth {
    fn takes(self, date: Date) -> bool {
        let (day, last) = (date.day(), date.last_day_of_month());
        match self {
            Self::Among(days) => has(days, day),
            Self::BeforeLast(before) => day + before == last.day(),
            Self::LastWorkday => day == workday_near(last),
            Self::WorkdayNear(near) => {
                near <= last.day()
                    && Date::new(date.year(), date.month(), near)
                        .is_some_and(|near| day == workday_near(near))
            }
        }
    }
}

impl DayOfWeek {
    fn takes(self, date: Date) -> bool {
        let (day, weekday) = (date.day(), date.weekday() % 7);
        match self {
            Self::Among(days) => has(days, weekday),
            Self::Last(wanted) => weekday == wanted && day + 7 > date.last_day_of_month().day(),
            Self::Nth(wanted, nth) => weekday == wanted && day.div_ceil(7) == nth,
        }
    }
}

/// The day of the month of the working day next to a date, in the same month.
fn workday_near(date: Date) -> u8 {
    let (day, last) = (date.day(), date.last_day_of_month().day());
    match date.weekday() {
        6 if day == 1 => day + 2,
        6 => day - 1,
        7 if day == last => day - 2,
        7 => day + 1,
        _ => day,
    }
}

const fn has(numbers: u64, number: u8) -> bool {
    number < 64 && numbers & (1 << number) != 0
}

/// The first number that is allowed, from one on.
fn next(numbers: u64, from: u8) -> Option<u8> {
    (from..64).find(|number| has(numbers, *number))
}

fn day_of_month(text: &str) -> Option<DayOfMonth> {
    Some(match text {
        "L" => DayOfMonth::BeforeLast(0),
        "LW" => DayOfMonth::LastWorkday,
        _ => {
            if let Some(before) = text.strip_prefix("L-") {
                DayOfMonth::BeforeLast(number(before, 1, 30, &[])?)
            } else if let Some(near) = text.strip_suffix('W') {
                DayOfMonth::WorkdayNear(number(near, 1, 31, &[])?)
            } else {
                DayOfMonth::Among(numbers(text, 1, 31, &[])?)
            }
        }
    })
}

fn day_of_week(text: &str) -> Option<DayOfWeek> {
    let day = |text| Some(number(text, 0, 7, &WEEKDAYS)? % 7);
    if let Some(last) = text.strip_suffix('L') {
        return Some(DayOfWeek::Last(day(last)?));
    }
    if let Some((text, nth)) = text.split_once('#') {
        return Some(DayOfWeek::Nth(day(text)?, number(nth, 1, 5, &[])?));
    }
    let days = numbers(text, 0, 7, &WEEKDAYS)?;
    let sunday = u64::from(has(days, 7));
    Some(DayOfWeek::Among((days & 0b111_1111) | sunday))
}

/// The numbers of a list of parts: `*`, `?`, `5`, `1-5`, each with a step behind `/`.
fn numbers(text: &str, min: u8, max: u8, names: &[&str]) -> Option<u64> {
    let mut numbers = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step, 1, 60, &[])?)),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => (min, max),
            Some((first, last)) => (number(first, min, max, names)?, number(last, min, max, names)?),
            None => {
                let first = number(range, min, max, names)?;
                (first, if step.is_some() { max } else { first })
            }
        };
        // `SAT-SUN` ends with the Sunday behind it.
        let last = if last == 0 && first > 0 && max == 7 { 7 } else { last };
        if first > last {
            return None;
        }
        for number in (first..=last).step_by(usize::from(step.unwrap_or(1))) {
            numbers |= 1 << number;
        }
    }
    Some(numbers)
}

/// A number, or one of the names; the first name stands for the least number.
fn number(text: &str, min: u8, max: u8, names: &[&str]) -> Option<u8> {
    if let Some(at) = names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        return Some(min + u8::try_from(at).ok()?);
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok()? } else { return None };
    (min..=max).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31T10:30:00Z, a Saturday.
    const NOW: &str = "2026-01-31T10:30:00Z";

    fn after(cron: &str, from: &str, zone: &str) -> Option<String> {
        let from = DateTime::parse(from).unwrap().to_epoch_ms().unwrap();
        let at = Cron::parse(cron).unwrap().after(from, zone)?;
        Some(on_clock(at, "Z").unwrap().to_string())
    }

    #[test]
    fn finds_the_next_time() {
        for (cron, at) in [
            ("0 0 0 1 1 *", "2027-01-01T00:00:00Z"),
            ("*/15 * * * * *", "2026-01-31T10:30:15Z"),
            ("0 30 10 * * *", "2026-02-01T10:30:00Z"),
            ("0 0 9-17 * * MON-FRI", "2026-02-02T09:00:00Z"),
            ("0 0 0 L * *", "2026-02-28T00:00:00Z"),
            ("0 0 0 L-3 * *", "2026-02-25T00:00:00Z"),
            ("0 0 0 LW * *", "2026-02-27T00:00:00Z"),
            ("0 0 0 1W * *", "2026-02-02T00:00:00Z"),
            ("0 0 0 15W 3 ?", "2026-03-16T00:00:00Z"),
            ("0 0 0 ? * 5L", "2026-02-27T00:00:00Z"),
            ("0 0 0 ? * MON#1", "2026-02-02T00:00:00Z"),
            ("0 0 0 29 2 *", "2028-02-29T00:00:00Z"),
            ("0 0 12 * * 7", "2026-02-01T12:00:00Z"),
            ("0 0 12 * * SAT-SUN", "2026-01-31T12:00:00Z"),
            ("0 5/20 * * * *", "2026-01-31T10:45:00Z"),
            ("0 0 0 13 * FRI", "2026-02-13T00:00:00Z"),
            ("@hourly", "2026-01-31T11:00:00Z"),
            ("@weekly", "2026-02-01T00:00:00Z"),
        ] {
            assert_eq!(after(cron, NOW, "UTC").as_deref(), Some(at), "{cron}");
        }
    }

    #[test]
    fn goes_by_the_clock_of_its_zone() {
        assert_eq!(after("@daily", NOW, "America/Sao_Paulo").as_deref(), Some("2026-02-01T03:00:00Z"));
        // 02:30 is left out in Berlin on this day.
        let spring = after("0 30 2 * * *", "2026-03-29T00:00:00Z", "Europe/Berlin");
        assert_eq!(spring.as_deref(), Some("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn knows_what_never_comes() {
        assert_eq!(after("0 0 0 30 2 *", NOW, "UTC"), None);
        assert_eq!(Cron::parse("0 0 0 31 4 *").unwrap().tick(7, "UTC"), Tick { at_ms: 7, repetitions: 0 });
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for wrong in [
            "",
            "* * * * *",
            "60 * * * * *",
            "* * * 0 * *",
            "* * * * 13 *",
            "* * * * * 8",
            "5-1 * * * * *",
            "x * * * * *",
            "*/0 * * * * *",
            "@never",
            "* * * * * MON#6",
        ] {
            assert_eq!(Cron::parse(wrong), None, "{wrong}");
        }
    }
}
