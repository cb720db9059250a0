//! Counts of durations, exact to 1 in 128.

use std::time::Duration;

const FINE_BITS: u32 = 7;
const FINE: usize = 1 << FINE_BITS;

/// A histogram of nanoseconds: each power of two is split into 128 equal parts.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    max: u64,
}

impl Histogram {
    /// One of nothing.
    pub fn new() -> Self {
        let powers = (u64::BITS - FINE_BITS + 1) as usize;
        Self { counts: vec![0; powers * FINE], count: 0, sum: 0, max: 0 }
    }

    /// Counts a time in nanoseconds.
    pub fn add(&mut self, nanos: u64) {
        self.counts[slot(nanos)] += 1;
        self.count += 1;
        self.sum += u128::from(nanos);
        self.max = self.max.max(nanos);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The mean.
    pub fn mean(&self) -> Duration {
        let mean = self.sum.checked_div(u128::from(self.count)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The smallest value that `permille` of all do not exceed.
    pub fn quantile(&self, permille: u64) -> Duration {
        let rank = (u128::from(self.count) * u128::from(permille)).div_ceil(1000).max(1);
        let mut seen = 0u128;
        for (slot, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return Duration::from_nanos(highest(slot).min(self.max));
            }
        }
        Duration::ZERO
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

fn slot(nanos: u64) -> usize {
    // Below 128 the value is its own slot; above, the leading one and the seven bits behind it are.
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(FINE_BITS + 1);
    let fine = usize::try_from(nanos >> shift).expect("it is eight bits");
    shift as usize * FINE + fine
}

fn highest(slot: usize) -> u64 {
    let shift = (slot / FINE).saturating_sub(1);
    let fine = slot - shift * FINE;
    let next = (fine as u128 + 1) << shift;
    u64::try_from(next - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_slot_that_is_at_most_one_128th_wide() {
        for nanos in
            (0..64).flat_map(|bit| [1u64 << bit, (1u64 << bit) + 1, (1u64 << bit) - 1]).chain([u64::MAX])
        {
            let highest = highest(slot(nanos));
            assert!(highest >= nanos, "{nanos} in {highest}");
            assert!(highest - nanos <= nanos / 128, "{nanos} in {highest}");
            assert!(slot(nanos) < Histogram::new().counts.len());
        }
    }

    #[test]
    fn counts_ranks_and_means() {
        let mut histogram = Histogram::new();
        assert_eq!((histogram.quantile(500), histogram.mean()), (Duration::ZERO, Duration::ZERO));
        (1..=100).for_each(|nanos| histogram.add(nanos));
        assert_eq!(histogram.quantile(500).as_nanos(), 50);
        assert_eq!(histogram.quantile(990).as_nanos(), 99);
        assert_eq!(histogram.quantile(1000), histogram.max());
        assert_eq!(histogram.mean().as_nanos(), 50);
        assert_eq!(histogram.count(), 100);
    }
}
