//! How often a thing may happen: the generic cell rate algorithm, one number per key.

use std::time::Duration;

use crate::model::RateLimit;
use crate::moment::Moment;

/// So many at once, and then one after each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    period: Duration,
    burst: u32,
}

impl Rate {
    /// This many in a time, of which `burst` may come at once.
    pub fn new(count: u32, per: Duration, burst: u32) -> Self {
        Self { period: (per / count.max(1)).max(Duration::from_nanos(1)), burst: burst.max(1) }
    }

    /// The rate of a limit.
    pub fn of(limit: &RateLimit) -> Self {
        Self::new(limit.requests, limit.per, limit.burst.unwrap_or(limit.requests))
    }

    /// The time in which a whole burst comes back.
    fn window(&self) -> Duration {
        self.period.saturating_mul(self.burst)
    }
}

/// What one key has used: the moment at which all of it has come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally(Moment);

/// Whether it may happen now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allowed {
        /// How many more may happen at once.
        left: u32,
        /// When all has come back.
        reset: Duration,
    },
    /// Not before this time has passed.
    Limited {
        /// How long.
        wait: Duration,
    },
}

impl Tally {
    /// Counts one more, if it may happen now.
    pub fn ask(&mut self, now: Moment, rate: &Rate) -> Verdict {
        let next = self.0.max(now).plus(rate.period);
        let ahead = next.since(now);
        let window = rate.window();
        if ahead > window {
            return Verdict::Limited { wait: ahead.saturating_sub(window) };
        }
        self.0 = next;
        let left = (window.saturating_sub(ahead)).as_nanos() / rate.period.as_nanos();
        Verdict::Allowed { left: u32::try_from(left).unwrap_or(u32::MAX), reset: ahead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Dice;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn lets_a_burst_through_and_then_one_after_each_period() {
        let rate = Rate::new(10, Duration::from_secs(1), 3);
        let mut tally = Tally::default();
        let mut ask = |at| tally.ask(Moment::after_start(ms(at)), &rate);
        assert_eq!(ask(0), Verdict::Allowed { left: 2, reset: ms(100) });
        assert_eq!(ask(0), Verdict::Allowed { left: 1, reset: ms(200) });
        assert_eq!(ask(0), Verdict::Allowed { left: 0, reset: ms(300) });
        assert_eq!(ask(0), Verdict::Limited { wait: ms(100) });
        assert_eq!(ask(99), Verdict::Limited { wait: ms(1) });
        assert_eq!(ask(100), Verdict::Allowed { left: 0, reset: ms(300) });
        assert_eq!(ask(1_000), Verdict::Allowed { left: 2, reset: ms(100) });
    }

    #[test]
    fn never_lets_more_through_than_burst_and_time_allow() {
        let mut dice = Dice::seeded(3);
        for _ in 0..300 {
            let (count, burst) = (1 + dice.below(50), 1 + dice.below(20));
            let narrow = |value| u32::try_from(value).unwrap();
            let rate = Rate::new(narrow(count), Duration::from_secs(1), narrow(burst));
            let mut tally = Tally::default();
            let mut allowed: Vec<Duration> = Vec::new();
            let mut now = Duration::from_secs(dice.below(3));
            for _ in 0..200 {
                now += ms(dice.below(2_000 / count));
                match tally.ask(Moment::after_start(now), &rate) {
                    Verdict::Allowed { left, .. } => {
                        assert!(u64::from(left) < burst);
                        allowed.push(now);
                    }
                    Verdict::Limited { wait } => {
                        assert!(!wait.is_zero());
                        let mut early = tally;
                        let before = now + wait.saturating_sub(Duration::from_nanos(1));
                        assert!(matches!(
                            early.ask(Moment::after_start(before), &rate),
                            Verdict::Limited { .. }
                        ));
                        let at = now + wait;
                        assert!(matches!(early.ask(Moment::after_start(at), &rate), Verdict::Allowed { .. }));
                    }
                }
            }
            for (first, from) in allowed.iter().enumerate() {
                for (last, to) in allowed.iter().enumerate().skip(first) {
                    let back = to.saturating_sub(*from).as_nanos() / rate.period.as_nanos();
                    let count = (last - first) as u128 + 1;
                    assert!(count <= u128::from(burst) + back);
                }
            }
        }
    }
}
