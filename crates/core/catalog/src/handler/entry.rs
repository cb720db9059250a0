//! Writes, takes, lets go of and removes keys.

use std::sync::Arc;

use coreto_machine::Head;
use coreto_record::Rejection;

use super::{Handled, Handling, done, full, valid, visible};
use crate::command::{Command, DeleteEntries, DeleteEntry, PutEntry};
use crate::event::{EntryDeleted, EntryPut, Event};
use crate::limits::Limits;
use crate::state::{Entry, Name, State};

pub(crate) fn put_entry(txn: &mut Handling<'_>, head: &Head, command: &PutEntry) -> Handled {
    let PutEntry { tenant, key, value, flags, cas, .. } = command;
    visible(head, *tenant)?;
    let name: Name = (*tenant, Arc::clone(key));
    let (state, env) = txn.state_and_env();
    bounds(&env.limits, command)?;
    let known = state.entries.get(&name);
    if known.is_none() {
        full("keys", state.entries.len(), env.limits.entries_max)?;
    }
    if let Some(wanted) = cas {
        unchanged(key, *wanted, known.as_deref())?;
    }
    let holder = known.as_ref().map_or_else(|| Arc::from(""), |entry| Arc::clone(&entry.session));
    let lock_index = known.as_ref().map_or(0, |entry| entry.lock_index);
    let (session, lock_index) = match (&command.acquire, &command.release) {
        (None, None) => (holder, lock_index),
        (Some(_), Some(_)) => {
            return Err(Rejection::invalid_argument("a key is acquired or released, not both"));
        }
        (Some(session), None) => {
            may_take(state, &env.limits, head, &name, session, &holder)?;
            (Arc::clone(session), lock_index + u64::from(holder != *session))
        }
        (None, Some(session)) if holder == *session && !holder.is_empty() => (Arc::from(""), lock_index),
        (None, Some(session)) => {
            let reason = format!("key `{key}` is not held by session `{session}`");
            return Err(Rejection::invalid_state(reason));
        }
    };
    let same = |known: &Entry| known.value == *value && known.flags == *flags && known.session == session;
    if !known.is_some_and(|known| same(&known)) {
        let index = txn.next_number();
        txn.emit(&Event::EntryPut(EntryPut {
            index,
            tenant: *tenant,
            key: Arc::clone(key),
            value: Arc::clone(value),
            flags: *flags,
            session,
            lock_index,
        }));
    }
    Ok(done(txn))
}

fn bounds(limits: &Limits, command: &PutEntry) -> Result<(), Rejection> {
    if command.key.is_empty() {
        return Err(Rejection::invalid_argument("the key is empty; give one"));
    }
    valid::bytes("the key", &command.key, limits.key_bytes_max)?;
    let (bytes, bytes_max) = (command.value.len(), limits.value_bytes_max);
    if bytes > bytes_max {
        let reason = format!("the value has {bytes} bytes, at most {bytes_max} are possible");
        return Err(Rejection::invalid_argument(reason));
    }
    Ok(())
}

/// Whether a key was last changed when the client thinks; 0 is for a key that is not there.
fn unchanged(key: &str, wanted: u64, known: Option<&Entry>) -> Result<(), Rejection> {
    let found = known.map_or(0, |entry| entry.stamp.modify);
    if found == wanted {
        return Ok(());
    }
    Err(Rejection::invalid_state(format!("key `{key}` was last changed at {found}, not at {wanted}")))
}

fn may_take(
    state: &State,
    limits: &Limits,
    head: &Head,
    name: &Name,
    session: &Arc<str>,
    holder: &Arc<str>,
) -> Result<(), Rejection> {
    let (tenant, key) = name;
    let of = (*tenant, Arc::clone(session));
    if !state.sessions.contains(&of) {
        return Err(Rejection::not_found(format!("there is no session `{session}`")));
    }
    if holder == session {
        return Ok(());
    }
    if !holder.is_empty() {
        return Err(Rejection::invalid_state(format!("key `{key}` is held by session `{holder}`")));
    }
    if let Some(delay) = state.lock_delays.peek(name)
        && delay.until > head.now
    {
        let reason = format!("key `{key}` may not be taken before {}: who held it has ended", delay.until);
        return Err(Rejection::invalid_state(reason));
    }
    let start = (of.clone(), Arc::from(""));
    let keys = state.held.scan(&start, |(session, _)| *session == of).take(limits.held_max).count();
    full("keys held by the session", keys, limits.held_max)
}

pub(crate) fn delete_entry(txn: &mut Handling<'_>, head: &Head, command: &DeleteEntry) -> Handled {
    let DeleteEntry { tenant, key, cas } = command;
    visible(head, *tenant)?;
    let Some(known) = txn.state().entries.get(&(*tenant, Arc::clone(key))) else { return Ok(done(txn)) };
    if let Some(wanted) = cas {
        unchanged(key, *wanted, Some(&known))?;
    }
    let index = txn.next_number();
    txn.emit(&Event::EntryDeleted(EntryDeleted { index, tenant: *tenant, key: Arc::clone(key) }));
    Ok(done(txn))
}

pub(crate) fn delete_entries(txn: &mut Handling<'_>, head: &Head, command: &DeleteEntries) -> Handled {
    let DeleteEntries { tenant, prefix, until } = command;
    visible(head, *tenant)?;
    let at_once = txn.env().limits.deleted_at_once;
    // Keys that are written while the rest waits for its turn are not meant.
    let until = if *until == 0 { txn.state().index() } else { *until };
    let below = (*tenant, Arc::clone(prefix));
    let keys: Vec<Arc<str>> = txn
        .state()
        .entries_below(&below)
        .filter(|(_, entry)| entry.stamp.modify <= until)
        .map(|((_, key), _)| Arc::clone(key))
        .take(at_once)
        .collect();
    let rest = keys.len() == at_once;
    for key in keys {
        let index = txn.next_number();
        txn.emit(&Event::EntryDeleted(EntryDeleted { index, tenant: *tenant, key }));
    }
    if rest {
        let next = DeleteEntries { tenant: *tenant, prefix: Arc::clone(prefix), until };
        txn.follow_up(Command::DeleteEntries(next));
    }
    Ok(done(txn))
}
