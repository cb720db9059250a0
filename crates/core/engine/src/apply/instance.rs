//! Process instances as a whole.

use coreto_record::event::{InstanceBanned, ResultAwaited};

use crate::state::State;

pub(super) fn result_awaited(state: &mut State, event: &ResultAwaited) {
    state.awaited.insert(event.instance, event.clone());
}

pub(super) fn banned(state: &mut State, event: &InstanceBanned) {
    state.banned.insert(event.instance, event.clone());
}
