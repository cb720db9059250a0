//! What a cluster may be asked at a time, counted over all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::model::Circuit;

/// A bounded number of things at a time.
#[derive(Debug)]
pub struct Gate {
    taken: Arc<AtomicU32>,
    max: u32,
}

/// One of the things; dropping it gives it back.
#[derive(Debug)]
pub struct Permit(Arc<AtomicU32>);

impl Gate {
    /// A gate through which this many may be at a time.
    pub fn new(max: u32) -> Self {
        Self { taken: Arc::default(), max }
    }

    /// The same gate with another bound: what is taken of the one counts at the other.
    #[must_use]
    pub fn bounded(&self, max: u32) -> Self {
        Self { taken: Arc::clone(&self.taken), max }
    }

    /// Takes one, if there is one left.
    pub fn enter(&self) -> Option<Permit> {
        let more = |taken: u32| (taken < self.max).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).ok()?;
        Some(Permit(Arc::clone(&self.taken)))
    }

    /// How many are taken.
    pub fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The gates of one cluster.
#[derive(Debug)]
pub struct Gates {
    /// Requests in flight.
    pub requests: Gate,
    /// Requests that wait for a connection.
    pub pending: Gate,
}

impl Gates {
    /// Gates of which nothing is taken, or as much as of those `before`.
    pub fn new(circuit: &Circuit, before: Option<&Self>) -> Self {
        let gate =
            |max, before: Option<&Gate>| before.map_or_else(|| Gate::new(max), |gate| gate.bounded(max));
        Self {
            requests: gate(circuit.requests, before.map(|gates| &gates.requests)),
            pending: gate(circuit.pending, before.map(|gates| &gates.pending)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_no_more_in_than_its_bound_and_takes_back_what_is_dropped() {
        let gate = Gate::new(2);
        let (one, other) = (gate.enter(), gate.enter());
        assert!(one.is_some() && other.is_some() && gate.enter().is_none());
        drop(one);
        assert_eq!(gate.taken(), 1);
        let again = gate.enter();
        assert!(again.is_some() && gate.enter().is_none());
        let narrow = gate.bounded(1);
        drop(again);
        assert!(narrow.enter().is_none(), "one is still taken");
        assert!(gate.enter().is_some(), "the bound of the one is not that of the other");
        drop(other);
        assert!(narrow.enter().is_some());
    }

    #[test]
    fn counts_over_threads() {
        let gate = Gate::new(3);
        let most = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let gate = &gate;
                    scope.spawn(move || {
                        let seen = (0..10_000).filter_map(|_| gate.enter().map(|_permit| gate.taken()));
                        seen.max().unwrap_or(0)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).max()
        });
        assert!(most.is_some_and(|most| (1..=3).contains(&most)), "{most:?}");
        assert_eq!(gate.taken(), 0);
    }
}
