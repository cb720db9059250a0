//! Where jobs are pushed to: job streams, and polls that wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coreto_machine::Tenant;

/// What a stream or poll asks for.
#[derive(Clone, Debug)]
pub struct SinkSpec {
    /// The job type.
    pub job_type: Arc<str>,
    /// Who takes jobs.
    pub worker: Arc<str>,
    /// How long a job is held, in milliseconds.
    pub timeout_ms: i64,
    /// Names of variables; empty means all visible ones.
    pub fetch: Arc<[Arc<str>]>,
    /// Whose jobs.
    pub tenants: Arc<[Tenant]>,
    /// Stream or poll.
    pub kind: SinkKind,
}

/// How a sink takes jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// As long as it has credit.
    Stream,
    /// In one batch, once, and only after it was parked.
    Poll {
        /// How many jobs at most.
        max: u32,
    },
}

/// Streams and polls, shared by all partitions and the gateway.
#[derive(Debug, Default)]
pub struct Sinks {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    last_turn: u64,
    sinks: BTreeMap<u64, Sink>,
    /// Sinks that may be offered jobs, by type and turn: the lowest turn is next.
    lines: BTreeMap<Arc<str>, BTreeMap<u64, u64>>,
}

#[derive(Debug)]
struct Sink {
    spec: SinkSpec,
    credit: u32,
    /// Its turn in the line of its type, while it stands there.
    turn: Option<u64>,
}

/// Credit for one job.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) sink: u64,
    pub(crate) worker: Arc<str>,
    pub(crate) timeout_ms: i64,
    pub(crate) fetch: Arc<[Arc<str>]>,
    pub(crate) max: i32,
    pub(crate) is_poll: bool,
}

impl Sinks {
    /// Opens a sink and gives its number, which is never used again. A stream is offered jobs at once, a poll once
    /// the handler of its command has parked it.
    pub fn open(&self, spec: SinkSpec, credit: u32) -> u64 {
        let mut inner = self.lock();
        inner.last += 1;
        let number = inner.last;
        let stream = spec.kind == SinkKind::Stream;
        inner.sinks.insert(number, Sink { spec, credit, turn: None });
        if stream {
            inner.line_up(number);
        }
        number
    }

    /// `count` more jobs may be pushed.
    pub fn add_credit(&self, sink: u64, count: u32) {
        if let Some(sink) = self.lock().sinks.get_mut(&sink) {
            sink.credit = sink.credit.saturating_add(count);
        }
    }

    /// Nothing more is pushed. May be called again.
    pub fn close(&self, sink: u64) {
        let mut inner = self.lock();
        inner.leave_line(sink);
        inner.sinks.remove(&sink);
    }

    /// How many streams are open, and how many polls are parked.
    pub fn count(&self) -> (u32, u32) {
        let inner = self.lock();
        let streams = inner.sinks.values().filter(|sink| sink.spec.kind == SinkKind::Stream).count();
        let parked = inner
            .sinks
            .values()
            .filter(|sink| sink.spec.kind != SinkKind::Stream && sink.turn.is_some())
            .count();
        (u32::try_from(streams).unwrap_or(u32::MAX), u32::try_from(parked).unwrap_or(u32::MAX))
    }

    /// A poll waits for jobs.
    pub(crate) fn park(&self, poll: u64) {
        self.lock().line_up(poll);
    }

    /// A poll gets no more: it was not parked after all, or the batch that served it is closed.
    pub(crate) fn unpark(&self, poll: u64) {
        self.lock().leave_line(poll);
    }

    /// Takes one credit of the sink whose turn it is.
    pub(crate) fn take(&self, job_type: &str, tenant: Tenant, polls_only: bool) -> Option<Taken> {
        let mut inner = self.lock();
        let Inner { sinks, lines, last_turn, .. } = &mut *inner;
        let line = lines.get_mut(job_type)?;
        let mut turn = 0;
        // Bound: each round goes on to a later turn, and new turns are given only to the one that is taken.
        loop {
            let (&next, &number) = line.range(turn..).next()?;
            turn = next + 1;
            let Some(sink) = sinks.get_mut(&number) else { continue };
            let spec = &sink.spec;
            if sink.credit == 0
                || (polls_only && spec.kind == SinkKind::Stream)
                || !spec.tenants.contains(&tenant)
            {
                continue;
            }
            *last_turn += 1;
            line.remove(&next);
            line.insert(*last_turn, number);
            sink.turn = Some(*last_turn);
            sink.credit -= 1;
            let (max, is_poll) = match spec.kind {
                SinkKind::Stream => (1, false),
                SinkKind::Poll { max } => (i32::try_from(max).unwrap_or(i32::MAX), true),
            };
            return Some(Taken {
                sink: number,
                worker: Arc::clone(&spec.worker),
                timeout_ms: spec.timeout_ms,
                fetch: Arc::clone(&spec.fetch),
                max,
                is_poll,
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn line_up(&mut self, number: u64) {
        let Some(sink) = self.sinks.get_mut(&number).filter(|sink| sink.turn.is_none()) else { return };
        self.last_turn += 1;
        sink.turn = Some(self.last_turn);
        self.lines.entry(Arc::clone(&sink.spec.job_type)).or_default().insert(self.last_turn, number);
    }

    fn leave_line(&mut self, number: u64) {
        let Some(sink) = self.sinks.get_mut(&number) else { return };
        let Some(turn) = sink.turn.take() else { return };
        if let Some(line) = self.lines.get_mut(&sink.spec.job_type) {
            line.remove(&turn);
            if line.is_empty() {
                self.lines.remove(&sink.spec.job_type);
            }
        }
    }
}
