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
    /// Sinks that have credit for jobs of a type and an owner.
    lines: BTreeMap<Arc<str>, BTreeMap<Tenant, Line>>,
}

/// Sinks by turn: the lowest is next.
#[derive(Debug, Default)]
struct Line {
    streams: BTreeMap<u64, u64>,
    polls: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Sink {
    spec: SinkSpec,
    credit: u32,
    /// Its turn, once it may be offered jobs; it stands in the lines of its type while it has credit, too.
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
        let mut inner = self.lock();
        if let Some(found) = inner.sinks.get_mut(&sink) {
            let had_none = found.credit == 0;
            found.credit = found.credit.saturating_add(count);
            if had_none {
                inner.stand(sink);
            }
        }
    }

    /// Nothing more is pushed. May be called again.
    pub fn close(&self, sink: u64) {
        let mut inner = self.lock();
        inner.leave(sink);
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
        self.lock().leave(poll);
    }

    /// Takes one credit of the sink whose turn it is.
    pub(crate) fn take(&self, job_type: &str, tenant: Tenant, polls_only: bool) -> Option<Taken> {
        let mut inner = self.lock();
        let number = inner.lines.get(job_type)?.get(&tenant)?.next(polls_only)?;
        inner.last_turn += 1;
        let turn = inner.last_turn;
        let sink = inner.sinks.get_mut(&number)?;
        let before = sink.turn.replace(turn)?;
        sink.credit -= 1;
        let (max, is_poll) = match sink.spec.kind {
            SinkKind::Stream => (1, false),
            SinkKind::Poll { max } => (i32::try_from(max).unwrap_or(i32::MAX), true),
        };
        let taken = Taken {
            sink: number,
            worker: Arc::clone(&sink.spec.worker),
            timeout_ms: sink.spec.timeout_ms,
            fetch: Arc::clone(&sink.spec.fetch),
            max,
            is_poll,
        };
        // In this order: a line that empties is taken down, and put up again for the next job.
        inner.stand(number);
        inner.step_out(number, before);
        Some(taken)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// The sink whose turn it is.
    fn next(&self, polls_only: bool) -> Option<u64> {
        let poll = self.polls.first_key_value();
        let stream = if polls_only { None } else { self.streams.first_key_value() };
        let next = match (poll, stream) {
            (Some(poll), Some(stream)) => Some(poll.min(stream)),
            (poll, stream) => poll.or(stream),
        };
        next.map(|(_, number)| *number)
    }

    const fn of(&mut self, kind: SinkKind) -> &mut BTreeMap<u64, u64> {
        match kind {
            SinkKind::Stream => &mut self.streams,
            SinkKind::Poll { .. } => &mut self.polls,
        }
    }

    fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.polls.is_empty()
    }
}

impl Inner {
    /// Gives a sink a turn, the last, if it has none.
    fn line_up(&mut self, number: u64) {
        let Some(sink) = self.sinks.get_mut(&number).filter(|sink| sink.turn.is_none()) else { return };
        self.last_turn += 1;
        sink.turn = Some(self.last_turn);
        self.stand(number);
    }

    /// Takes a sink's turn away.
    fn leave(&mut self, number: u64) {
        if let Some(turn) = self.sinks.get_mut(&number).and_then(|sink| sink.turn.take()) {
            self.step_out(number, turn);
        }
    }

    /// Lets a sink stand in its lines, if it has a turn and credit.
    fn stand(&mut self, number: u64) {
        let Self { sinks, lines, .. } = self;
        let Some(Sink { spec, credit: 1.., turn: Some(turn) }) = sinks.get(&number) else { return };
        let line = lines.entry(Arc::clone(&spec.job_type)).or_default();
        for tenant in &*spec.tenants {
            line.entry(*tenant).or_default().of(spec.kind).insert(*turn, number);
        }
    }

    /// Takes a sink out of the place that a turn gave it in its lines.
    fn step_out(&mut self, number: u64, turn: u64) {
        let Self { sinks, lines, .. } = self;
        let Some(Sink { spec, .. }) = sinks.get(&number) else { return };
        let Some(of_type) = lines.get_mut(&spec.job_type) else { return };
        for tenant in &*spec.tenants {
            if let Some(line) = of_type.get_mut(tenant) {
                line.of(spec.kind).remove(&turn);
                if line.is_empty() {
                    of_type.remove(tenant);
                }
            }
        }
        if of_type.is_empty() {
            lines.remove(&spec.job_type);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: SinkKind, tenants: &[u32]) -> SinkSpec {
        SinkSpec {
            job_type: "pack".into(),
            worker: "w".into(),
            timeout_ms: 1,
            fetch: [].into(),
            tenants: tenants.iter().copied().map(Tenant::from_raw).collect(),
            kind,
        }
    }

    /// Who is offered the next jobs of a tenant.
    fn offered(sinks: &Sinks, tenant: u32, polls_only: bool, times: usize) -> Vec<u64> {
        let take = || sinks.take("pack", Tenant::from_raw(tenant), polls_only);
        (0..times).map_while(|_| take().map(|taken| taken.sink)).collect()
    }

    /// How many stand in any line.
    fn standing(sinks: &Sinks) -> usize {
        let inner = sinks.lock();
        inner
            .lines
            .values()
            .flat_map(BTreeMap::values)
            .map(|line| line.streams.len() + line.polls.len())
            .sum()
    }

    #[test]
    fn those_with_credit_take_turns_and_no_others_stand_in_line() {
        let sinks = Sinks::default();
        let [first, second, third] = [2, 1, 2].map(|credit| sinks.open(spec(SinkKind::Stream, &[0]), credit));
        for _ in 0..100 {
            sinks.open(spec(SinkKind::Stream, &[0]), 0);
        }
        assert_eq!(standing(&sinks), 3);
        assert_eq!(offered(&sinks, 0, false, 9), [first, second, third, first, third]);
        assert_eq!(standing(&sinks), 0);
        // Each comes back to the turn that it has: the one that was served last is the last.
        for sink in [third, first, second] {
            sinks.add_credit(sink, 1);
        }
        assert_eq!(offered(&sinks, 0, false, 9), [second, first, third]);
        sinks.add_credit(first, 1);
        sinks.close(first);
        sinks.add_credit(first, 1);
        assert_eq!((offered(&sinks, 0, false, 9).len(), standing(&sinks)), (0, 0));
    }

    #[test]
    fn polls_stand_only_while_parked_and_tenants_apart() {
        let sinks = Sinks::default();
        let poll = sinks.open(spec(SinkKind::Poll { max: 2 }, &[0, 1]), 2);
        let stream = sinks.open(spec(SinkKind::Stream, &[1]), 2);
        assert_eq!(offered(&sinks, 0, false, 1), []);
        sinks.park(poll);
        assert_eq!(offered(&sinks, 1, false, 2), [stream, poll]);
        assert_eq!(offered(&sinks, 1, true, 9), [poll], "no streams");
        assert_eq!(offered(&sinks, 0, false, 9), []);
        sinks.add_credit(poll, 1);
        sinks.unpark(poll);
        assert_eq!(offered(&sinks, 1, false, 9), [stream]);
        sinks.add_credit(stream, 1);
        sinks.park(poll);
        assert_eq!(offered(&sinks, 1, false, 9), [stream, poll]);
    }
}
