//! Repeating intervals.

use coreto_feel::value::DateTime;

use super::interval::Interval;
use super::{FOR_EVER, Tick};

/// Equal spans one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    repetitions: i32,
    start_ms: Option<i64>,
    interval: Interval,
}

impl Cycle {
    /// Reads `R/PT10S`, `R3/PT10S`, `R3/2026-01-01T00:00:00Z/PT10S`. What would be due all the time is refused: an interval
    /// that goes back, and nothing for ever.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::read(text).filter(Self::leads_on)
    }

    /// Whether a text is a cycle that is refused since it would be due all the time.
    pub(super) fn leads_nowhere(text: &str) -> bool {
        Self::read(text).is_some_and(|cycle| !cycle.leads_on())
    }

    fn leads_on(&self) -> bool {
        let shortest = i64::from(self.repetitions == FOR_EVER);
        self.interval.length_ms().is_some_and(|length| length >= shortest)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('R')?.splitn(3, '/');
        let count = parts.next()?;
        let repetitions = if count.is_empty() { FOR_EVER } else { count.parse().ok()? };
        if repetitions < FOR_EVER {
            return None;
        }
        let (first, second) = (parts.next()?, parts.next());
        let start_ms = match second {
            None => None,
            Some(_) => Some(DateTime::parse(first)?.to_epoch_ms()?),
        };
        let interval = Interval::parse(second.unwrap_or(first))?;
        Some(Self { repetitions, start_ms, interval })
    }

    pub(super) fn first(&self, now_ms: i64, zone: &str) -> Option<Tick> {
        let ahead = self.start_ms.filter(|start_ms| *start_ms > now_ms);
        let at_ms = match ahead {
            Some(start_ms) => start_ms,
            None => self.interval.after(now_ms, zone)?,
        };
        Some(Tick { at_ms, repetitions: self.repetitions })
    }

    pub(super) fn next(&self, last: Tick, now_ms: i64, zone: &str) -> Option<Tick> {
        let repetitions = if last.repetitions == FOR_EVER { FOR_EVER } else { last.repetitions - 1 };
        let mut at_ms = self.interval.after(last.at_ms, zone)?;
        if at_ms < now_ms {
            at_ms = self.interval.after(now_ms, zone)?;
        }
        // An interval of nothing would be due for ever in one moment.
        let at_ms = if at_ms > last.at_ms { at_ms } else { now_ms + 1 };
        Some(Tick { at_ms, repetitions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_counts_and_starts() {
        let read = |text| Cycle::parse(text).map(|cycle| (cycle.repetitions, cycle.start_ms));
        assert_eq!(read("R/PT1S"), Some((-1, None)));
        assert_eq!(read("R3/PT1S"), Some((3, None)));
        assert_eq!(read("R0/1970-01-01T00:00:01Z/P1D"), Some((0, Some(1000))));
        for wrong in ["R", "R3", "R/", "R-2/PT1S", "Rx/PT1S", "R3/1970-01-01T00:00:01/PT1S", "R/PT1S/PT1S"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for endless in ["R/PT0S", "R/P-1D", "R3/P-1D", "R/P99999999999999Y"] {
            assert_eq!(read(endless), None, "{endless}");
        }
    }

    #[test]
    fn counts_from_when_it_was_due_and_skips_what_was_missed() {
        let cycle = Cycle::parse("R3/PT10S").unwrap();
        let first = cycle.first(1000, "UTC").unwrap();
        assert_eq!(first, Tick { at_ms: 11_000, repetitions: 3 });
        assert_eq!(cycle.next(first, 11_400, "UTC"), Some(Tick { at_ms: 21_000, repetitions: 2 }));
        assert_eq!(cycle.next(first, 21_000, "UTC"), Some(Tick { at_ms: 21_000, repetitions: 2 }));
        assert_eq!(cycle.next(first, 45_000, "UTC"), Some(Tick { at_ms: 55_000, repetitions: 2 }));
    }

    #[test]
    fn starts_when_it_says_unless_that_has_passed() {
        let cycle = Cycle::parse("R/1970-01-01T00:01:00Z/PT10S").unwrap();
        assert_eq!(cycle.first(0, "UTC").unwrap().at_ms, 60_000);
        assert_eq!(cycle.first(61_000, "UTC").unwrap().at_ms, 71_000);
    }

    #[test]
    fn nothing_goes_on_in_one_moment() {
        let cycle = Cycle::parse("R2/PT0S").unwrap();
        let first = cycle.first(5, "UTC").unwrap();
        assert!(cycle.next(first, 5, "UTC").unwrap().at_ms > 5);
    }
}
