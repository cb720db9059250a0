//! What the clients know: what they sent, and what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Ledger {
    next: u64,
    /// Instances by the number of their order, where the creation was acknowledged.
    pub(super) created: BTreeMap<u64, i64>,
    /// Orders whose creation was sent and not answered.
    pub(super) uncertain: BTreeSet<u64>,
    /// Instances by job, where the completion was acknowledged.
    pub(super) completed: BTreeMap<i64, i64>,
    /// How often the completion of a job was sent, with its instance.
    sent: BTreeMap<i64, (i64, u32)>,
    /// Acknowledged failures by job.
    pub(super) failed: BTreeMap<i64, u32>,
    /// Orders whose result was answered.
    pub(super) results: BTreeSet<u64>,
}

impl Ledger {
    /// A new order, which is about to be sent.
    pub(super) fn order(&mut self) -> u64 {
        self.next += 1;
        self.uncertain.insert(self.next);
        self.next
    }

    pub(super) fn note_created(&mut self, order: u64, instance: i64) {
        self.uncertain.remove(&order);
        assert!(self.created.insert(order, instance).is_none());
    }

    pub(super) fn note_sent(&mut self, job: i64, instance: i64) {
        self.sent.entry(job).or_insert((instance, 0)).1 += 1;
    }

    pub(super) fn note_completed(&mut self, job: i64, instance: i64) {
        let before = self.completed.insert(job, instance);
        assert!(before.is_none(), "the completion of job {job} was acknowledged twice");
    }

    /// A completion found no job: somebody else had sent one, too.
    pub(super) fn note_gone(&self, job: i64) {
        assert!(self.sent[&job].1 > 1, "job {job} is gone, though nobody completed it");
    }

    pub(super) fn note_failed(&mut self, job: i64) {
        *self.failed.entry(job).or_default() += 1;
    }

    /// Compares with all instances that run; gives those whose creation was not acknowledged.
    pub(super) fn check_running(&self, running: &[i64], round: u64) -> Vec<i64> {
        let running: BTreeSet<i64> = running.iter().copied().collect();
        for (job, instance) in &self.completed {
            assert!(!running.contains(instance), "round {round}: job {job} was completed and is back");
        }
        let perhaps_over: BTreeSet<i64> = self.sent.values().map(|(instance, _)| *instance).collect();
        for (order, instance) in &self.created {
            let there = running.contains(instance) || perhaps_over.contains(instance);
            assert!(
                there,
                "round {round}: instance {instance} of order {order} was acknowledged and is lost"
            );
        }
        let known: BTreeSet<i64> = self.created.values().copied().collect();
        running.difference(&known).copied().collect()
    }

    /// Whether an order that is found was sent, and to this instance where that is known.
    pub(super) fn check_sent(&self, order: u64, instance: i64) {
        let known = self.created.get(&order);
        let unanswered = self.uncertain.contains(&order);
        assert!(
            unanswered || known == Some(&instance),
            "instance {instance} has order {order}, not {known:?}"
        );
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "created: {} acknowledged, {} not; completed: {} acknowledged of {} sent; failures: {}; results: {}",
            self.created.len(),
            self.uncertain.len(),
            self.completed.len(),
            self.sent.len(),
            self.failed.values().sum::<u32>(),
            self.results.len(),
        )
    }
}
