//! Streams and polls that jobs are pushed to, as their runtime thread sees them.

use std::collections::{HashMap, VecDeque};
use std::task::{Poll, Waker};

use coreto_record::ActivatedJob;

/// By the number that the engine gave.
#[derive(Default)]
pub(crate) struct Sinks {
    sinks: HashMap<u64, Sink>,
    /// No more jobs are taken: the server drains.
    draining: bool,
}

struct Sink {
    jobs: VecDeque<Box<ActivatedJob>>,
    waker: Option<Waker>,
    /// The sweep during which the first of the jobs came, or the client last took one.
    waiting_since: u32,
    /// Credit that the engine gets back when the client reads.
    owed: u32,
    kind: Kind,
}

/// What a sink is to its client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Takes jobs as long as the client reads them.
    Stream,
    /// Takes what the first batch brings.
    Poll,
}

/// Credit is returned in portions, each of which costs an atomic operation shared with the engine.
const PORTION: u32 = 16;

impl Sinks {
    /// Makes a sink known.
    pub(crate) fn open(&mut self, sink: u64, kind: Kind) {
        let jobs = VecDeque::new();
        self.sinks.insert(sink, Sink { jobs, waker: None, waiting_since: 0, owed: 0, kind });
    }

    /// How many streams and polls there are.
    pub(crate) fn count(&self) -> (u64, u64) {
        let streams = self.sinks.values().filter(|sink| sink.kind == Kind::Stream).count();
        (streams as u64, (self.sinks.len() - streams) as u64)
    }

    /// How many sinks there are.
    pub(crate) fn len(&self) -> usize {
        self.sinks.len()
    }

    /// Forgets a sink and gives its jobs that nobody took.
    pub(crate) fn close(&mut self, sink: u64) -> Vec<ActivatedJob> {
        self.sinks.remove(&sink).map(|sink| sink.jobs).into_iter().flatten().map(|job| *job).collect()
    }

    /// Takes a job in, or gives it back when its sink is gone.
    pub(crate) fn push(
        &mut self,
        sink: u64,
        job: Box<ActivatedJob>,
        sweep: u32,
    ) -> Option<Box<ActivatedJob>> {
        if self.draining {
            return Some(job);
        }
        let Some(sink) = self.sinks.get_mut(&sink) else {
            return Some(job);
        };
        if sink.jobs.is_empty() {
            sink.waiting_since = sweep;
        }
        sink.jobs.push_back(job);
        if let Some(waker) = sink.waker.take() {
            waker.wake();
        }
        None
    }

    /// Takes the next job of a stream, or `None` at its end; and how much credit may be returned.
    pub(crate) fn take(
        &mut self,
        sink: u64,
        sweep: u32,
        by: &Waker,
    ) -> (Poll<Option<Box<ActivatedJob>>>, u32) {
        let Some(sink) = self.sinks.get_mut(&sink) else {
            return (Poll::Ready(None), 0);
        };
        if let Some(job) = sink.jobs.pop_front() {
            sink.waiting_since = sweep;
            sink.owed += 1;
            let portion = sink.jobs.is_empty() || sink.owed >= PORTION;
            return (Poll::Ready(Some(job)), if portion { std::mem::take(&mut sink.owed) } else { 0 });
        }
        let credit = std::mem::take(&mut sink.owed);
        if self.draining {
            return (Poll::Ready(None), credit);
        }
        sink.wait(by);
        (Poll::Pending, credit)
    }

    /// Takes all jobs that came for a poll; none when the server drains.
    pub(crate) fn take_all(&mut self, sink: u64, by: &Waker) -> Poll<Vec<ActivatedJob>> {
        let Some(sink) = self.sinks.get_mut(&sink) else {
            return Poll::Ready(Vec::new());
        };
        if sink.jobs.is_empty() && !self.draining {
            sink.wait(by);
            return Poll::Pending;
        }
        Poll::Ready(sink.jobs.drain(..).map(|job| *job).collect())
    }

    /// Takes the jobs from streams whose client has not read for so many sweeps. Their credit stays out
    /// until it does.
    pub(crate) fn stalled(&mut self, sweep: u32, sweeps_max: u32, orphans: &mut Vec<ActivatedJob>) {
        for sink in self.sinks.values_mut() {
            if sink.kind == Kind::Stream
                && !sink.jobs.is_empty()
                && sweep.wrapping_sub(sink.waiting_since) > sweeps_max
            {
                sink.owed = sink.owed.saturating_add(u32::try_from(sink.jobs.len()).unwrap_or(u32::MAX));
                orphans.extend(sink.jobs.drain(..).map(|job| *job));
            }
        }
    }

    /// Ends all polls and streams; what they did not take is given back.
    pub(crate) fn drain(&mut self) -> Vec<ActivatedJob> {
        self.draining = true;
        let mut orphans = Vec::new();
        for sink in self.sinks.values_mut() {
            orphans.extend(sink.jobs.drain(..).map(|job| *job));
            if let Some(waker) = sink.waker.take() {
                waker.wake();
            }
        }
        orphans
    }
}

impl Sink {
    fn wait(&mut self, by: &Waker) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(by),
            None => self.waker = Some(by.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Box<ActivatedJob> {
        Box::default()
    }

    #[test]
    fn jobs_for_a_closed_sink_come_back() {
        let mut sinks = Sinks::default();
        sinks.open(1, Kind::Stream);
        assert!(sinks.push(1, job(), 0).is_none());
        assert_eq!(sinks.close(1).len(), 1);
        assert!(sinks.push(1, job(), 0).is_some());
    }

    #[test]
    fn credit_of_unread_jobs_returns_when_the_client_reads() {
        let mut sinks = Sinks::default();
        sinks.open(1, Kind::Stream);
        for _ in 0..3 {
            sinks.push(1, job(), 5);
        }
        let mut orphans = Vec::new();
        sinks.stalled(7, 2, &mut orphans);
        assert!(orphans.is_empty());
        sinks.stalled(8, 2, &mut orphans);
        assert_eq!(orphans.len(), 3);
        let (taken, credit) = sinks.take(1, 9, Waker::noop());
        assert!(taken.is_pending());
        assert_eq!(credit, 3);
    }

    #[test]
    fn credit_returns_in_portions() {
        let mut sinks = Sinks::default();
        sinks.open(1, Kind::Stream);
        for _ in 0..40 {
            sinks.push(1, job(), 0);
        }
        let portions: Vec<u32> =
            (0..40).map(|_| sinks.take(1, 0, Waker::noop()).1).filter(|c| *c > 0).collect();
        assert_eq!(portions, [16, 16, 8]);
    }
}
