//! The log thread: makes one batch durable at a time, then lets out what waited for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use coreto_log::{AppendError, LogWriter};
use coreto_machine::Machine;

use super::service::Links;
use crate::door::{Answer, Effects, Mailbox};
use crate::partition::{Sealed, said};
use crate::shared::{Health, Shared};

/// How long a disk that takes nothing is waited for before the second try, and while the server shuts down; each next
/// wait is twice as long, up to [`RETRY_MAX`].
const RETRY: Duration = Duration::from_millis(200);

/// How long a disk that takes nothing is waited for at most before the next try.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// How often a full disk is tried again when the server shuts down: nobody was told that the batch is in the log.
const STOPPING_TRIES: u32 = 10;

/// How often the disk's free space is looked at while something is written.
const SPACE_CHECK: Duration = Duration::from_millis(500);

/// How often it is while nothing is: others fill and empty the disk, too.
const IDLE_SPACE_CHECK: Duration = Duration::from_secs(1);

/// Hands batches from an executor to the log thread and buffers back.
pub(super) struct Slot<M: Machine> {
    inner: Mutex<Inner<M>>,
    filled: Condvar,
}

struct Inner<M: Machine> {
    sealed: Option<Sealed<M>>,
    idle: bool,
    spare: Vec<Vec<u8>>,
    stop: bool,
    ended: Option<Ended>,
}

/// What the log thread does next.
enum Next<M: Machine> {
    /// It makes this durable.
    Batch(Sealed<M>),
    /// Nothing came in time.
    Nothing,
    /// It ends.
    Stop,
}

/// Why the log thread ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// It was told to.
    Stopped,
    /// Whether the last batch is in the log is not known, or another writer has taken over.
    Lost { reason: Arc<str> },
}

/// Buffers larger than this are given back to the allocator.
const SPARE_BYTES_MAX: usize = 2 << 20;

impl<M: Machine> Slot<M> {
    pub(super) const fn new() -> Self {
        let inner = Inner { sealed: None, idle: true, spare: Vec::new(), stop: false, ended: None };
        Self { inner: Mutex::new(inner), filled: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.lock().idle
    }

    pub(super) fn spare(&self) -> Vec<u8> {
        self.lock().spare.pop().unwrap_or_default()
    }

    /// Gives a batch to the log thread, which must be idle.
    pub(super) fn put(&self, sealed: Sealed<M>) {
        let mut inner = self.lock();
        assert!(inner.idle && inner.sealed.is_none(), "at most one batch is with the log thread");
        inner.idle = false;
        inner.sealed = Some(sealed);
        drop(inner);
        self.filled.notify_one();
    }

    /// Ends the log thread once it is idle.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.filled.notify_one();
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.lock().ended.clone()
    }

    /// Waits for a batch, but no longer than `patience`.
    fn take(&self, patience: Duration) -> Next<M> {
        let until = Instant::now() + patience;
        let mut inner = self.lock();
        loop {
            if let Some(sealed) = inner.sealed.take() {
                return Next::Batch(sealed);
            }
            if inner.stop {
                return Next::Stop;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Nothing;
            }
            inner = self.filled.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn done(&self, mut payload: Vec<u8>) {
        let mut inner = self.lock();
        inner.idle = true;
        if payload.capacity() <= SPARE_BYTES_MAX && inner.spare.len() < 2 {
            payload.clear();
            inner.spare.push(payload);
        }
    }

    fn end(&self, ended: Ended) {
        let mut inner = self.lock();
        inner.idle = true;
        inner.ended = Some(ended);
    }
}

/// The log thread of one partition.
pub(super) struct Journal<M: Machine, W> {
    pub(super) writer: W,
    pub(super) slot: Arc<Slot<M>>,
    pub(super) shared: Arc<Shared<M>>,
    pub(super) effects: Arc<dyn Effects<M>>,
    pub(super) links: Arc<Links<M>>,
    pub(super) space_checked: Option<Instant>,
    pub(super) stopping: Arc<AtomicBool>,
}

impl<M: Machine, W: LogWriter> Journal<M, W> {
    /// Works until it is stopped or the log is lost. Gives the writer back.
    pub(super) fn run(mut self) -> W {
        loop {
            let mut sealed = match self.slot.take(IDLE_SPACE_CHECK) {
                Next::Batch(sealed) => sealed,
                Next::Nothing => {
                    self.check_space();
                    continue;
                }
                Next::Stop => break,
            };
            if let Err(reason) = self.make_durable(&sealed.payload) {
                lose(&mut sealed, &reason);
                self.shared.close(&reason);
                self.shared.set_health(Health::Stopped { reason: Arc::clone(&reason) });
                self.slot.end(Ended::Lost { reason });
                self.shared.wake();
                return self.writer;
            }
            let payload = std::mem::take(&mut sealed.payload);
            self.shared.position.store(sealed.position, Ordering::Relaxed);
            self.slot.done(payload);
            self.shared.wake();
            self.release(sealed);
            self.check_space();
        }
        self.slot.end(Ended::Stopped);
        self.shared.wake();
        self.writer
    }

    fn make_durable(&mut self, payload: &[u8]) -> Result<(), Arc<str>> {
        if payload.is_empty() {
            return Ok(());
        }
        let mut tries_left = STOPPING_TRIES;
        let mut pause = None;
        loop {
            match self.writer.append(payload) {
                Ok(sequence) => {
                    if pause.is_some() {
                        self.shared.set_health(Health::Healthy);
                    }
                    let counters = &self.shared.counters;
                    counters.batches.fetch_add(1, Ordering::Relaxed);
                    counters.bytes.fetch_add(payload.len() as u64, Ordering::Relaxed);
                    counters.written.store(self.writer.written_bytes(), Ordering::Relaxed);
                    self.shared.set_durable(sequence);
                    return Ok(());
                }
                Err(error @ AppendError::Unavailable { .. }) => {
                    let stopping = self.stopping.load(Ordering::Acquire);
                    tries_left -= u32::from(stopping);
                    if tries_left == 0 {
                        return Err(describe(&error).into());
                    }
                    self.cannot_write(&error, pause.is_none());
                    let next = pause.map_or(RETRY, |pause: Duration| (pause * 2).min(RETRY_MAX));
                    pause = Some(next);
                    std::thread::sleep(if stopping { RETRY } else { next });
                }
                Err(AppendError::SyncFailed { .. }) => end_process(&self.shared),
                Err(error @ (AppendError::Fenced { .. } | AppendError::Unknown { .. })) => {
                    return Err(describe(&error).into());
                }
            }
        }
    }

    /// Says why the log is not written. The same batch is tried again: it is certainly not in the log.
    fn cannot_write(&self, error: &AppendError, first: bool) {
        let free_bytes = self.writer.free_bytes().unwrap_or(0);
        self.shared.free_bytes.store(free_bytes, Ordering::Relaxed);
        let reason = describe(error);
        if first {
            tracing::error!(
                error = reason,
                free_bytes,
                "the log cannot be written; it is tried again and again"
            );
        }
        self.shared.set_health(if error.is_space() {
            Health::NoSpace { free_bytes }
        } else {
            Health::CannotWrite { reason: reason.into() }
        });
    }

    fn check_space(&mut self) {
        let now = Instant::now();
        if self.space_checked.is_some_and(|at| now.duration_since(at) < SPACE_CHECK) {
            return;
        }
        let is_first = self.space_checked.replace(now).is_none();
        if let Ok(free_bytes) = self.writer.free_bytes() {
            let before = self.shared.free_bytes.swap(free_bytes, Ordering::Relaxed);
            // A disk that was full before the start is told, too.
            self.tell_space(if is_first { u64::MAX } else { before }, free_bytes);
        }
    }

    /// Tells when a disk gets too full for new work, and when it is no longer so.
    fn tell_space(&self, before: u64, free_bytes: u64) {
        let needed_bytes = self.shared.limits.free_bytes_new_work;
        match (before < needed_bytes, free_bytes < needed_bytes) {
            (false, true) => {
                tracing::warn!(free_bytes, needed_bytes, "the disk is nearly full: new work is refused");
            }
            (true, false) => {
                tracing::info!(free_bytes, needed_bytes, "the disk has room again: new work is taken");
            }
            _ => (),
        }
    }

    /// Lets out what the durable batch allows.
    fn release(&self, mut sealed: Sealed<M>) {
        let mut mailboxes: Vec<Arc<dyn Mailbox<M>>> = Vec::new();
        for (address, answer) in sealed.answers {
            guarded(|| address.mailbox.put(address.ticket, answer));
            if !mailboxes.iter().any(|known| Arc::ptr_eq(known, &address.mailbox)) {
                mailboxes.push(address.mailbox);
            }
        }
        if !sealed.effects.is_empty() {
            guarded(|| self.effects.perform(&mut sealed.effects));
        }
        for mailbox in mailboxes {
            guarded(|| mailbox.flush());
        }
        for frame in sealed.frames {
            self.links.send(frame);
        }
        for acknowledgement in sealed.acknowledgements {
            self.links.acknowledge(acknowledgement);
        }
        if !sealed.touched.is_empty() {
            guarded(|| self.links.touched(&sealed.touched));
        }
    }
}

/// Lets something out through code that is not ours. What fails in it is lost like in a crash: it is owed, or its
/// client asks again.
fn guarded(let_out: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(let_out)) {
        tracing::error!(panic = said(&*panic), "an answer or effect of a durable batch was not let out");
    }
}

/// Tells everybody who waits for a batch that its outcome is not known.
fn lose<M: Machine>(sealed: &mut Sealed<M>, reason: &Arc<str>) {
    for (address, _) in sealed.answers.drain(..) {
        address.mailbox.put(address.ticket, Answer::Lost { reason: Arc::clone(reason) });
        address.mailbox.flush();
    }
}

/// What is durable after a failed fsync cannot be known by this process any more; the next one reads it back.
fn end_process<M: Machine>(shared: &Shared<M>) -> ! {
    shared.set_health(Health::Stopped { reason: "a failed fsync".into() });
    tracing::error!(
        "the log could not be synced; ending the process so that the next one reads back what is durable"
    );
    std::process::exit(74)
}

/// An error with its causes, on one line.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
