//! How requests come in and answers go out.

use std::sync::Arc;

use coreto_machine::{Caller, Machine, Tenant};

/// A client's command with what comes beside it.
pub struct Request<M: Machine> {
    /// The wish.
    pub command: M::Command,
    /// Who asks.
    pub caller: Caller,
    /// The caller's number for the operation, copied to every record.
    pub operation_reference: Option<u64>,
    /// Makes the request safe to repeat: the same key gets the same reply.
    pub idempotency_key: Option<(Tenant, Arc<str>)>,
    /// Where the answer goes; nobody waits when there is none.
    pub answer: Option<Address<M>>,
}

impl<M: Machine> Request<M> {
    /// A request without operation reference and idempotency key.
    pub const fn new(command: M::Command, caller: Caller, answer: Option<Address<M>>) -> Self {
        Self { command, caller, operation_reference: None, idempotency_key: None, answer }
    }
}

/// Where an answer goes: a mailbox, and the number under which it waits there.
pub struct Address<M: Machine> {
    /// Whose mailbox.
    pub mailbox: Arc<dyn Mailbox<M>>,
    /// The number of the request in that mailbox.
    pub ticket: u64,
}

impl<M: Machine> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { mailbox: Arc::clone(&self.mailbox), ticket: self.ticket }
    }
}

/// Takes answers on the partition's log thread, after the batch has become durable.
pub trait Mailbox<M: Machine>: Send + Sync {
    /// Takes one answer. Must not block.
    fn put(&self, ticket: u64, answer: Answer<M>);
    /// All answers of a batch are in: wakes whoever waits, once.
    fn flush(&self);
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Answer<M: Machine> {
    /// It was carried out, and that is durable.
    Reply(M::Reply),
    /// It was not, and that is durable.
    Rejected(M::Rejection),
    /// A query's answer; what it saw is durable.
    Answered(M::Answer),
    /// The partition stopped before the outcome was known.
    Lost {
        /// Why.
        reason: Arc<str>,
    },
    /// The idempotency key was used with another command.
    KeyMisused,
    /// No more idempotency keys are taken for now.
    KeysFull,
}

/// Does what is to be done outside once a batch is durable. Called on the partition's log thread.
pub trait Effects<M: Machine>: Send + Sync {
    /// Performs and empties the list. Must not block.
    fn perform(&self, effects: &mut Vec<M::Effect>);
}

/// Why a request was not taken. It changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much is waiting.
    #[error("{queued_bytes} bytes of requests are waiting, the limit is {limit}; try again later")]
    Busy {
        /// Bytes of waiting requests.
        queued_bytes: usize,
        /// The limit that this kind of request has.
        limit: usize,
    },
    /// Requests would wait too long.
    #[error("a new request would wait about {wait_ms} ms, the limit is {limit_ms} ms; try again later")]
    Slow {
        /// How long it would wait.
        wait_ms: u64,
        /// How long it may.
        limit_ms: u64,
    },
    /// The disk is nearly full.
    #[error("the disk has {free_bytes} bytes left, and {needed_bytes} are needed; free space to go on")]
    NoSpace {
        /// Bytes left.
        free_bytes: u64,
        /// Bytes that have to be left for such a request.
        needed_bytes: u64,
    },
    /// The partition does not run.
    #[error("the partition does not take requests: {reason}")]
    Closed {
        /// Why.
        reason: Arc<str>,
    },
}

/// A command on its way between two partitions of a group.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The sender's number.
    pub from: u32,
    /// The receiver's number.
    pub to: u32,
    /// Counts the frames of this pair from 1, without gaps.
    pub sequence: u64,
    /// The encoded command.
    pub command: Arc<[u8]>,
}

/// About what a queue takes for a frame beside its command.
const FRAME_OVERHEAD: usize = 64;

impl Frame {
    /// About how many bytes a frame with this command holds.
    pub(crate) fn weight(command: &[u8]) -> usize {
        command.len() + FRAME_OVERHEAD
    }
}

/// The receiver has taken all frames of a pair up to a number.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledgement {
    /// Who took the frames.
    pub from: u32,
    /// Who sent them.
    pub to: u32,
    /// The number of the last one.
    pub sequence: u64,
}

/// What comes into a partition.
pub enum Submission<M: Machine> {
    /// From a client.
    Request(Box<Request<M>>),
    /// A question.
    Query {
        /// Who asks.
        caller: Caller,
        /// The question.
        query: Box<M::Query>,
        /// Where the answer goes.
        answer: Address<M>,
    },
    /// From another partition.
    Frame(Frame),
    /// Another partition has taken what was sent to it.
    Acknowledged(Acknowledgement),
}
