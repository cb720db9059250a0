//! A partition without threads, disks and clocks: commands in, sealed batches out.
//!
//! Whoever drives it appends each [`Sealed`] batch to the log, and lets nothing of it out before it is durable.

mod channel;
mod replay;
mod replies;
mod transaction;

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use coreto_machine::{
    Admission, Caller, Changed, Changes, Env, Head, Machine, Output, Place, Tables, Tenant, Timestamp, Token,
    Topic,
};

use crate::batch::{HEADER, Header};
use crate::door::{Acknowledgement, Address, Answer, Frame, Request, Submission};
use crate::ledger::{Ledger, Progress};
use crate::limits::Limits;

use channel::Flights;
use replies::Waiter;
use transaction::Origin;

/// The bit that tells the runtime's tables from the machine's in a store.
pub(crate) const LEDGER_BIT: u32 = 1 << 31;

/// A partition's state, and the batch that is open.
pub struct Partition<M: Machine> {
    state: M::State,
    ledger: Ledger,
    env: M::Env,
    limits: Limits,
    chance: Box<dyn FnMut() -> u128 + Send>,
    /// The epoch heads the numbers of tokens, so that those from before a restart name nobody.
    epoch: u64,
    tokens: u64,
    waiters: BTreeMap<Token, Waiter<M>>,
    /// Which waiting request has which idempotency key.
    keyed: BTreeMap<(Tenant, Arc<str>), Token>,
    flights: Flights,
    rewriting: bool,
    now: Timestamp,
    open: Open<M>,
}

/// The batch that takes transactions.
struct Open<M: Machine> {
    out: Output<M>,
    first_position: u64,
    /// Commands and rejections among the records; events are counted by the output.
    counted: u64,
    /// Where the last of the runtime's own facts ends among the records.
    facts: usize,
    answers: Vec<(Address<M>, Answer<M>)>,
    frames: Vec<Frame>,
    acknowledgements: BTreeMap<u32, u64>,
}

/// A batch that is closed: what the log stores, and what may leave once that is durable.
pub struct Sealed<M: Machine> {
    /// What to append; empty when nothing happened but questions.
    pub payload: Vec<u8>,
    /// For clients.
    pub answers: Vec<(Address<M>, Answer<M>)>,
    /// For the shell.
    pub effects: Vec<M::Effect>,
    /// For other partitions.
    pub frames: Vec<Frame>,
    /// For other partitions.
    pub acknowledgements: Vec<Acknowledgement>,
    /// For watchers.
    pub touched: Vec<Topic>,
    /// The position of the last record up to here.
    pub position: u64,
}

/// What a store is to be told.
pub struct Taken {
    /// Entries as of the last sealed batch.
    pub changes: Changes,
    /// The store has everything once it has these; before that it is of no use.
    pub is_whole: bool,
}

impl<M: Machine> Partition<M> {
    /// An empty partition.
    pub fn create(
        place: Place,
        env: M::Env,
        limits: Limits,
        chance: Box<dyn FnMut() -> u128 + Send>,
    ) -> Self {
        let mut ledger = Ledger::create(place);
        ledger.progress.set(Progress { now: Timestamp::default(), next_position: 1 });
        ledger.commit();
        Self {
            state: M::State::create(place),
            ledger,
            env,
            limits,
            chance,
            epoch: 0,
            tokens: 0,
            waiters: BTreeMap::new(),
            keyed: BTreeMap::new(),
            flights: Flights::default(),
            rewriting: false,
            now: Timestamp::default(),
            open: Open {
                out: Output::default(),
                first_position: 1,
                counted: 0,
                facts: 0,
                answers: Vec::new(),
                frames: Vec::new(),
                acknowledgements: BTreeMap::new(),
            },
        }
    }

    /// Recovery is over; a writer of this epoch is open.
    pub fn start(&mut self, epoch: u64) {
        self.epoch = epoch;
        let Progress { now, next_position } = *self.ledger.progress.get();
        self.now = now;
        self.open.first_position = next_position;
        for effect in M::owed(&self.state) {
            self.open.out.effects.push(effect);
        }
        self.resend();
    }

    /// Where the partition stands in its group.
    pub fn place(&self) -> Place {
        self.ledger.place()
    }

    /// The machine's state, with all that was handled.
    pub const fn state(&self) -> &M::State {
        &self.state
    }

    /// What the shell lends to handlers.
    pub const fn env(&mut self) -> &mut M::Env {
        &mut self.env
    }

    /// Whether topics are collected for watchers.
    pub const fn watch(&mut self, watched: bool) {
        self.open.out.watched = watched;
    }

    /// How a request is treated under load, and how many bytes it holds.
    pub fn weigh(request: &Request<M>) -> (Admission, usize) {
        (M::admission(&request.command), M::weight(&request.command))
    }

    /// A hash over all that is remembered.
    pub fn fingerprint(&self) -> (u64, u64) {
        (self.state.fingerprint().value(), self.ledger.fingerprint().value())
    }

    /// Whether the open batch should be closed before it takes more.
    pub const fn is_full(&self) -> bool {
        self.open.out.records.len() >= self.limits.batch_bytes_soft
            || self.open.answers.len() >= self.limits.answers_in_batch_max
    }

    /// Whether the open batch should be closed before it takes more that no client waits for.
    pub const fn is_full_of_own(&self) -> bool {
        self.is_full() || self.open.out.records.len() >= self.limits.own_bytes_soft
    }

    /// Whether the open batch holds anything, be it an answer.
    pub fn is_empty(&self) -> bool {
        self.open.out.records.is_empty()
            && self.open.answers.is_empty()
            && self.open.out.effects.is_empty()
            && !self.flights.is_due()
            && self.open.acknowledgements.is_empty()
    }

    /// Whether follow-ups wait for their turn.
    pub fn has_pending(&self) -> bool {
        !self.ledger.pending.is_empty()
    }

    /// When the machine wants its next tick.
    pub fn due(&self) -> Option<Timestamp> {
        M::due(&self.state)
    }

    /// Takes what came in. `wall` is the wall clock; time never runs backwards but by [`Partition::reset_clock`].
    pub fn take(&mut self, wall: Timestamp, submission: Submission<M>) {
        self.advance(wall);
        match submission {
            Submission::Request(request) => self.take_request(*request),
            Submission::Query { caller, query, answer } => {
                let state = &self.state;
                let found = catch_unwind(AssertUnwindSafe(|| M::query(state, &caller, &query)));
                let found = found.map_or_else(
                    |panic| Answer::Lost { reason: format!("the question failed: {}", said(&*panic)).into() },
                    Answer::Answered,
                );
                self.open.answers.push((answer, found));
            }
            Submission::Frame(frame) => self.take_frame(&frame),
            Submission::Acknowledged(acknowledgement) => self.take_acknowledgement(acknowledgement),
        }
    }

    /// Handles the oldest follow-up that waits.
    pub fn take_pending(&mut self, wall: Timestamp) {
        self.advance(wall);
        let Some((id, waiting)) = self.ledger.pending.range(..).next().map(|(id, w)| (*id, Arc::clone(w)))
        else {
            return;
        };
        let head = self.internal_head();
        self.transact_encoded(&waiting.command, &head, Origin::Pending { id });
    }

    /// Lets the machine do what is due. Says whether anything was: an open batch's time stands still.
    pub fn tick(&mut self, wall: Timestamp) -> bool {
        self.advance(wall);
        let due = M::due(&self.state).is_some_and(|due| due <= self.now);
        if due {
            let head = self.internal_head();
            self.transact(&M::tick(), &head, Origin::Tick);
        }
        due
    }

    /// Puts out again what is owed to things that are no partitions.
    pub fn owe(&mut self) {
        self.open.out.effects.extend(M::owed(&self.state));
    }

    /// A clock was pinned or reset: the next batch takes the wall clock as it is, be it earlier.
    pub fn reset_clock(&mut self, wall: Timestamp) {
        if self.open.out.records.is_empty() {
            self.now = wall;
        }
    }

    /// Closes the open batch; `payload` is a used buffer for the next one.
    pub fn seal(&mut self, spare: Vec<u8>) -> Sealed<M> {
        self.expire_replies();
        self.launch();
        self.env.seal();
        let open = &mut self.open;
        let mut payload = std::mem::replace(&mut open.out.records, spare);
        open.out.records.clear();
        if !payload.is_empty() {
            let header =
                Header { now: self.now, first_position: open.first_position, counter: self.state.counter() };
            header.put(&mut payload);
            open.first_position += open.counted + u64::from(open.out.events);
            open.counted = 0;
            open.out.events = 0;
            self.ledger.progress.set(Progress { now: self.now, next_position: open.first_position });
            self.ledger.commit();
        }
        let from = self.ledger.place().number;
        Sealed {
            payload,
            answers: std::mem::take(&mut open.answers),
            effects: std::mem::take(&mut open.out.effects),
            frames: std::mem::take(&mut open.frames),
            acknowledgements: std::mem::take(&mut open.acknowledgements)
                .into_iter()
                .map(|(to, sequence)| Acknowledgement { from, to, sequence })
                .collect(),
            touched: std::mem::take(&mut open.out.touched),
            position: self.position(),
        }
    }

    /// The position of the last record of the last sealed batch.
    pub(crate) fn position(&self) -> u64 {
        // Positions begin at 1, but a store may hold anything.
        self.ledger.progress.get().next_position.saturating_sub(1)
    }

    /// The partition's time, which waits for a wall clock that is behind it.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// About how much changed since the last checkpoint.
    pub fn changed(&self) -> Changed {
        self.state.changed() + self.ledger.changed()
    }

    /// Takes what changed up to the last sealed batch, and while a new store is filled some of what did not. Must be
    /// called when the open batch is empty.
    pub fn take_changes(&mut self) -> Taken {
        let mut changes = Changes::default();
        let full = self.limits.entries_rewritten_at_once;
        let is_walked = self.ledger.walk(full, &mut changes);
        self.ledger.take_changes(&mut changes);
        changes.number_from(LEDGER_BIT);
        let is_whole = is_walked && self.state.walk(full, &mut changes);
        self.state.take_changes(&mut changes);
        self.rewriting = !is_whole;
        Taken { changes, is_whole }
    }

    /// Begins to fill a new store: what is taken from now on has everything, bit by bit.
    pub fn rewrite(&mut self) {
        self.rewriting = true;
        self.state.begin_walk();
        self.ledger.begin_walk();
    }

    /// Whether a new store is being filled, and has not everything yet.
    pub const fn is_rewriting(&self) -> bool {
        self.rewriting
    }

    fn advance(&mut self, wall: Timestamp) {
        if self.open.out.records.is_empty() {
            self.now = self.now.max(wall);
        }
    }

    /// Makes room for the header when the first record comes.
    fn begin(&mut self) {
        if self.open.out.records.is_empty() {
            self.open.out.records.resize(HEADER, 0);
        }
    }

    fn internal_head(&mut self) -> Head {
        Head {
            now: self.now,
            seed: (self.chance)(),
            caller: Caller::internal(),
            operation_reference: None,
            token: None,
        }
    }

    fn take_request(&mut self, request: Request<M>) {
        let Request { command, caller, operation_reference, idempotency_key, answer } = request;
        let keyed = match idempotency_key {
            None => None,
            Some(key) => match self.meet_key(key, &command, answer.as_ref()) {
                Some(keyed) => Some(keyed),
                None => return,
            },
        };
        self.tokens += 1;
        let token = Token::from_raw(self.epoch << 40 | self.tokens);
        let head =
            Head { now: self.now, seed: (self.chance)(), caller, operation_reference, token: Some(token) };
        self.transact(&command, &head, Origin::Client { token, answer, keyed });
    }

    fn take_frame(&mut self, frame: &Frame) {
        let last = self.ledger.last_taken(frame.from);
        if frame.sequence <= last {
            self.open.acknowledgements.insert(frame.from, last);
            return;
        }
        // A gap means that a frame before it was lost: the sender repeats all that is not acknowledged.
        if last.checked_add(1) == Some(frame.sequence) {
            let head = self.internal_head();
            let origin = Origin::Frame { from: frame.from, sequence: frame.sequence };
            self.transact_encoded(&frame.command, &head, origin);
            self.open.acknowledgements.insert(frame.from, frame.sequence);
        }
    }
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "panic without a message".to_owned())
}
