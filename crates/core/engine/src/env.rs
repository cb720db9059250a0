//! What the shell lends to handlers.

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
    /// Credit that this transaction took: of which sink, and whether that is a poll.
    taken: Vec<(u64, bool)>,
    /// Polls that this transaction parked.
    parked: Vec<u64>,
    /// Polls that got a job in the open batch.
    served: Vec<u64>,
}

impl Env {
    /// An environment over shared sinks.
    pub fn new(sinks: Arc<Sinks>, limits: Limits, zone: Arc<str>) -> Self {
        Self { sinks, limits, zone, taken: Vec::new(), parked: Vec::new(), served: Vec::new() }
    }

    /// Takes credit of a stream or parked poll for a job of a type and owner.
    pub(crate) fn take(&mut self, job_type: &str, tenant: Tenant, polls_only: bool) -> Option<Taken> {
        let taken = self.sinks.take(job_type, tenant, polls_only)?;
        self.taken.push((taken.sink, taken.is_poll));
        Some(taken)
    }

    /// Gives back what was taken last: no job came of it.
    pub(crate) fn give_back(&mut self) {
        if let Some((sink, _)) = self.taken.pop() {
            self.sinks.add_credit(sink, 1);
        }
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
        self.served.extend(self.taken.drain(..).filter(|(_, is_poll)| *is_poll).map(|(sink, _)| sink));
    }

    fn undo(&mut self) {
        for (sink, _) in self.taken.drain(..) {
            self.sinks.add_credit(sink, 1);
        }
        for poll in self.parked.drain(..) {
            self.sinks.unpark(poll);
        }
    }

    fn seal(&mut self) {
        for poll in self.served.drain(..) {
            self.sinks.unpark(poll);
        }
    }
}
