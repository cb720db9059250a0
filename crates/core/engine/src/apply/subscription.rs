//! What waits for something to happen.

use coreto_record::Key;
use coreto_record::event::{TimerChanged, TimerIntent};

use crate::state::{DUE_TIMER, State, timer_owner};

pub(super) fn timer(state: &mut State, event: &TimerChanged) {
    let due = (event.due, DUE_TIMER, event.key.raw());
    let owned = (timer_owner(event), event.key);
    match event.to {
        TimerIntent::Created => {
            state.due.insert(due);
            state.timers_of.insert(owned);
            state.timers.insert(event.key, event.clone());
        }
        TimerIntent::Triggered | TimerIntent::Canceled => {
            state.due.remove(&due);
            state.timers_of.remove(&owned);
            state.timers.remove(&event.key);
        }
    }
}
