//! How long an endpoint takes: an average that follows bad news at once and good news slowly.

use std::time::Duration;

use crate::moment::Moment;

/// After this time without news an old value counts e times less.
const DECAY: Duration = Duration::from_secs(10);
/// What is expected of an endpoint that nobody knows anything of.
pub(crate) const FIRST: Duration = Duration::from_millis(30);

/// Longer times say nothing more.
const LONGEST: Duration = Duration::from_hours(1);

/// A peak-sensitive moving average of latencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    seconds: f64,
    at: Moment,
}

impl Latency {
    /// Begins with what is expected.
    pub fn expecting(expected: Duration, now: Moment) -> Self {
        Self { seconds: expected.min(LONGEST).as_secs_f64(), at: now }
    }

    /// Takes a measured latency in.
    pub fn record(&mut self, measured: Duration, now: Moment) {
        let measured = measured.min(LONGEST).as_secs_f64();
        let kept = self.kept(now);
        self.seconds =
            if measured > self.seconds { measured } else { self.seconds * kept + measured * (1.0 - kept) };
        self.at = self.at.max(now);
    }

    /// What is expected now, in seconds: without news it falls towards nothing, so that a slow endpoint is tried again.
    pub fn seconds(&self, now: Moment) -> f64 {
        self.seconds * self.kept(now)
    }

    fn kept(&self, now: Moment) -> f64 {
        (-now.since(self.at).as_secs_f64() / DECAY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_and_falls_with_time() {
        let at = |seconds| Moment::after_start(Duration::from_secs(seconds));
        let near =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        let mut latency = Latency::expecting(Duration::from_secs(1), at(0));
        near(latency.seconds(at(10)), (-1.0_f64).exp());
        latency.record(Duration::from_secs(2), at(0));
        near(latency.seconds(at(0)), 2.0);
        latency.record(Duration::from_secs(1), at(10));
        near(latency.seconds(at(10)), 2.0 * (-1.0_f64).exp() + 1.0 - (-1.0_f64).exp());
        latency.record(Duration::from_secs(3), at(5));
        near(latency.seconds(at(10)), 3.0);
    }
}
