//! Keys.

use std::sync::Arc;

use super::{mark, stamp};
use crate::event::{EntryDeleted, EntryPut, EntryReleased, LockDelayed};
use crate::state::{Entry, LockDelay, Name, State};

pub(super) fn put(state: &mut State, event: &EntryPut) {
    let name = (event.tenant, Arc::clone(&event.key));
    let old = state.entries.get(&name);
    if let Some(old) = &old {
        let_go(state, &name, &old.session);
    }
    if !event.session.is_empty() {
        state.held.insert(((event.tenant, Arc::clone(&event.session)), Arc::clone(&event.key)));
    }
    let entry = Entry {
        value: Arc::clone(&event.value),
        flags: event.flags,
        session: Arc::clone(&event.session),
        lock_index: event.lock_index,
        stamp: stamp(old.as_ref().map(|old| &old.stamp), event.index),
    };
    state.entries.insert(name, entry);
}

pub(super) fn deleted(state: &mut State, event: &EntryDeleted) {
    let name = (event.tenant, Arc::clone(&event.key));
    if let Some(old) = state.entries.remove(&name) {
        let_go(state, &name, &old.session);
    }
    mark(state, |marks| marks.entry_gone = event.index);
}

pub(super) fn released(state: &mut State, event: &EntryReleased) {
    let name = (event.tenant, Arc::clone(&event.key));
    if let Some(old) = state.entries.get(&name) {
        let_go(state, &name, &old.session);
    }
    state.entries.update(&name, |entry| {
        entry.session = Arc::from("");
        entry.stamp.modify = event.index;
    });
}

pub(super) fn delayed(state: &mut State, event: &LockDelayed) {
    let name = (event.tenant, Arc::clone(&event.key));
    if let Some(old) = state.lock_delays.get(&name) {
        state.due.remove(&(old.until, name.clone()));
    }
    state.due.insert((event.until, name.clone()));
    state.lock_delays.insert(name, LockDelay { until: event.until });
}

pub(super) fn delay_ended(state: &mut State, event: &LockDelayed) {
    let name = (event.tenant, Arc::clone(&event.key));
    state.due.remove(&(event.until, name.clone()));
    state.lock_delays.remove(&name);
}

fn let_go(state: &mut State, (tenant, key): &Name, session: &Arc<str>) {
    if !session.is_empty() {
        state.held.remove(&((*tenant, Arc::clone(session)), Arc::clone(key)));
    }
}
