//! Broadcasting a signal.

use std::sync::Arc;

use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::{BroadcastSignal, SpreadSignal};
use coreto_record::event::SignalBroadcasted;
use coreto_record::{Command, Document, Event, Key, Rejection, Reply, SubscriptionKey, reply};

use super::{Handled, check_name, done};
use crate::engine::Engine;
use crate::keys;
use crate::limits::Limits;
use crate::subscription::message::send;
use crate::subscription::signal;

/// Broadcasts a signal: all that waits for it now is set off, on every partition.
pub(crate) fn broadcast_signal(txn: &mut Txn<'_, Engine>, head: &Head, command: &BroadcastSignal) -> Handled {
    if command.name.is_empty() {
        return Err(Rejection::invalid_argument("the signal has no name; nobody can wait for it"));
    }
    check_name(&txn.env().limits, "the name of the signal", &command.name)?;
    let key = keys::next(txn);
    txn.emit(&Event::SignalBroadcasted(SignalBroadcasted {
        key,
        name: Arc::clone(&command.name),
        variables: command.variables.clone(),
        tenant: command.tenant,
    }));
    let here = txn.place().number;
    for partition in 1..=txn.place().count {
        let spread = SpreadSignal {
            tenant: command.tenant,
            name: Arc::clone(&command.name),
            variables: command.variables.clone(),
            starts: partition == here,
            ..SpreadSignal::default()
        };
        if partition == here && fitting(&txn.env().limits, &command.variables) > 1 {
            // At once: what stands behind a throw event whose signal ends its scope must not begin before that.
            spread_signal(txn, head, &spread)?;
        } else {
            send(txn, partition, Command::SpreadSignal(spread));
        }
    }
    Ok(Outcome::Now(Reply::SignalBroadcasted(reply::SignalBroadcasted { key })))
}

/// Sets off some of what waits for a signal, and leaves the rest to a follow-up.
pub(crate) fn spread_signal(txn: &mut Txn<'_, Engine>, head: &Head, command: &SpreadSignal) -> Handled {
    let limit = at_once(&txn.env().limits, &command.variables);
    let until: SubscriptionKey = if command.until.is_unset() { keys::next(txn) } else { command.until };
    let waiting = txn.state().waiting_for_signal(command.tenant, &command.name, command.from);
    let mut some: Vec<_> =
        waiting.take_while(|waiting| waiting.key < until).take(limit + 1).cloned().collect();
    let next = if some.len() > limit { some.pop() } else { None };
    for waiting in some {
        signal::set_off(txn, head, &waiting, command);
    }
    if let Some(next) = next {
        txn.follow_up(Command::SpreadSignal(SpreadSignal { until, from: next.key, ..command.clone() }));
    }
    done()
}

/// How many are set off at once.
fn at_once(limits: &Limits, variables: &Document) -> usize {
    fitting(limits, variables).clamp(1, limits.children_per_step.max(1))
}

/// How many may be set off by one command: each puts what the signal brings along on record again, and what a command
/// writes is bounded.
fn fitting(limits: &Limits, variables: &Document) -> usize {
    limits.repeated_bytes_max() / variables.as_str().len().max(1)
}
