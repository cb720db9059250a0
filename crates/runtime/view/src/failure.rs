//! What happens when something does not work: it is told, and tried again after a pause.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

const PAUSE_MIN: Duration = Duration::from_millis(50);

/// The longest pause between two attempts.
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Pauses between attempts: from 50 ms to 5 s, each about twice as long as the one before.
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(PAUSE_MIN)
    }
}

impl Pause {
    /// Sleeps; [`thread::Thread::unpark`] ends it early.
    pub(crate) fn take(&mut self) {
        thread::park_timeout(self.next(chance()));
    }

    /// Between half of the pause and all of it, so that those who failed together do not come back together.
    fn next(&mut self, chance: u64) -> Duration {
        let half = self.0 / 2;
        let more = u64::try_from(half.as_micros()).expect("seconds fit");
        let pause = half + Duration::from_micros(chance % (more + 1));
        self.0 = (self.0 * 2).min(PAUSE_MAX);
        pause
    }

    /// Whether it has not worked for seconds.
    pub(crate) fn is_long(&self) -> bool {
        self.0 >= PAUSE_MAX
    }
}

fn chance() -> u64 {
    RandomState::new().hash_one(())
}

/// An error with its causes, on one line.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let mut pause = Pause::default();
        assert_eq!(pause.next(0), Duration::from_millis(25));
        assert_eq!(pause.next(50_000), Duration::from_millis(100));
        for chance in 0..20 {
            assert!(pause.next(chance) <= PAUSE_MAX);
        }
        assert!(pause.is_long());
        assert!(pause.next(u64::MAX) >= PAUSE_MAX / 2);
    }
}
