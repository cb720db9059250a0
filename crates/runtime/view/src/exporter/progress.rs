//! How far an exporter is, for whoever looks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use coreto_machine::Timestamp;

/// How far an exporter is.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) sequence: AtomicU64,
    pub(super) position: AtomicU64,
    pub(super) timestamp: AtomicI64,
    pub(super) records: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) left_out: AtomicU64,
    /// The time of the oldest record that was sent and has not arrived, in milliseconds since 1970; 0 for none.
    oldest: AtomicI64,
    halted: OnceLock<String>,
}

impl Progress {
    /// The last batch whose records have all arrived.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// The last record that has arrived, or that was left out.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// The time of that record.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.timestamp.load(Ordering::Relaxed))
    }

    /// Records that have arrived since the start or were left out, repeats included.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Batches that were trimmed before they could be exported.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Failed attempts to send.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Documents that the receiver refused at the last attempt for what is in them, and that hold up those behind them.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Documents since the start that were left out, for the receiver refused them.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// How old the oldest record is that has not arrived, when batches up to `durable` are there. Until the first
    /// record was read nobody knows, and it is zero.
    pub fn lag(&self, now: Timestamp, durable: u64) -> Duration {
        let (oldest, arrived) = (self.oldest.load(Ordering::Relaxed), self.timestamp().as_millis());
        let since = if oldest == 0 { arrived } else { oldest };
        if self.sequence() >= durable || since == 0 {
            return Duration::ZERO;
        }
        Duration::from_millis(u64::try_from(now.as_millis() - since).unwrap_or(0))
    }

    /// The oldest record is known that has been sent and has not arrived, or there is none.
    pub(super) fn note_oldest(&self, at: Option<Timestamp>) {
        self.oldest.store(at.map_or(0, Timestamp::as_millis), Ordering::Relaxed);
    }

    /// Nothing is exported any more.
    pub(super) fn halt(&self, why: String) {
        self.halted.get_or_init(|| why);
    }

    /// Why the exporter exports nothing any more, if it does not: its cursor is damaged, or it met a batch that it cannot
    /// decode.
    pub fn halted(&self) -> Option<&str> {
        self.halted.get().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_age_of_what_has_not_arrived() {
        let progress = Progress::default();
        let lag = |durable| progress.lag(Timestamp::from_millis(10_000), durable).as_millis();
        assert_eq!(lag(7), 0, "nothing was read yet");
        progress.timestamp.store(4000, Ordering::Relaxed);
        progress.sequence.store(6, Ordering::Relaxed);
        assert_eq!((lag(6), lag(7)), (0, 6000));
        progress.note_oldest(Some(Timestamp::from_millis(9000)));
        assert_eq!(lag(7), 1000);
        progress.note_oldest(Some(Timestamp::from_millis(11_000)));
        assert_eq!(lag(7), 0, "the clock was set back");
    }
}
