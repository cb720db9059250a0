//! Sessions.

use std::sync::Arc;

use super::{mark, stamp};
use crate::event::{SessionCreated, SessionDestroyed};
use crate::state::{SessionEntry, State};

pub(super) fn created(state: &mut State, event: &SessionCreated) {
    let SessionCreated { index, tenant, id, session } = event;
    for check in &session.checks {
        let check = (*tenant, Arc::clone(&session.node), Arc::clone(check));
        state.depending.insert((check, Arc::clone(id)));
    }
    let entry = SessionEntry { session: session.clone(), stamp: stamp(None, *index) };
    state.sessions.insert((*tenant, Arc::clone(id)), entry);
    mark(state, |marks| marks.sessions = *index);
}

pub(super) fn destroyed(state: &mut State, event: &SessionDestroyed) {
    let SessionDestroyed { index, tenant, id } = event;
    if let Some(old) = state.sessions.remove(&(*tenant, Arc::clone(id))) {
        for check in &old.session.checks {
            let check = (*tenant, Arc::clone(&old.session.node), Arc::clone(check));
            state.depending.remove(&(check, Arc::clone(id)));
        }
    }
    mark(state, |marks| marks.sessions = *index);
}
