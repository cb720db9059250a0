//! What waits for something to happen.

use coreto_record::event::TimerChanged;
use coreto_record::{Key, TimerKey};

use super::State;

/// Who waits for a timer: an element instance, or a definition that it starts. Both have keys of one counter.
pub(crate) fn timer_owner(timer: &TimerChanged) -> u64 {
    if timer.element_instance.is_unset() { timer.definition.raw() } else { timer.element_instance.raw() }
}

impl State {
    /// Timers that an element instance or a definition waits for, oldest first.
    pub(crate) fn timers_of(&self, owner: u64) -> impl Iterator<Item = TimerKey> {
        let first = (owner, TimerKey::from_raw(0));
        self.timers_of.scan(&first, move |(found, _)| *found == owner).map(|(_, timer)| *timer)
    }
}
