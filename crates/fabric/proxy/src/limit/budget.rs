//! How many retries there may be: a share of the requests of the last ten seconds, and a few on top.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Budget;
use crate::moment::Moment;

/// Slots of the window, each of a second.
const SLOTS: usize = 10;

/// Counts requests and retries over the last ten seconds, for all workers. A request counts without a lock.
#[derive(Debug)]
pub struct RetryBudget {
    window: Arc<Window>,
    percent: u64,
    reserve: u64,
}

#[derive(Debug, Default)]
struct Window {
    requests: [Slot; SLOTS],
    retries: Mutex<[Slot; SLOTS]>,
}

/// How many there were in one second: the second in the upper half, the count in the lower one.
#[derive(Debug, Default)]
struct Slot(AtomicU64);

impl Slot {
    fn add(&self, second: u64) {
        let begun = self.0.load(Ordering::Relaxed);
        if begun >> 32 == second {
            self.0.fetch_add(1, Ordering::Relaxed);
        } else if begun >> 32 < second
            && let Err(now) =
                self.0.compare_exchange(begun, second << 32 | 1, Ordering::Relaxed, Ordering::Relaxed)
            && now >> 32 == second
        {
            // Another worker has begun the second a moment ago.
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many, if it is of the ten seconds that end with this one.
    fn recent(&self, second: u64) -> u64 {
        let slot = self.0.load(Ordering::Relaxed);
        if slot >> 32 > second.saturating_sub(SLOTS as u64) || second < SLOTS as u64 {
            slot & u64::from(u32::MAX)
        } else {
            0
        }
    }
}

impl RetryBudget {
    /// A budget of which nothing is used, or as much as of the one `before`.
    pub fn new(budget: &Budget, before: Option<&Self>) -> Self {
        Self {
            window: before.map(|before| Arc::clone(&before.window)).unwrap_or_default(),
            percent: u64::from(budget.percent),
            reserve: u64::from(budget.reserve_per_second) * SLOTS as u64,
        }
    }

    /// Counts a request that is no retry.
    pub fn request(&self, now: Moment) {
        let second = now.elapsed().as_secs();
        self.window.requests[index(second)].add(second);
    }

    /// Takes a retry, if there is one left.
    pub fn retry(&self, now: Moment) -> bool {
        let second = now.elapsed().as_secs();
        let sum = |slots: &[Slot]| slots.iter().map(|slot| slot.recent(second)).sum::<u64>();
        let retries = self.window.retries.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = sum(&self.window.requests) * self.percent / 100 + self.reserve;
        let may = sum(retries.as_slice()) < allowed;
        if may {
            retries[index(second)].add(second);
        }
        may
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
        let budget = RetryBudget::new(&Budget::default(), None);
        let taken = |budget: &RetryBudget, now| (0..10_000).take_while(|_| budget.retry(at(now))).count();
        assert_eq!(taken(&budget, 0), 100, "10 a second over the window");
        for _ in 0..1_000 {
            budget.request(at(500));
        }
        assert_eq!(taken(&budget, 9_999), 200, "a fifth of 1,000");
        assert_eq!(
            taken(&budget, 10_000),
            0,
            "the first second's 100 are forgotten, and its 1,000 requests, too"
        );
        assert_eq!(taken(&budget, 19_000), 100);
        let none = RetryBudget::new(&Budget { percent: 0, reserve_per_second: 0 }, None);
        none.request(at(0));
        assert!(!none.retry(at(0)));
        let used = RetryBudget::new(&Budget { percent: 0, reserve_per_second: 1 }, None);
        assert_eq!(taken(&used, 0), 10);
        let more = RetryBudget::new(&Budget { percent: 0, reserve_per_second: 2 }, Some(&used));
        assert_eq!(taken(&more, 0), 10, "what was used under other bounds is used");
    }

    #[test]
    fn retries_of_a_window_never_exceed_share_and_reserve() {
        let mut dice = Dice::seeded(9);
        for percent in [0, 1, 20, 50, 100] {
            let budget = RetryBudget::new(&Budget { percent, reserve_per_second: 2 }, None);
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
