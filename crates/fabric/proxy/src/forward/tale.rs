//! What is told of a request when it ends, also when its connection's task is dropped in the midst of it.

use std::task::{Context, Waker};
use std::time::Instant;

use h2::Reason;
use http::HeaderValue;

use super::Failure;
use super::account::Account;
use super::answer::{Answer, Reply};
use super::run::{Ended, Shape, Terms, put_whole, stamp};
use crate::wire::Channel;

/// Tells the ledger, and the client when it has been told nothing yet.
pub(super) struct Tale<'a> {
    pub(super) client: &'a mut Channel,
    pub(super) account: Account,
    /// How an answer of ours looks.
    reply: Reply,
    /// Whether it has no body.
    head: bool,
    date: HeaderValue,
    started: Instant,
    /// Whether it came to an end of its own.
    ended: bool,
    note: &'a (dyn Fn(&Account) + Sync),
}

impl<'a> Tale<'a> {
    pub(super) fn new(client: &'a mut Channel, account: Account, shape: &Shape, terms: &Terms<'a>) -> Self {
        let (reply, head, date) = (shape.reply, shape.asked.head, terms.date.clone());
        Self { client, account, reply, head, date, started: terms.started, ended: false, note: terms.note }
    }

    pub(super) fn end(mut self, reusable: bool, broken: Option<Reason>) -> Ended {
        self.ended = true;
        Ended { reusable, broken }
    }

    /// It is cut off: a drain is over, or a task has failed. As far as that goes without waiting, the client is told.
    fn cut(&mut self) {
        let cut = Failure::Cut;
        self.account.fail(&cut);
        if self.account.status_sent {
            if let Channel::One(connection) = self.client {
                connection.reset_if_unmarked();
            }
            return;
        }
        let mut answer = Answer::of(&cut, self.reply);
        self.account.status = answer.status;
        stamp(&mut answer.fields, &self.date, self.account.id.clone());
        if put_whole(self.client, &answer, self.head, true).is_ok() {
            let _ = self.client.poll_flush(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl Drop for Tale<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.cut();
        }
        self.account.bytes = self.client.counted();
        self.account.took = self.started.elapsed();
        (self.note)(&self.account);
    }
}
