//! Answers that come later, and replies that are kept for repeated requests.

use std::sync::Arc;

use coreto_machine::{Codec, Fingerprint, Machine, Tables, Tenant, Token};

use super::Partition;
use crate::batch::{Kept, tag};
use crate::door::{Address, Answer};

/// A request that was handled and not answered.
pub(super) struct Waiter<M: Machine> {
    answers: Vec<Address<M>>,
    keyed: Option<Keyed>,
}

/// A request's idempotency key, and the hash of its command.
#[derive(Clone, Debug)]
pub(super) struct Keyed {
    tenant: Tenant,
    key: Arc<str>,
    command_hash: u64,
}

/// What a repeated request is told whose first one was carried out, but whose answer is not there.
const UNKNOWN: &str = "the request with this idempotency key was carried out, but its answer was not kept: it came after a restart, or when kept answers had reached their limit of bytes";

/// Kept replies that expire in one batch at most.
const EXPIRE_MAX: usize = 64;

impl<M: Machine> Partition<M> {
    /// Looks a key up before its command is handled. `None` when the request is answered by what is there.
    pub(super) fn meet_key(
        &mut self,
        slot: (Tenant, Arc<str>),
        command: &M::Command,
        answer: Option<&Address<M>>,
    ) -> Option<Keyed> {
        let command_hash = hash(command);
        let met = if let Some(kept) = self.ledger.kept.get(&slot) {
            if kept.command_hash == command_hash
                && let Some(waiter) = self.keyed.get(&slot).and_then(|token| self.waiters.get_mut(token))
            {
                waiter.answers.extend(answer.cloned());
                return None;
            }
            match M::Reply::decode(&kept.reply) {
                _ if kept.command_hash != command_hash => Answer::KeyMisused,
                _ if kept.reply.is_empty() => Answer::Lost { reason: UNKNOWN.into() },
                Ok(reply) => Answer::Reply(reply),
                Err(error) => Answer::Lost { reason: format!("the kept reply is damaged: {error}").into() },
            }
        } else if self.has_room_for_keys() {
            return Some(Keyed { tenant: slot.0, key: slot.1, command_hash });
        } else {
            Answer::KeysFull
        };
        if let Some(address) = answer {
            self.open.answers.push((address.clone(), met));
        }
        None
    }

    /// The request's answer comes later.
    pub(super) fn wait(&mut self, token: Token, answer: Option<Address<M>>, keyed: Option<Keyed>) {
        if answer.is_none() && keyed.is_none() {
            return;
        }
        if let Some(keyed) = &keyed {
            self.keyed.insert((keyed.tenant, Arc::clone(&keyed.key)), token);
            self.keep_encoded(keyed, Arc::default());
        }
        self.waiters.insert(token, Waiter { answers: answer.into_iter().collect(), keyed });
    }

    /// Answers whoever waits by the token. Nobody does when it is from before a restart.
    pub(super) fn answer_later(&mut self, token: Token, reply: &M::Reply) {
        let Some(Waiter { answers, keyed }) = self.waiters.remove(&token) else { return };
        if let Some(keyed) = keyed {
            self.keyed.remove(&(keyed.tenant, Arc::clone(&keyed.key)));
            // Its place among the kept replies is taken, but how large it would be was not known then.
            if !self.is_full_of_replies() {
                self.keep(&keyed, reply);
            }
        }
        for address in answers {
            self.open.answers.push((address, Answer::Reply(reply.clone())));
        }
    }

    /// Takes out everybody who waits for a later answer: the partition will not give it.
    pub fn forget_waiters(&mut self) -> Vec<Address<M>> {
        self.keyed.clear();
        std::mem::take(&mut self.waiters).into_values().flat_map(|waiter| waiter.answers).collect()
    }

    /// Keeps a reply for a repeated request.
    pub(super) fn keep(&mut self, keyed: &Keyed, reply: &M::Reply) {
        self.keep_encoded(keyed, reply.to_bytes().into());
    }

    /// As [`Self::keep`]; an empty reply says that the request was taken, so that it is not carried out again.
    fn keep_encoded(&mut self, keyed: &Keyed, reply: Arc<[u8]>) {
        let lifetime = i64::try_from(self.limits.kept_replies_for.as_millis()).unwrap_or(i64::MAX);
        let kept = Kept {
            tenant: keyed.tenant,
            key: Arc::clone(&keyed.key),
            expires: self.now.plus_millis(lifetime),
            command_hash: keyed.command_hash,
            reply,
        };
        self.put_fact(tag::REPLY_KEPT, &kept);
        self.ledger.keep_reply(kept);
    }

    /// Whether another reply may be kept. Makes room if there are replies that have expired: when all requests have keys
    /// and are refused, nothing is written that could take them along.
    fn has_room_for_keys(&mut self) -> bool {
        if self.ledger.kept.len() >= self.limits.kept_replies_max || self.is_full_of_replies() {
            self.drop_expired();
            self.ledger.commit();
        }
        self.ledger.kept.len() < self.limits.kept_replies_max && !self.is_full_of_replies()
    }

    /// Whether kept replies take all the bytes that they may. One that is kept in answer to a command may exceed them.
    const fn is_full_of_replies(&self) -> bool {
        self.ledger.kept_bytes.get() >= self.limits.kept_replies_bytes_max
    }

    /// Drops some of the kept replies that have expired, in a batch that is written anyway.
    pub(super) fn expire_replies(&mut self) {
        if !self.open.out.records.is_empty() {
            self.drop_expired();
        }
    }

    fn drop_expired(&mut self) {
        let expired: Vec<_> = self
            .ledger
            .expiry
            .range(..)
            .take_while(|(at, _)| *at <= self.now)
            .take(EXPIRE_MAX)
            .map(|(_, slot)| slot.clone())
            .collect();
        for slot in expired {
            let dropped = Kept { tenant: slot.0, key: Arc::clone(&slot.1), ..Kept::default() };
            self.put_fact(tag::REPLY_DROPPED, &dropped);
            self.ledger.drop_reply(&slot);
        }
    }
}

fn hash<C: Codec>(command: &C) -> u64 {
    let mut fingerprint = Fingerprint::default();
    fingerprint.entry(0, &command.to_bytes(), &[]);
    fingerprint.value()
}
