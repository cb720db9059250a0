//! How many retries there may be: a share of the requests of the last ten seconds, and a few on top.

use crate::model::Budget;
use crate::moment::Moment;

/// Slots of the window.
const SLOTS: usize = 10;
/// Length of a slot in seconds.
const SLOT_SECONDS: u64 = 1;
/// What one retry costs; a request brings as many hundredths of it as the budget has percent.
const RETRY: i64 = 100;

/// Counts requests and retries over the last ten seconds.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    /// What each second has brought, less what its retries have cost.
    slots: [i64; SLOTS],
    /// The second that is being counted.
    second: u64,
    deposit: i64,
    reserve: i64,
}

impl RetryBudget {
    /// A budget of which nothing is used.
    pub fn new(budget: &Budget) -> Self {
        let window = i64::try_from(SLOTS as u64 * SLOT_SECONDS).expect("the window is short");
        Self {
            slots: [0; SLOTS],
            second: 0,
            deposit: i64::from(budget.percent) * RETRY / 100,
            reserve: i64::from(budget.reserve_per_second) * window * RETRY,
        }
    }

    /// Counts a request that is no retry.
    pub fn request(&mut self, now: Moment) {
        *self.slot(now) += self.deposit;
    }

    /// Takes a retry, if there is one left.
    pub fn retry(&mut self, now: Moment) -> bool {
        self.slot(now);
        let left: i64 = self.slots.iter().sum::<i64>() + self.reserve;
        if left < RETRY {
            return false;
        }
        *self.slot(now) -= RETRY;
        true
    }

    /// The slot of this second, those that are too old emptied.
    fn slot(&mut self, now: Moment) -> &mut i64 {
        let second = (now.elapsed().as_secs() / SLOT_SECONDS).max(self.second);
        let stale = (second - self.second).min(SLOTS as u64);
        for at in second - stale + 1..=second {
            self.slots[index(at)] = 0;
        }
        self.second = second;
        &mut self.slots[index(second)]
    }
}

fn index(second: u64) -> usize {
    usize::try_from(second % SLOTS as u64).expect("it is below the number of slots")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chance::Dice;

    fn at(ms: u64) -> Moment {
        Moment::after_start(Duration::from_millis(ms))
    }

    #[test]
    fn has_a_reserve_and_a_fifth_of_the_requests() {
        let mut budget = RetryBudget::new(&Budget::default());
        let taken = |budget: &mut RetryBudget, now| (0..10_000).take_while(|_| budget.retry(at(now))).count();
        assert_eq!(taken(&mut budget, 0), 100, "10 a second over the window");
        for _ in 0..1_000 {
            budget.request(at(500));
        }
        assert_eq!(taken(&mut budget, 9_999), 200, "a fifth of 1,000");
        assert_eq!(
            taken(&mut budget, 10_000),
            0,
            "the first second's 100 are forgotten, and its 1,000 requests, too"
        );
        assert_eq!(taken(&mut budget, 19_000), 100);
        let mut none = RetryBudget::new(&Budget { percent: 0, reserve_per_second: 0 });
        none.request(at(0));
        assert!(!none.retry(at(0)));
    }

    #[test]
    fn retries_of_a_window_never_exceed_share_and_reserve() {
        let mut dice = Dice::seeded(9);
        for percent in [0, 1, 20, 50, 100] {
            let mut budget = RetryBudget::new(&Budget { percent, reserve_per_second: 2 });
            let (mut now, mut requests, mut retries) = (0, Vec::new(), Vec::new());
            for _ in 0..5_000 {
                now += dice.below(40);
                budget.request(at(now));
                requests.push(now);
                // Everything fails, and everything would be tried again.
                if !budget.retry(at(now)) {
                    continue;
                }
                retries.push(now);
                // The window is counted in whole seconds: this one and nine before it.
                let oldest = (now / 1_000).saturating_sub(9) * 1_000;
                let count = |list: &[u64]| list.iter().rev().take_while(|at| **at >= oldest).count() as u64;
                assert!(count(&retries) * 100 <= count(&requests) * u64::from(percent) + 2 * 10 * 100);
            }
            let share = retries.len() as u64 * 100 / requests.len() as u64;
            assert!(share <= u64::from(percent) + 15, "{share} % of the requests were tried again");
        }
    }
}
