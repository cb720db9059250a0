//! Spans of time: a part that the calendar counts, and a part that the clock does.

use coreto_feel::value::DateTime;

use super::on_clock;

const DAYS_OF_A_WEEK: i64 = 7;

/// Months and days of the calendar, and milliseconds. Each may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    months: i64,
    days: i64,
    millis: i64,
}

impl Interval {
    /// So many milliseconds.
    pub(super) const fn exact(millis: i64) -> Self {
        Self { months: 0, days: 0, millis }
    }

    /// So many months.
    pub(super) const fn months(months: i64) -> Self {
        Self { months, days: 0, millis: 0 }
    }

    /// Reads `P1Y2M3W4DT5H6M7.8S`, with any of its parts but at least one. A `-` before the whole or a part turns it.
    /// One that is longer than the calendar is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = signed(text);
        let rest = rest.strip_prefix('P')?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return None,
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        if date.is_empty() && time.is_empty() {
            return None;
        }
        let ([years, months, weeks, days], left) = parts(date, ['Y', 'M', 'W', 'D'])?;
        let ([hours, minutes], left_of_time) = parts(time, ['H', 'M'])?;
        let seconds = seconds(left_of_time)?;
        if !left.is_empty() {
            return None;
        }
        let months = years.checked_mul(12)?.checked_add(months)?;
        let days = weeks.checked_mul(DAYS_OF_A_WEEK)?.checked_add(days)?;
        let clock = hours.checked_mul(3_600_000)?.checked_add(minutes.checked_mul(60_000)?)?;
        let millis = clock.checked_add(seconds)?;
        let interval = Self {
            months: months.checked_mul(sign)?,
            days: days.checked_mul(sign)?,
            millis: millis.checked_mul(sign)?,
        };
        interval.length_ms().map(|_| interval)
    }

    /// How long it is from the beginning of 1970 on.
    pub(super) fn length_ms(self) -> Option<i64> {
        self.after(0, "UTC")
    }

    /// The moment that is so much later.
    pub(super) fn after(self, from_ms: i64, zone: &str) -> Option<i64> {
        let mut at_ms = from_ms;
        if (self.months, self.days) != (0, 0) {
            let moment = on_clock(from_ms, zone)?;
            let date = moment.date().plus_months(self.months)?.plus_days(self.days)?;
            at_ms = DateTime::new(date, moment.time()).to_epoch_ms()?;
        }
        at_ms.checked_add(self.millis)
    }
}

/// The sign before a text as a factor, and the text behind it.
fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The counts of units that stand in their order, each at most once, and what is left behind them.
fn parts<const N: usize>(text: &str, units: [char; N]) -> Option<([i64; N], &str)> {
    let mut counts = [0; N];
    let mut rest = text;
    for (count, unit) in counts.iter_mut().zip(units) {
        if let Some((number, behind)) = rest.split_once(unit) {
            let (sign, digits) = signed(number);
            *count = whole(digits)? * sign;
            rest = behind;
        }
    }
    Some((counts, rest))
}

/// Milliseconds of `7.8S`, cut; none of an empty text.
fn seconds(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (sign, number) = signed(text.strip_suffix('S')?);
    let (digits, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    whole(digits)?.checked_mul(1000)?.checked_add(millis)?.checked_mul(sign)
}

/// A number of up to fifteen digits.
fn whole(digits: &str) -> Option<i64> {
    let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_parts() {
        let interval = |months, days, millis| Some(Interval { months, days, millis });
        assert_eq!(Interval::parse("P1Y2M3W4DT5H6M7.089S"), interval(14, 25, 18_367_089));
        assert_eq!(Interval::parse("-P1DT1H"), interval(0, -1, -3_600_000));
        assert_eq!(Interval::parse("PT-5S"), interval(0, 0, -5000));
        assert_eq!(Interval::parse("P2W"), interval(0, 14, 0));
        assert_eq!(Interval::parse("PT36H"), interval(0, 0, 129_600_000));
        for wrong in ["", "P", "PT", "P1", "1D", "P1DT", "P1D1Y", "PT1S1M", "P1.5D", "PT1.S1", "PTS", "P1H"] {
            assert_eq!(Interval::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn counts_days_on_the_calendar_and_hours_on_the_clock() {
        // 2026-03-28T12:00:00+01:00, the day before the clocks of Berlin go forward.
        let noon = 1_774_695_600_000;
        let day = 86_400_000;
        let after = |text, zone| Interval::parse(text).unwrap().after(noon, zone).unwrap() - noon;
        assert_eq!(after("P1D", "Europe/Berlin"), day - 3_600_000);
        assert_eq!(after("PT24H", "Europe/Berlin"), day);
        assert_eq!(after("P1D", "UTC"), day);
        assert_eq!(after("P1M", "UTC"), 31 * day);
    }

    #[test]
    fn ends_with_the_calendar() {
        assert_eq!(Interval::parse("P999999999999Y"), None);
        assert_eq!(Interval::months(12_000_000_000).after(0, "UTC"), None);
    }
}
