//! Commands on their way to other partitions: in order, so many bytes at once, until they are acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_machine::{Codec, Machine, Sent, Tables};

use super::Partition;
use crate::batch::{Waiting, tag};
use crate::door::{Acknowledgement, Frame};

/// What is under way to each other partition. It is no part of the state: after a start nothing is under way.
#[derive(Default)]
pub(super) struct Flights {
    flights: BTreeMap<u32, Flight>,
    /// Partitions to which more may go.
    due: BTreeSet<u32>,
}

/// What is under way to one partition: of what waits for it, all up to a number.
#[derive(Default)]
struct Flight {
    upto: u64,
    bytes: usize,
}

impl Flights {
    /// Whether something may go out.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }
}

impl<M: Machine> Partition<M> {
    /// Puts what handlers sent into the outbox; a command for this partition itself waits for its turn.
    pub(super) fn put_sent(&mut self) {
        let here = self.ledger.place().number;
        for Sent { to, command } in std::mem::take(&mut self.open.out.sent) {
            let command: Arc<[u8]> = command.to_bytes().into();
            if to == here {
                self.add_pending(command);
                continue;
            }
            let waiting = Waiting { id: self.ledger.last_sent(to) + 1, partition: to, command };
            self.put_fact(tag::FRAME_SENT, &waiting);
            self.ledger.add_sent(waiting);
            self.flights.due.insert(to);
        }
    }

    /// Puts frames out again that may have been lost: after a start, and every ten seconds. What is not acknowledged
    /// begins anew, since the receiver takes nothing behind a gap.
    pub fn resend(&mut self) {
        let mut next = 0;
        // Bound: each round goes on to a later partition.
        while let Some(to) = self.ledger.outbox.range((next, 0)..).next().map(|((to, _), _)| *to) {
            self.flights.flights.remove(&to);
            self.flights.due.insert(to);
            let Some(after) = to.checked_add(1) else { break };
            next = after;
        }
    }

    /// Lets out what is due, in order, until so much is under way as may be. One frame may be larger than that.
    pub(super) fn launch(&mut self) {
        let from = self.ledger.place().number;
        for to in std::mem::take(&mut self.flights.due) {
            let flight = self.flights.flights.entry(to).or_default();
            for (&(_, sequence), waiting) in
                self.ledger.outbox.range((to, flight.upto.saturating_add(1))..=(to, u64::MAX))
            {
                let bytes = Frame::weight(&waiting.command);
                if flight.bytes > 0 && flight.bytes + bytes > self.limits.frames_in_flight_bytes_max {
                    break;
                }
                flight.upto = sequence;
                flight.bytes += bytes;
                self.open.frames.push(Frame { from, to, sequence, command: Arc::clone(&waiting.command) });
            }
        }
    }

    /// The receiver has taken what was under way up to a number: that makes room for more.
    pub(super) fn take_acknowledgement(&mut self, acknowledgement: Acknowledgement) {
        let from = acknowledgement.from;
        let sequence = acknowledgement.sequence.min(self.ledger.last_sent(from));
        let flight = self.flights.flights.entry(from).or_default();
        let mut is_new = false;
        for (&(_, number), waiting) in self.ledger.outbox.range((from, 0)..=(from, sequence)) {
            is_new = true;
            if number <= flight.upto {
                flight.bytes = flight.bytes.saturating_sub(Frame::weight(&waiting.command));
            }
        }
        if is_new {
            flight.upto = flight.upto.max(sequence);
            self.flights.due.insert(from);
            self.put_fact(tag::FRAME_ACKED, &Waiting { id: sequence, partition: from, ..Waiting::default() });
            self.ledger.acknowledge(from, sequence);
            self.ledger.commit();
        }
    }
}
