//! What a handler may do.

use std::collections::VecDeque;

use crate::codec::{Codec, put_delimited};
use crate::head::{Place, Token};
use crate::machine::{Machine, Topic};
use crate::table::Tables;

/// One transaction as its handlers see it: shared state, and a place for what they decide.
pub struct Txn<'a, M: Machine> {
    state: &'a mut M::State,
    env: &'a mut M::Env,
    out: &'a mut Output<M>,
}

/// A command on its way to another partition of the group.
#[derive(Clone, Debug)]
pub struct Sent<C> {
    /// The partition's number, from 1.
    pub to: u32,
    /// The wish.
    pub command: C,
}

/// What handlers decided, in the order in which they did.
#[derive(Debug)]
pub struct Output<M: Machine> {
    /// Encoded records of the batch, each framed by [`Output::frame`].
    pub records: Vec<u8>,
    /// Events emitted since the transaction began.
    pub events: u32,
    /// Commands that run next in the same transaction, first in first out.
    pub follow_ups: VecDeque<M::Command>,
    /// For the shell, after the commit.
    pub effects: Vec<M::Effect>,
    /// For other partitions of the group.
    pub sent: Vec<Sent<M::Command>>,
    /// Answers to requests of earlier transactions, or of this one.
    pub replies: Vec<(Token, M::Reply)>,
    /// Topics that were touched; collected only while somebody watches.
    pub touched: Vec<Topic>,
    /// Whether touched topics are collected.
    pub watched: bool,
}

impl<M: Machine> Default for Output<M> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            events: 0,
            follow_ups: VecDeque::new(),
            effects: Vec::new(),
            sent: Vec::new(),
            replies: Vec::new(),
            touched: Vec::new(),
            watched: false,
        }
    }
}

impl<M: Machine> Output<M> {
    /// The tag of an event among the records of a batch.
    pub const EVENT_TAG: u8 = 2;

    /// Appends a framed record: its tag, its length, its body.
    pub fn frame(&mut self, tag: u8, body: impl FnOnce(&mut Vec<u8>)) {
        self.records.push(tag);
        put_delimited(&mut self.records, body);
    }
}

impl<'a, M: Machine> Txn<'a, M> {
    /// Opens a handler's view on state, environment and output.
    pub fn new(state: &'a mut M::State, env: &'a mut M::Env, out: &'a mut Output<M>) -> Self {
        Self { state, env, out }
    }

    /// The state, with all that this transaction emitted so far.
    pub fn state(&self) -> &M::State {
        self.state
    }

    /// What the shell lends.
    pub fn env(&mut self) -> &mut M::Env {
        self.env
    }

    /// State and environment at once, for decisions that need both.
    pub fn state_and_env(&mut self) -> (&M::State, &mut M::Env) {
        (self.state, self.env)
    }

    /// Where this partition stands in its group.
    pub fn place(&self) -> Place {
        self.state.place()
    }

    /// Takes the next number of the machine's key counter.
    pub fn next_number(&mut self) -> u64 {
        let next = self.state.counter() + 1;
        self.state.set_counter(next);
        next
    }

    /// States a fact: it is recorded, and applied at once.
    pub fn emit(&mut self, event: &M::Event) {
        M::apply(self.state, event);
        self.out.frame(Output::<M>::EVENT_TAG, |records| event.encode(records));
        self.out.events += 1;
        if self.out.watched {
            let touched = &mut self.out.touched;
            M::touched(event, &mut |topic| touched.push(topic));
        }
    }

    /// Adds a command that runs in the same transaction, after those already added.
    pub fn follow_up(&mut self, command: M::Command) {
        self.out.follow_ups.push_back(command);
    }

    /// Adds something for the shell to do after the commit.
    pub fn effect(&mut self, effect: M::Effect) {
        self.out.effects.push(effect);
    }

    /// Sends a command to a partition of the group, this one included, exactly once and in order.
    pub fn send(&mut self, to: u32, command: M::Command) {
        self.out.sent.push(Sent { to, command });
    }

    /// Answers a request that waits by its token.
    pub fn reply(&mut self, token: Token, reply: M::Reply) {
        self.out.replies.push((token, reply));
    }
}
