//! One command with its follow-ups: all of it, or nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use coreto_machine::{Channel, Codec, Env, Fault, Head, Machine, Outcome, Tables, Token, Txn};

use super::replies::Keyed;
use super::{Partition, said};
use crate::batch::{HandledRecord, Rejected, Waiting, tag};
use crate::door::{Address, Answer};

/// Where a transaction's command comes from.
pub(super) enum Origin<M: Machine> {
    Client { token: Token, answer: Option<Address<M>>, keyed: Option<Keyed> },
    Pending { id: u64 },
    Frame { from: u32, sequence: u64 },
    Tick,
}

/// How a transaction ended that was not undone.
enum End<M: Machine> {
    Outcome(Outcome<M>),
    Rejected(M::Rejection),
}

/// A transaction that must be undone.
struct Failed {
    /// Commands that went well before the one that failed.
    succeeded: u32,
    fault: Fault,
}

/// What the open batch held before a transaction.
#[derive(Clone, Copy)]
struct Mark {
    records: usize,
    events: u32,
    counted: u64,
    counter: u64,
    effects: usize,
    touched: usize,
}

/// How the first command of a transaction is handled.
enum How {
    Handle,
    /// It failed before, and this is what is left to do about it.
    Fault(Fault),
    /// Nothing is left to do: it is dropped.
    Drop(Fault),
}

impl<M: Machine> Partition<M> {
    /// Handles a command that waited in its encoded form.
    pub(super) fn transact_encoded(&mut self, command: &[u8], head: &Head, origin: Origin<M>) {
        let command = M::Command::decode(command)
            .expect("a command that a partition of this release or the one before encoded can be decoded");
        self.transact(&command, head, origin);
    }

    /// Handles a command and its follow-ups; undoes them together when one fails.
    ///
    /// A client's command that fails is rejected. A command of our own is tried again alone, then given to
    /// [`Machine::fault`], then dropped. A failing follow-up is left for later, where it comes first.
    pub(super) fn transact(&mut self, command: &M::Command, head: &Head, origin: Origin<M>) {
        let mark = self.mark();
        let mut limit = self.limits.commands_in_batch_max;
        let mut how = How::Handle;
        let mut failures = 0;
        // Bound: a limit only gets smaller, and after four failures of the first command it is dropped.
        loop {
            let Failed { succeeded, fault } = match self.attempt(command, head, &origin, limit, &how) {
                Ok(end) => return self.conclude(mark, end, origin),
                Err(failed) => failed,
            };
            self.rewind(mark);
            if succeeded > 0 {
                limit = succeeded;
                continue;
            }
            failures += 1;
            let ours = !matches!(origin, Origin::Client { .. }) || head.caller.channel == Channel::Internal;
            how = match failures {
                1 if ours => How::Handle,
                2 if ours => How::Fault(fault),
                _ => How::Drop(fault),
            };
        }
    }

    fn attempt(
        &mut self,
        command: &M::Command,
        head: &Head,
        origin: &Origin<M>,
        limit: u32,
        how: &How,
    ) -> Result<End<M>, Failed> {
        self.begin();
        let start = self.open.out.records.len();
        self.put_origin(origin);
        let end = match self.step(command, head, how, true) {
            Ok(end) => end,
            Err(fault) => return Err(Failed { succeeded: 0, fault }),
        };
        // What was dropped is on record with its rejection however long that is: there is nothing left to try.
        if !matches!(how, How::Drop(_)) {
            self.within(start, 0)?;
        }
        let mut done = 1;
        while done < limit && !self.is_full() {
            let Some(follow_up) = self.open.out.follow_ups.pop_front() else { break };
            if let Err(fault) = self.step(&follow_up, head, &How::Handle, false) {
                return Err(Failed { succeeded: done, fault });
            }
            self.within(start, done)?;
            done += 1;
        }
        self.put_pending();
        self.put_sent();
        if !matches!(how, How::Drop(_)) {
            // What is left for later takes room, too, and may come of any follow-up: fewer are tried.
            self.within(start, done / 2)?;
        }
        Ok(end)
    }

    /// Runs one handler and records the command with what came of it; a panic becomes a fault.
    fn step(&mut self, command: &M::Command, head: &Head, how: &How, initial: bool) -> Result<End<M>, Fault> {
        let operation_reference = if initial { head.operation_reference } else { None };
        HandledRecord { handled: M::describe(command), initial, operation_reference }
            .write(&mut self.open.out);
        self.open.counted += 1;
        let before = self.trace();
        let (state, env, out) = (&mut self.state, &mut self.env, &mut self.open.out);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut txn = Txn::new(state, env, out);
            match how {
                How::Handle => M::handle(&mut txn, head, command),
                How::Fault(fault) => M::fault(&mut txn, head, command, fault),
                How::Drop(fault) => Err(M::refuse(fault)),
            }
        }));
        match result {
            Ok(Ok(outcome)) => Ok(End::Outcome(outcome)),
            Ok(Err(_)) if self.trace() != before => Err(Fault::Panicked(
                "a handler rejected its command after it had begun to carry it out".to_owned(),
            )),
            Ok(Err(rejection)) => {
                self.put_rejection(command, &rejection);
                Ok(End::Rejected(rejection))
            }
            Err(panic) => Err(Fault::Panicked(said(&*panic))),
        }
    }

    /// All that a handler can bring about, counted.
    fn trace(&self) -> (u32, usize, usize, usize, usize, u64) {
        let out = &self.open.out;
        let (effects, follow_ups) = (out.effects.len(), out.follow_ups.len());
        (out.events, effects, follow_ups, out.sent.len(), out.replies.len(), self.state.counter())
    }

    /// Whether the transaction still fits what one command may write.
    fn within(&self, start: usize, succeeded: u32) -> Result<(), Failed> {
        let bytes = self.open.out.records.len() - start;
        let bytes_max = self.limits.command_bytes_max;
        if bytes <= bytes_max {
            return Ok(());
        }
        Err(Failed { succeeded, fault: Fault::TooLarge { bytes, bytes_max } })
    }

    /// Makes the transaction part of the open batch and answers its client.
    fn conclude(&mut self, mark: Mark, end: End<M>, origin: Origin<M>) {
        self.forget_if_nothing_happened(mark, &end);
        let replies = std::mem::take(&mut self.open.out.replies);
        if let Origin::Client { token, answer, keyed } = origin {
            match end {
                End::Outcome(Outcome::Now(reply)) => {
                    if let Some(keyed) = keyed {
                        self.keep(&keyed, &reply);
                    }
                    self.answer(answer, Answer::Reply(reply));
                }
                End::Outcome(Outcome::Later) => self.wait(token, answer, keyed),
                End::Rejected(rejection) => self.answer(answer, Answer::Rejected(rejection)),
            }
        }
        for (token, reply) in replies {
            self.answer_later(token, &reply);
        }
        self.state.commit();
        self.ledger.commit();
        self.env.commit();
    }

    fn answer(&mut self, address: Option<Address<M>>, answer: Answer<M>) {
        if let Some(address) = address {
            self.open.answers.push((address, answer));
        }
    }

    /// A command that left no trace but itself is not worth a write: a request for jobs of which there are none.
    fn forget_if_nothing_happened(&mut self, mark: Mark, end: &End<M>) {
        let open = &mut self.open;
        let idle = matches!(end, End::Outcome(_))
            && open.facts == mark.records
            && open.out.events == mark.events
            && open.counted == mark.counted + 1
            && self.state.counter() == mark.counter;
        if idle {
            open.out.records.truncate(mark.records);
            open.counted = mark.counted;
        }
    }

    fn mark(&mut self) -> Mark {
        let open = &mut self.open;
        open.facts = open.out.records.len();
        Mark {
            records: open.out.records.len(),
            events: open.out.events,
            counted: open.counted,
            counter: self.state.counter(),
            effects: open.out.effects.len(),
            touched: open.out.touched.len(),
        }
    }

    /// Undoes all since the mark.
    fn rewind(&mut self, mark: Mark) {
        self.state.undo();
        self.ledger.undo();
        self.env.undo();
        let open = &mut self.open;
        open.facts = mark.records;
        open.out.records.truncate(mark.records);
        open.out.events = mark.events;
        open.counted = mark.counted;
        open.out.effects.truncate(mark.effects);
        open.out.touched.truncate(mark.touched);
        open.out.follow_ups.clear();
        open.out.sent.clear();
        open.out.replies.clear();
    }

    fn put_origin(&mut self, origin: &Origin<M>) {
        match *origin {
            Origin::Client { .. } | Origin::Tick => (),
            Origin::Pending { id } => {
                self.put_fact(tag::PENDING_TAKEN, &Waiting { id, ..Waiting::default() });
                self.ledger.pending.remove(&id);
            }
            Origin::Frame { from, sequence } => {
                let taken = Waiting { id: sequence, partition: from, ..Waiting::default() };
                self.put_fact(tag::FRAME_TAKEN, &taken);
                self.ledger.taken.insert(from, sequence);
            }
        }
    }

    fn put_rejection(&mut self, command: &M::Command, rejection: &M::Rejection) {
        let mut encoded = command.to_bytes();
        if encoded.len() > self.limits.rejected_bytes_max {
            encoded = M::abridge(command, self.limits.rejected_bytes_max).to_bytes();
        }
        let rejected = Rejected { command: encoded.into(), rejection: rejection.to_bytes().into() };
        self.put_fact(tag::REJECTION, &rejected);
        self.open.counted += 1;
    }

    /// Follow-ups that found no place in this transaction wait for a later one.
    fn put_pending(&mut self) {
        while let Some(command) = self.open.out.follow_ups.pop_front() {
            self.add_pending(command.to_bytes().into());
        }
    }

    pub(super) fn add_pending(&mut self, command: Arc<[u8]>) {
        let waiting = Waiting { id: self.ledger.counter() + 1, partition: 0, command };
        self.put_fact(tag::PENDING_ADDED, &waiting);
        self.ledger.add_pending(waiting);
    }

    /// Appends a fact of the runtime's own to the open batch.
    pub(super) fn put_fact(&mut self, tag: u8, fact: &impl Codec) {
        self.begin();
        self.open.out.frame(tag, |body| fact.encode(body));
        self.open.facts = self.open.out.records.len();
    }
}
