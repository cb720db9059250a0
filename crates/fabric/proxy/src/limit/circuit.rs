//! What a cluster may be asked at a time, counted over all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::model::Circuit;

/// A bounded number of things at a time.
#[derive(Debug)]
pub struct Gate {
    taken: AtomicU32,
    max: AtomicU32,
}

/// One of the things; dropping it gives it back.
#[derive(Debug)]
pub struct Permit(Arc<Gate>);

impl Gate {
    /// A gate through which this many may be at a time.
    pub fn new(max: u32) -> Arc<Self> {
        Arc::new(Self { taken: AtomicU32::new(0), max: AtomicU32::new(max) })
    }

    /// Takes one, if there is one left.
    pub fn enter(self: &Arc<Self>) -> Option<Permit> {
        let max = self.max.load(Ordering::Relaxed);
        let more = |taken: u32| (taken < max).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).ok()?;
        Some(Permit(Arc::clone(self)))
    }

    /// How many are taken.
    pub fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Changes the bound; what is taken stays taken.
    pub fn set_max(&self, max: u32) {
        self.max.store(max, Ordering::Relaxed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The gates of one cluster.
#[derive(Clone, Debug)]
pub struct Gates {
    /// Requests in flight.
    pub requests: Arc<Gate>,
    /// Requests that wait for a connection.
    pub pending: Arc<Gate>,
}

impl Gates {
    /// Gates of which nothing is taken.
    pub fn new(circuit: &Circuit) -> Self {
        Self { requests: Gate::new(circuit.requests), pending: Gate::new(circuit.pending) }
    }

    /// Takes over new bounds.
    pub fn adjust(&self, circuit: &Circuit) {
        self.requests.set_max(circuit.requests);
        self.pending.set_max(circuit.pending);
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
        gate.set_max(1);
        drop(again);
        assert!(gate.enter().is_none(), "one is still taken");
        drop(other);
        assert!(gate.enter().is_some());
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
