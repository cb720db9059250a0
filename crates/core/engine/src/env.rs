//! What the shell lends to handlers.

use std::sync::Arc;

use coreto_machine::Tenant;

use crate::sink::{Sinks, Taken};

/// Bounds of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of jobs that one answer may carry.
    pub message_bytes_max: usize,
    /// Due entries that one tick takes.
    pub due_per_tick: usize,
    /// Children that are told at once that their scope ends.
    pub children_per_step: usize,
    /// Characters of an error message that are kept.
    pub error_message_chars: usize,
    /// Names of variables that a request for jobs or a result may list.
    pub fetch_names_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: (4 << 20) - (64 << 10),
            due_per_tick: 100,
            children_per_step: 50,
            error_message_chars: 10_000,
            fetch_names_max: 1000,
        }
    }
}

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
