//! Requests of our own: when the next is due, and what their results make of an endpoint.

use std::time::Duration;

use crate::chance::Dice;
use crate::model::Health;
use crate::moment::Moment;

/// What the checks of an endpoint have shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet: it takes requests, and the first result decides.
    #[default]
    Untested,
    /// It is well.
    Good,
    /// It is not.
    Bad,
}

/// The checks of one endpoint.
#[derive(Clone, Debug)]
pub struct Checks {
    verdict: Verdict,
    /// Results in a row that speak against the verdict.
    against: u32,
    due: Moment,
}

impl Checks {
    /// Begins within one interval, so that the endpoints of a cluster are not all checked at once.
    pub fn new(health: &Health, now: Moment, dice: &mut Dice) -> Self {
        Self { verdict: Verdict::Untested, against: 0, due: now.plus(health.interval.mul_f64(dice.unit())) }
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// When the next check is due.
    pub fn due(&self) -> Moment {
        self.due
    }

    /// Takes a result in, and says whether the verdict changed by it.
    pub fn record(&mut self, health: &Health, good: bool, now: Moment, dice: &mut Dice) -> bool {
        self.due = now.plus(around(health.interval, 0.2, dice));
        let needed = match (self.verdict, good) {
            (Verdict::Good, true) | (Verdict::Bad, false) => {
                self.against = 0;
                return false;
            }
            (Verdict::Untested, _) => 1,
            (Verdict::Good, false) => health.fall,
            (Verdict::Bad, true) => health.rise,
        };
        self.against += 1;
        if self.against < needed {
            return false;
        }
        self.against = 0;
        self.verdict = if good { Verdict::Good } else { Verdict::Bad };
        true
    }
}

/// A time that is longer or shorter by up to a part of it.
pub(super) fn around(time: Duration, part: f64, dice: &mut Dice) -> Duration {
    time.mul_f64(1.0 - part + 2.0 * part * dice.unit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_its_mind_after_results_in_a_row() {
        let (health, mut dice) = (Health::default(), Dice::seeded(1));
        let mut checks = Checks::new(&health, Moment::START, &mut dice);
        let mut tell = |results: &str| -> Vec<Verdict> {
            let one = |result| {
                let before = checks.verdict();
                let changed = checks.record(&health, result == '+', Moment::START, &mut dice);
                assert_eq!(changed, before != checks.verdict());
                checks.verdict()
            };
            results.chars().map(one).collect()
        };
        let (good, bad) = (Verdict::Good, Verdict::Bad);
        assert_eq!(tell("+"), [good], "the first result decides");
        assert_eq!(tell("--+--"), [good; 5], "never three in a row");
        assert_eq!(tell("-"), [bad], "the third in a row");
        assert_eq!(tell("+-+"), [bad; 3]);
        assert_eq!(tell("+-"), [good, good]);
    }

    #[test]
    fn is_due_after_the_interval_more_or_less() {
        let (health, mut dice) = (Health::default(), Dice::seeded(2));
        let now = Moment::after_start(Duration::from_secs(100));
        let mut first = Vec::new();
        let mut next = Vec::new();
        for _ in 0..500 {
            let mut checks = Checks::new(&health, now, &mut dice);
            first.push(checks.due().since(now).as_secs_f64());
            checks.record(&health, true, now, &mut dice);
            next.push(checks.due().since(now).as_secs_f64());
        }
        let within = |list: &[f64], low, high| list.iter().all(|due| (low..high).contains(due));
        let spread = |list: &[f64]| {
            list.iter().copied().fold(0.0, f64::max) - list.iter().copied().fold(f64::MAX, f64::min)
        };
        assert!(within(&first, 0.0, 5.0) && spread(&first) > 4.5);
        assert!(within(&next, 4.0, 6.0) && spread(&next) > 1.8);
    }
}
