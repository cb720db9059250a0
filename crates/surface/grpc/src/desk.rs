//! Where one runtime thread's calls wait, and where log threads put what they wait for.
//!
//! A log thread pays one short lock per answer and one wake-up per batch. The runtime thread takes the whole
//! batch at once and wakes its own calls, which costs no system call.

mod sinks;
mod slots;

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use coreto_partition::{Answer, Mailbox};
use coreto_record::{ActivatedJob, Reply};
use tokio::sync::Notify;

pub(crate) use self::sinks::{Kind, Sinks};
use self::slots::Slots;
use crate::gateway::Shared;
use coreto_engine::Engine;

/// What came for a call.
pub(crate) enum Outcome {
    /// From the partition.
    Answer(Answer<Engine>),
    /// Nothing came in time.
    TimedOut,
}

/// What a log thread brings.
pub(crate) enum Delivery {
    /// An answer to a request.
    Answer { ticket: u64, answer: Answer<Engine> },
    /// A job for a stream or poll.
    Push { sink: u64, job: Box<ActivatedJob> },
}

/// One runtime thread's desk.
#[derive(Default)]
pub(crate) struct Desk {
    inbox: Mutex<Vec<Delivery>>,
    arrived: Notify,
    local: Mutex<Local>,
}

/// What only the runtime thread touches; its lock is never contended.
#[derive(Default)]
pub(crate) struct Local {
    slots: Slots,
    pub(crate) sinks: Sinks,
    /// Counts the sweeps, to tell the age of calls and streams.
    pub(crate) sweep: u32,
}

/// How often waiting calls and streams are looked over.
const SWEEP: Duration = Duration::from_millis(500);

impl Desk {
    pub(crate) fn deliver(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).extend(deliveries);
    }

    pub(crate) fn wake(&self) {
        self.arrived.notify_one();
    }

    pub(crate) fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for one answer. A patient call has a timer of its own.
    pub(crate) fn expect_answer(&self, patient: bool) -> Pending<'_> {
        let mut local = self.local();
        let sweep = local.sweep;
        Pending { ticket: local.slots.open((!patient).then_some(sweep)), desk: self }
    }

    /// Sorts what arrives, for ever.
    pub(crate) async fn run(&self, shared: &Shared) -> Infallible {
        let Shared { config, backend, outlet, .. } = shared;
        let requests_max = in_sweeps(config.request_timeout);
        let stall_max = in_sweeps(config.stream_stall);
        let mut deliveries = Vec::new();
        let mut orphans = Vec::new();
        let mut sweeps = tokio::time::interval(SWEEP);
        sweeps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = self.arrived.notified() => {
                    std::mem::swap(&mut *self.inbox.lock().unwrap_or_else(PoisonError::into_inner), &mut deliveries);
                    self.local().sort(&mut deliveries, &mut orphans);
                }
                _ = sweeps.tick() => {
                    self.local().sweep(requests_max, stall_max, &mut orphans);
                }
            }
            outlet.give_back(&**backend, orphans.drain(..));
        }
    }
}

fn in_sweeps(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(SWEEP.as_millis())).unwrap_or(u32::MAX)
}

impl Local {
    /// Brings everything to whoever waits for it. Jobs for which nobody waits any more become orphans.
    fn sort(&mut self, deliveries: &mut Vec<Delivery>, orphans: &mut Vec<ActivatedJob>) {
        for delivery in deliveries.drain(..) {
            match delivery {
                Delivery::Answer { ticket, answer } => {
                    let homeless = self.slots.fill(ticket, Outcome::Answer(answer));
                    if let Some(Outcome::Answer(Answer::Reply(Reply::JobsActivated(activated)))) = homeless {
                        orphans.extend(activated.jobs);
                    }
                }
                Delivery::Push { sink, job } => {
                    orphans.extend(self.sinks.push(sink, job, self.sweep).map(|job| *job));
                }
            }
        }
    }

    fn sweep(&mut self, request_sweeps_max: u32, stall_sweeps_max: u32, orphans: &mut Vec<ActivatedJob>) {
        self.sweep = self.sweep.wrapping_add(1);
        self.slots.expire(self.sweep, request_sweeps_max);
        self.sinks.stalled(self.sweep, stall_sweeps_max, orphans);
    }
}

impl Mailbox<Engine> for Desk {
    fn put(&self, ticket: u64, answer: Answer<Engine>) {
        self.deliver([Delivery::Answer { ticket, answer }]);
    }

    fn flush(&self) {
        self.wake();
    }
}

/// One answer that is waited for. Dropped, nobody waits any more.
pub(crate) struct Pending<'a> {
    desk: &'a Desk,
    ticket: u64,
}

impl Pending<'_> {
    pub(crate) fn ticket(&self) -> u64 {
        self.ticket
    }
}

impl Future for Pending<'_> {
    type Output = Outcome;

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        self.desk.local().slots.take(self.ticket, context.waker())
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let outcome = self.desk.local().slots.close(self.ticket);
        if let Some(Outcome::Answer(answer)) = outcome {
            // It came while the call ended. What is in it may have to be given back: it is sorted once more.
            self.desk.deliver([Delivery::Answer { ticket: self.ticket, answer }]);
            self.desk.wake();
        }
    }
}
