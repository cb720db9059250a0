//! What the shell lends to handlers.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_machine::Tenant;

use crate::limits::Limits;
use crate::sink::{Sinks, Taken};

/// Streams and polls, limits, the time zone. What a transaction takes is given back when it is undone.
#[derive(Debug)]
pub struct Env {
    /// Streams and polls of all partitions.
    pub sinks: Arc<Sinks>,
    /// Bounds.
    pub limits: Limits,
    /// The time zone of expressions, by its IANA name.
    pub zone: Arc<str>,
    /// Credit that this transaction took.
    taken: Vec<Credit>,
    /// Polls that this transaction parked.
    parked: Vec<u64>,
    /// Polls that this transaction found full: they wait no more.
    full: Vec<u64>,
    /// Polls that got a job in the open batch, and bytes of their jobs.
    carried: BTreeMap<u64, usize>,
}

/// Credit for one job.
#[derive(Debug)]
struct Credit {
    sink: u64,
    /// Bytes of the job, which count for polls: all of theirs go into one message.
    bytes: usize,
}

impl Env {
    /// An environment over shared sinks.
    pub fn new(sinks: Arc<Sinks>, limits: Limits, zone: Arc<str>) -> Self {
        let (taken, parked, full, carried) = Default::default();
        Self { sinks, limits, zone, taken, parked, full, carried }
    }

    /// Takes credit of a stream or parked poll for a job of a type and owner.
    pub(crate) fn take(&mut self, job_type: &str, tenant: Tenant, polls_only: bool) -> Option<Taken> {
        let taken = self.sinks.take(job_type, tenant, polls_only)?;
        self.taken.push(Credit { sink: taken.sink, bytes: 0 });
        Some(taken)
    }

    /// Gives back what was taken last: no job came of it.
    pub(crate) fn give_back(&mut self) {
        if let Some(Credit { sink, .. }) = self.taken.pop() {
            self.sinks.add_credit(sink, 1);
        }
    }

    /// Counts the bytes of the job for which credit of a poll was taken last. A poll whose message they do not fit into
    /// gets its credit back and no more jobs; then it says `false`.
    pub(crate) fn carry(&mut self, poll: u64, bytes: usize) -> bool {
        let carried = self.carried.entry(poll).or_default();
        if *carried > 0 && *carried + bytes > self.limits.message_bytes_max {
            self.give_back();
            self.sinks.unpark(poll);
            self.full.push(poll);
            return false;
        }
        *carried += bytes;
        if let Some(credit) = self.taken.last_mut() {
            credit.bytes = bytes;
        }
        true
    }

    /// Lets a poll wait for jobs.
    pub(crate) fn park(&mut self, poll: u64) {
        self.sinks.park(poll);
        self.parked.push(poll);
    }
}

impl coreto_machine::Env for Env {
    fn commit(&mut self) {
        self.parked.clear();
        self.full.clear();
        self.taken.clear();
    }

    fn undo(&mut self) {
        for Credit { sink, bytes } in self.taken.drain(..) {
            self.sinks.add_credit(sink, 1);
            if let Some(carried) = self.carried.get_mut(&sink) {
                *carried = carried.saturating_sub(bytes);
                if *carried == 0 {
                    self.carried.remove(&sink);
                }
            }
        }
        // One that was served before in this batch is told no more with it.
        for poll in self.full.drain(..).filter(|poll| !self.carried.contains_key(poll)) {
            self.sinks.park(poll);
        }
        for poll in self.parked.drain(..) {
            self.sinks.unpark(poll);
        }
    }

    fn seal(&mut self) {
        for poll in std::mem::take(&mut self.carried).into_keys() {
            self.sinks.unpark(poll);
        }
    }
}
