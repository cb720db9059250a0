//! What the threads of one partition, and everybody who talks to it, share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use coreto_machine::{Admission, Machine};

use crate::door::{Answer, Refused, Submission};
use crate::limits::Limits;

/// How a partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It loads its store and replays the log.
    Recovering,
    /// It works.
    Healthy,
    /// It waits for space on the disk.
    NoSpace {
        /// Bytes left.
        free_bytes: u64,
    },
    /// It waits until the log can be written again, for another reason than space.
    CannotWrite {
        /// Why it cannot.
        reason: Arc<str>,
    },
    /// It does not work any more.
    Stopped {
        /// Why.
        reason: Arc<str>,
    },
}

/// The meeting point of a partition's threads and its clients.
pub(crate) struct Shared<M: Machine> {
    pub(crate) limits: Limits,
    inbox: Mutex<Inbox<M>>,
    executor: OnceLock<Thread>,
    durable: Mutex<u64>,
    durable_changed: Condvar,
    durable_waiters: AtomicUsize,
    durable_fast: AtomicU64,
    health: Mutex<Health>,
    pub(crate) free_bytes: AtomicU64,
    pub(crate) counters: Counters,
    /// The position of the last durable record.
    pub(crate) position: AtomicU64,
}

/// Sums since the start, for metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commands: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
}

struct Inbox<M: Machine> {
    queue: VecDeque<Submission<M>>,
    bytes: usize,
    taken: Taken,
    closed: Option<Arc<str>>,
}

/// What the executor took last and has not finished before it comes back.
#[derive(Default)]
struct Taken {
    count: usize,
    bytes: usize,
    /// When; nothing was taken without it.
    at: Option<Instant>,
    /// What a submission took of late, waiting for the log included.
    average: Duration,
}

impl Taken {
    /// The executor comes back and takes the next ones.
    fn next(&mut self, count: usize, bytes: usize) {
        let now = Instant::now();
        if let Some(at) = self.at {
            let each = now.duration_since(at) / u32::try_from(self.count).unwrap_or(u32::MAX).max(1);
            self.average = (self.average * 7 + each) / 8;
        }
        (self.count, self.bytes, self.at) = (count, bytes, (count > 0).then_some(now));
    }

    /// How long somebody who comes now waits behind `queued` others: what the average says, and no less than those
    /// before have been waiting already.
    fn wait(&self, queued: usize) -> Duration {
        let expected = self.average * u32::try_from(self.count + queued).unwrap_or(u32::MAX);
        self.at.map_or(expected, |at| expected.max(at.elapsed()))
    }
}

impl<M: Machine> Shared<M> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            inbox: Mutex::new(Inbox {
                queue: VecDeque::new(),
                bytes: 0,
                taken: Taken::default(),
                closed: None,
            }),
            executor: OnceLock::new(),
            durable: Mutex::new(0),
            durable_changed: Condvar::new(),
            durable_waiters: AtomicUsize::new(0),
            durable_fast: AtomicU64::new(0),
            health: Mutex::new(Health::Recovering),
            free_bytes: AtomicU64::new(u64::MAX),
            counters: Counters::default(),
            position: AtomicU64::new(0),
        }
    }

    pub(crate) fn attach(&self, executor: Thread) {
        self.executor.get_or_init(|| executor);
    }

    /// Wakes the executor, wherever it waits.
    pub(crate) fn wake(&self) {
        if let Some(executor) = self.executor.get() {
            executor.unpark();
        }
    }

    /// Takes what a client wants, if there is room for it.
    pub(crate) fn submit(
        &self,
        submission: Submission<M>,
        admission: Admission,
        weight: usize,
    ) -> Result<(), Refused> {
        // A question writes nothing.
        if !matches!(submission, Submission::Query { .. }) {
            self.check_space(admission).inspect_err(|_| self.count_refused())?;
        }
        let mut inbox = self.lock_inbox();
        if let Some(reason) = &inbox.closed {
            return Err(Refused::Closed { reason: Arc::clone(reason) });
        }
        self.check_queue(&inbox, admission).inspect_err(|_| self.count_refused())?;
        inbox.bytes += weight;
        inbox.queue.push_back(submission);
        let first = inbox.queue.len() == 1;
        drop(inbox);
        if first {
            self.wake();
        }
        Ok(())
    }

    fn count_refused(&self) {
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn check_space(&self, admission: Admission) -> Result<(), Refused> {
        let free_bytes = self.free_bytes.load(Ordering::Relaxed);
        let needed_bytes = match admission {
            Admission::NewWork => self.limits.free_bytes_new_work,
            Admission::Ongoing => self.limits.free_bytes_all,
            Admission::Internal => 0,
        };
        if free_bytes < needed_bytes { Err(Refused::NoSpace { free_bytes, needed_bytes }) } else { Ok(()) }
    }

    fn check_queue(&self, inbox: &Inbox<M>, admission: Admission) -> Result<(), Refused> {
        let limit = match admission {
            Admission::NewWork => self.limits.queue_bytes_soft,
            Admission::Ongoing => self.limits.queue_bytes_hard,
            Admission::Internal => return Ok(()),
        };
        let queued_bytes = inbox.taken.bytes + inbox.bytes;
        if queued_bytes >= limit {
            return Err(Refused::Busy { queued_bytes, limit });
        }
        if admission == Admission::NewWork
            && let wait = inbox.taken.wait(inbox.queue.len())
            && wait > self.limits.queue_wait_max
        {
            let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            return Err(Refused::Slow {
                wait_ms: millis(wait),
                limit_ms: millis(self.limits.queue_wait_max),
            });
        }
        Ok(())
    }

    /// Moves all that waits to `into`; what was taken before is done when it is empty.
    pub(crate) fn drain_inbox(&self, into: &mut VecDeque<Submission<M>>) {
        let mut inbox = self.lock_inbox();
        let (count, bytes) = (inbox.queue.len(), std::mem::take(&mut inbox.bytes));
        inbox.taken.next(count, bytes);
        if into.is_empty() {
            std::mem::swap(&mut inbox.queue, into);
        } else {
            into.append(&mut inbox.queue);
        }
    }

    pub(crate) fn inbox_is_empty(&self) -> bool {
        self.lock_inbox().queue.is_empty()
    }

    /// Takes no more requests. What waits still gets its turn, or [`Shared::lose`] answers it.
    pub(crate) fn close(&self, reason: &str) {
        self.lock_inbox().closed.get_or_insert_with(|| reason.into());
    }

    /// Takes requests again.
    pub(crate) fn reopen(&self) {
        self.lock_inbox().closed = None;
    }

    /// Tells everybody who waits in the queue that nobody will come.
    pub(crate) fn lose(&self, queue: &mut VecDeque<Submission<M>>, reason: &Arc<str>) {
        self.drain_inbox(queue);
        for submission in queue.drain(..) {
            let address = match submission {
                Submission::Request(request) => request.answer,
                Submission::Query { answer, .. } => Some(answer),
                Submission::Frame(_) | Submission::Acknowledged(_) => None,
            };
            if let Some(address) = address {
                address.mailbox.put(address.ticket, Answer::Lost { reason: Arc::clone(reason) });
                address.mailbox.flush();
            }
        }
    }

    pub(crate) fn durable(&self) -> u64 {
        self.durable_fast.load(Ordering::Acquire)
    }

    pub(crate) fn set_durable(&self, sequence: u64) {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        *durable = sequence;
        self.durable_fast.store(sequence, Ordering::Release);
        drop(durable);
        if self.durable_waiters.load(Ordering::SeqCst) > 0 {
            self.durable_changed.notify_all();
        }
    }

    /// Waits until a batch after `after` is durable, or the time is over; returns the last durable one.
    pub(crate) fn wait_durable(&self, after: u64, timeout: Duration) -> u64 {
        self.wait_durable_while(after, timeout, || true)
    }

    /// The same, but no longer than somebody wants to wait, who is asked again after [`Shared::wake_waiters`].
    pub(crate) fn wait_durable_while(&self, after: u64, timeout: Duration, wanted: impl Fn() -> bool) -> u64 {
        if self.durable() > after {
            return self.durable();
        }
        let deadline = Instant::now() + timeout;
        self.durable_waiters.fetch_add(1, Ordering::SeqCst);
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        while *durable <= after && wanted() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            durable =
                self.durable_changed.wait_timeout(durable, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.durable_waiters.fetch_sub(1, Ordering::SeqCst);
        *durable
    }

    /// Asks those who wait for a durable batch whether they still want to.
    pub(crate) fn wake_waiters(&self) {
        drop(self.durable.lock().unwrap_or_else(PoisonError::into_inner));
        self.durable_changed.notify_all();
    }

    pub(crate) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_health(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    fn lock_inbox(&self) -> MutexGuard<'_, Inbox<M>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
