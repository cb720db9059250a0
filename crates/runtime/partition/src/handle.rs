//! How the rest of the program talks to a partition.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coreto_machine::{Admission, Caller, Machine};

use crate::door::{Acknowledgement, Address, Answer, Frame, Mailbox, Refused, Request, Submission};
use crate::partition::Partition;
use crate::shared::{Health, Shared};

/// A partition's door: cheap to clone, to be used from any thread.
pub struct Handle<M: Machine> {
    shared: Arc<Shared<M>>,
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// Numbers that describe a partition's work since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Commands taken.
    pub commands: u64,
    /// Batches that became durable.
    pub batches: u64,
    /// Bytes of these batches before compression.
    pub bytes: u64,
    /// Bytes of these batches as they lie in the log: compressed, with heads and padding.
    pub written: u64,
    /// Requests refused.
    pub refused: u64,
    /// Checkpoints written.
    pub checkpoints: u64,
    /// The last durable batch.
    pub durable: u64,
    /// The position of the last durable record.
    pub position: u64,
    /// Free bytes of the disk, as last seen.
    pub free_bytes: u64,
}

/// What a query weighs in the queue.
const QUERY_WEIGHT: usize = 128;

impl<M: Machine> Handle<M> {
    pub(crate) const fn new(shared: Arc<Shared<M>>) -> Self {
        Self { shared }
    }

    /// Hands a request to the partition. Never blocks.
    ///
    /// # Errors
    /// When the partition does not take it; nothing was changed then.
    pub fn submit(&self, request: Request<M>) -> Result<(), Refused> {
        let (admission, weight) = Partition::weigh(&request);
        self.shared.submit(Submission::Request(Box::new(request)), admission, weight)
    }

    /// Asks about the state. The answer comes when all that it saw is durable.
    ///
    /// # Errors
    /// When the partition does not take the question.
    pub fn query(&self, caller: Caller, query: M::Query, answer: Address<M>) -> Result<(), Refused> {
        let submission = Submission::Query { caller, query: Box::new(query), answer };
        self.shared.submit(submission, Admission::Ongoing, QUERY_WEIGHT)
    }

    /// Lets the program's own command be carried out and waits until that is durable; for threads that may.
    ///
    /// # Errors
    /// When the partition does not take the command, rejects it, stops before it is durable, or takes longer than
    /// `patience`: then it may still be carried out.
    pub fn carry_out(&self, command: M::Command, patience: Duration) -> Result<(), Refused> {
        let (address, receiver) = Single::address();
        self.submit(Request::new(command, Caller::internal(), Some(address)))?;
        match receiver.recv_timeout(patience) {
            Ok(Answer::Reply(_)) => Ok(()),
            Ok(Answer::Lost { reason }) => Err(closed(reason)),
            Ok(_) => Err(closed("the command was rejected".into())),
            Err(_) => Err(closed(format!("there was no answer within {} ms", patience.as_millis()).into())),
        }
    }

    /// Asks about the state and waits; for threads that may.
    ///
    /// # Errors
    /// When the partition does not take the question, or stops before it answers.
    pub fn ask(&self, caller: Caller, query: M::Query) -> Result<M::Answer, Refused> {
        let (address, receiver) = Single::address();
        self.query(caller, query, address)?;
        match receiver.recv() {
            Ok(Answer::Answered(answer)) => Ok(answer),
            Ok(Answer::Lost { reason }) => Err(closed(reason)),
            Ok(_) | Err(_) => Err(closed("the question was not answered".into())),
        }
    }

    /// A command of another partition.
    ///
    /// # Errors
    /// When the partition does not run; the sender repeats it later.
    pub fn frame(&self, frame: Frame) -> Result<(), Refused> {
        let weight = Frame::weight(&frame.command);
        self.shared.submit(Submission::Frame(frame), Admission::Internal, weight)
    }

    /// Another partition has taken what was sent to it.
    ///
    /// # Errors
    /// When the partition does not run; it will be told again.
    pub fn acknowledged(&self, acknowledgement: Acknowledgement) -> Result<(), Refused> {
        let weight = size_of::<Acknowledgement>();
        self.shared.submit(Submission::Acknowledged(acknowledgement), Admission::Internal, weight)
    }

    /// The sequence of the last durable batch.
    pub fn durable(&self) -> u64 {
        self.shared.durable()
    }

    /// Waits until a batch after `after` is durable, or the time is over; returns the last durable one.
    pub fn wait_durable(&self, after: u64, timeout: Duration) -> u64 {
        self.shared.wait_durable(after, timeout)
    }

    /// How the partition is.
    pub fn health(&self) -> Health {
        let free_bytes = self.shared.free_bytes.load(Ordering::Relaxed);
        match self.shared.health() {
            Health::Healthy if free_bytes < self.shared.limits.free_bytes_new_work => {
                Health::NoSpace { free_bytes }
            }
            health => health,
        }
    }

    /// Wakes the partition's thread, so that it looks at the clock again.
    pub fn wake(&self) {
        self.shared.wake();
    }

    /// What the partition did since the start.
    pub fn statistics(&self) -> Statistics {
        let counters = &self.shared.counters;
        Statistics {
            commands: counters.commands.load(Ordering::Relaxed),
            batches: counters.batches.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
            written: counters.written.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            checkpoints: counters.checkpoints.load(Ordering::Relaxed),
            durable: self.durable(),
            position: self.shared.position.load(Ordering::Relaxed),
            free_bytes: self.shared.free_bytes.load(Ordering::Relaxed),
        }
    }
}

/// A mailbox for one answer.
struct Single<M: Machine>(Mutex<Option<SyncSender<Answer<M>>>>);

impl<M: Machine> Single<M> {
    /// An address for one answer, and where it comes out.
    fn address() -> (Address<M>, Receiver<Answer<M>>) {
        let (sender, receiver) = sync_channel(1);
        (Address { mailbox: Arc::new(Self(Mutex::new(Some(sender)))), ticket: 0 }, receiver)
    }
}

const fn closed(reason: Arc<str>) -> Refused {
    Refused::Closed { reason }
}

impl<M: Machine> Mailbox<M> for Single<M> {
    fn put(&self, _ticket: u64, answer: Answer<M>) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // Whoever asked may have gone; nobody else wants the answer.
            let _ = sender.try_send(answer);
        }
    }
    fn flush(&self) {}
}
