//! When a snapshot is due.

use std::time::{Duration, Instant};

use coreto_log::{Backlog, Retention};

/// How long nothing is tried again after a failure, or for want of space.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// When snapshots are due.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotPolicy {
    /// After so many bytes of log.
    pub log_bytes: u64,
    /// After so much time, if anything happened.
    pub interval: Duration,
    /// How long readers hold the log back.
    pub retention: Retention,
}

impl Default for SnapshotPolicy {
    fn default() -> Self {
        Self { log_bytes: 1 << 30, interval: Duration::from_mins(30), retention: Retention::default() }
    }
}

/// When the last snapshot was made, in this process or before it, and whether it was.
pub(super) struct Schedule {
    policy: SnapshotPolicy,
    /// The newest snapshot holds all batches up to this one.
    sequence: u64,
    /// Bytes of log behind the newest snapshot when `counted` bytes had been written by this process.
    behind: u64,
    counted: u64,
    /// When the interval is over.
    next: Instant,
    tried: Option<Instant>,
    failed: bool,
}

impl Schedule {
    /// Goes on where the process before ended; `counted` are the bytes that this one has written.
    pub(super) fn new(policy: SnapshotPolicy, backlog: Backlog, counted: u64, now: Instant) -> Self {
        Self {
            policy,
            sequence: backlog.sequence,
            behind: backlog.bytes,
            counted,
            next: now + policy.interval.saturating_sub(backlog.age),
            tried: None,
            failed: false,
        }
    }

    /// Whether the newest snapshot is older than the store.
    pub(super) const fn is_behind(&self, sequence: u64) -> bool {
        self.sequence != sequence
    }

    /// Whether to make a snapshot of the store at `sequence`, and to trim.
    pub(super) fn is_due(&self, sequence: u64, counted: u64, is_space_low: bool, now: Instant) -> bool {
        let rests = self.tried.is_some_and(|at| now.saturating_duration_since(at) < PAUSE);
        let bytes = self.behind + counted.saturating_sub(self.counted);
        let wanted = self.is_behind(sequence) && (bytes >= self.policy.log_bytes || now >= self.next);
        if wanted && !self.failed { true } else { !rests && (wanted || is_space_low) }
    }

    pub(super) fn made(&mut self, sequence: u64, counted: u64, now: Instant) {
        let Self { policy, .. } = *self;
        let next = now + policy.interval;
        *self = Self { policy, sequence, behind: 0, counted, next, tried: Some(now), failed: false };
    }

    pub(super) fn failed(&mut self, now: Instant) {
        (self.tried, self.failed) = (Some(now), true);
    }

    /// There was nothing to make a snapshot of.
    pub(super) fn trimmed(&mut self, now: Instant) {
        self.tried = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn schedule(bytes: u64, age: Duration) -> (Schedule, Instant) {
        let policy = SnapshotPolicy { log_bytes: 1000, interval: 30 * MINUTE, ..SnapshotPolicy::default() };
        let now = Instant::now();
        (Schedule::new(policy, Backlog { sequence: 5, bytes, age }, 100, now), now)
    }

    #[test]
    fn counts_what_lay_there_at_the_start() {
        // Bytes and minutes before the start, bytes and minutes since.
        for (bytes, age, written, minutes, due) in [
            (0, 0, 999, 29, false),
            (0, 0, 1000, 0, true),
            (0, 0, 0, 30, true),
            (600, 0, 399, 0, false),
            (600, 0, 400, 0, true),
            (0, 20, 0, 9, false),
            (0, 20, 0, 10, true),
            (0, 90, 0, 0, true),
        ] {
            let (schedule, start) = schedule(bytes, age * MINUTE);
            let found = schedule.is_due(6, 100 + written, false, start + minutes * MINUTE);
            assert_eq!(found, due, "{bytes} bytes, {age} min; then {written} bytes, {minutes} min");
            assert!(!schedule.is_due(5, 100 + written, false, start + minutes * MINUTE), "nothing is new");
        }
    }

    #[test]
    fn comes_again_after_a_pause_when_it_failed() {
        let (mut schedule, start) = schedule(1000, Duration::ZERO);
        schedule.failed(start);
        assert!(!schedule.is_due(6, 100, false, start + PAUSE / 2));
        assert!(schedule.is_due(6, 100, false, start + PAUSE));
        schedule.made(6, 100, start + PAUSE);
        assert!(!schedule.is_due(7, 1099, false, start + 2 * PAUSE));
        assert!(schedule.is_due(7, 1100, false, start + PAUSE), "only a failure is waited after");
    }

    #[test]
    fn comes_when_space_is_low_but_not_all_the_time() {
        let (mut schedule, start) = schedule(0, Duration::ZERO);
        assert!(schedule.is_due(5, 100, true, start), "there may be something to trim");
        schedule.trimmed(start);
        assert!(!schedule.is_due(6, 100, true, start + PAUSE / 2));
        assert!(schedule.is_due(6, 100, true, start + PAUSE));
    }
}
