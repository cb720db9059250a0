//! Begins sessions, and ends them.

use std::fmt::Write;
use std::sync::Arc;

use coreto_machine::{Head, Outcome, Tenant};
use coreto_record::Rejection;

use super::instance::{no_node, of};
use super::{Handled, Handling, done, full, valid, visible};
use crate::command::{Command, CreateSession, DestroySession};
use crate::event::{EntryDeleted, EntryReleased, Event, LockDelayed, SessionCreated, SessionDestroyed};
use crate::limits::Limits;
use crate::model::{Behavior, Session, Status};
use crate::reply::{self, Reply};
use crate::state::{Place, State};

pub(crate) fn create_session(txn: &mut Handling<'_>, head: &Head, command: &CreateSession) -> Handled {
    let CreateSession { tenant, session } = command;
    visible(head, *tenant)?;
    let (state, env) = txn.state_and_env();
    bounds(&env.limits, session)?;
    full("sessions", state.sessions.len(), env.limits.sessions_max)?;
    if !state.nodes.contains(&(*tenant, Arc::clone(&session.node))) {
        return Err(no_node(&session.node));
    }
    session.checks.iter().try_for_each(|check| not_critical(state, *tenant, &session.node, check))?;
    let id: Arc<str> = uuid(head.seed).into();
    let index = txn.next_number();
    txn.emit(&Event::SessionCreated(SessionCreated {
        index,
        tenant: *tenant,
        id: Arc::clone(&id),
        session: session.clone(),
    }));
    Ok(Outcome::Now(Reply::SessionCreated(reply::SessionCreated { id })))
}

fn bounds(limits: &Limits, session: &Session) -> Result<(), Rejection> {
    valid::bytes("the name of the session", &session.name, limits.name_bytes_max)?;
    valid::count("checks", session.checks.len(), limits.checks_max)?;
    let Session { ttl_ms, lock_delay_ms, .. } = *session;
    let (least, most) = (limits.session_ttl_ms_min, limits.session_ttl_ms_max);
    if ttl_ms != 0 && !(least..=most).contains(&ttl_ms) {
        let reason = format!("a session's TTL of {ttl_ms} ms is not between {least} ms and {most} ms");
        return Err(Rejection::invalid_argument(reason));
    }
    let delay_max = limits.lock_delay_ms_max;
    if lock_delay_ms > delay_max {
        let reason = format!("a lock delay of {lock_delay_ms} ms is above the longest one, {delay_max} ms");
        return Err(Rejection::invalid_argument(reason));
    }
    Ok(())
}

fn not_critical(state: &State, tenant: Tenant, node: &Arc<str>, check: &Arc<str>) -> Result<(), Rejection> {
    match state.checks.peek(&of(tenant, node, check)) {
        None => Err(super::check::no_check(node, check)),
        Some(known) if known.check.status == Status::Critical => Err(Rejection::invalid_state(format!(
            "check `{check}` is critical, and a session that depends on it would end at once"
        ))),
        Some(_) => Ok(()),
    }
}

/// A random UUID of these bits.
fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (part, range) in [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().enumerate() {
        let dash = if part > 0 { "-" } else { "" };
        write!(text, "{dash}{}", &hex[range]).expect("writing to a string does not fail");
    }
    text
}

/// Ends the sessions that depend on a check.
pub(super) fn end_dependents(txn: &mut Handling<'_>, check: &Place) {
    let start = (check.clone(), Arc::from(""));
    let ids: Vec<Arc<str>> =
        txn.state().depending.scan(&start, |(of, _)| of == check).map(|(_, id)| Arc::clone(id)).collect();
    for id in ids {
        txn.follow_up(Command::DestroySession(DestroySession { tenant: check.0, id }));
    }
}

pub(crate) fn destroy_session(txn: &mut Handling<'_>, head: &Head, command: &DestroySession) -> Handled {
    let DestroySession { tenant, id } = command;
    visible(head, *tenant)?;
    let name = (*tenant, Arc::clone(id));
    let Some(entry) = txn.state().sessions.get(&name) else { return Ok(done(txn)) };
    let start = (name.clone(), Arc::from(""));
    // Bound: a session holds no more than `Limits::held_max` keys.
    let keys: Vec<Arc<str>> =
        txn.state().held.scan(&start, |(of, _)| *of == name).map(|(_, key)| Arc::clone(key)).collect();
    for key in keys {
        let_go(txn, *tenant, &key, entry.session.behavior);
        if entry.session.lock_delay_ms > 0 {
            let delay = i64::try_from(entry.session.lock_delay_ms).unwrap_or(i64::MAX);
            let until = head.now.plus_millis(delay);
            txn.emit(&Event::LockDelayed(LockDelayed { tenant: *tenant, key, until }));
        }
    }
    let index = txn.next_number();
    txn.emit(&Event::SessionDestroyed(SessionDestroyed { index, tenant: *tenant, id: Arc::clone(id) }));
    Ok(done(txn))
}

/// Lets go of a key, whose value is not written again: a session may hold more of them than fit into a batch.
fn let_go(txn: &mut Handling<'_>, tenant: Tenant, key: &Arc<str>, behavior: Behavior) {
    let index = txn.next_number();
    let key = Arc::clone(key);
    txn.emit(&match behavior {
        Behavior::Delete => Event::EntryDeleted(EntryDeleted { index, tenant, key }),
        Behavior::Release => Event::EntryReleased(EntryReleased { index, tenant, key }),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_uuids_of_the_random_kind() {
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
