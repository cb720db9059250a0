//! What events change. Nothing here decides, and nothing can fail.

mod check;
mod entry;
mod instance;
mod session;

use crate::event::Event;
use crate::model::Stamp;
use crate::state::{Marks, State};

pub(crate) fn apply(state: &mut State, event: &Event) {
    match event {
        Event::NodeRegistered(event) => instance::node_registered(state, event),
        Event::NodeDeregistered(event) => instance::node_deregistered(state, event),
        Event::InstanceRegistered(event) => instance::registered(state, event),
        Event::InstanceDeregistered(event) => instance::deregistered(state, event),
        Event::CheckRegistered(event) => check::registered(state, event),
        Event::CheckDeregistered(event) => check::deregistered(state, event),
        Event::CheckUpdated(event) => check::updated(state, event),
        Event::EntryPut(event) => entry::put(state, event),
        Event::EntryDeleted(event) => entry::deleted(state, event),
        Event::EntryReleased(event) => entry::released(state, event),
        Event::SessionCreated(event) => session::created(state, event),
        Event::SessionDestroyed(event) => session::destroyed(state, event),
        Event::LockDelayed(event) => entry::delayed(state, event),
        Event::LockDelayEnded(event) => entry::delay_ended(state, event),
    }
}

/// Changes the marks.
fn mark(state: &mut State, change: impl FnOnce(&mut Marks)) {
    let mut marks = state.marks.get().clone();
    change(&mut marks);
    state.marks.set(marks);
}

/// The stamp of something that changes now, or comes.
fn stamp(old: Option<&Stamp>, index: u64) -> Stamp {
    Stamp { create: old.map_or(index, |old| old.create), modify: index }
}
