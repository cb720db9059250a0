//! The wall clock, which tests may hold and move.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use coreto_machine::Timestamp;

/// The wall clock of a process. A controlled one can be pinned and moved.
#[derive(Debug)]
pub struct Clock {
    controlled: bool,
    hands: Mutex<Hands>,
}

/// Where a controlled clock stands.
#[derive(Clone, Copy, Debug, Default)]
struct Hands {
    pinned: Option<i64>,
    offset: i64,
    /// Counts pins, moves of a pinned clock and resets, after which time may run backwards.
    turns: u64,
}

impl Clock {
    /// The clock of the machine.
    pub fn real() -> Self {
        Self { controlled: false, hands: Mutex::default() }
    }

    /// A clock that can be pinned and moved.
    pub fn controlled() -> Self {
        Self { controlled: true, hands: Mutex::default() }
    }

    /// Whether the clock can be pinned and moved.
    pub const fn is_controlled(&self) -> bool {
        self.controlled
    }

    /// The time, and how often the clock was pinned or reset.
    pub fn read(&self) -> (Timestamp, u64) {
        if !self.controlled {
            return (Timestamp::from_millis(system()), 0);
        }
        let hands = *self.lock();
        let now = hands.pinned.unwrap_or_else(|| system().saturating_add(hands.offset));
        (Timestamp::from_millis(now), hands.turns)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.read().0
    }

    /// Holds the clock at a time.
    pub fn pin(&self, at: Timestamp) {
        let mut hands = self.lock();
        hands.pinned = Some(at.as_millis());
        hands.turns += 1;
    }

    /// Holds a controlled clock at a time at which it stood before a restart, unless it was moved since.
    pub(crate) fn restore(&self, at: Timestamp) {
        let mut hands = self.lock();
        if hands.turns == 0 {
            *hands = Hands { pinned: Some(at.as_millis()), offset: 0, turns: 1 };
        }
    }

    /// The time at which the clock is held.
    pub fn pinned(&self) -> Option<Timestamp> {
        self.lock().pinned.map(Timestamp::from_millis)
    }

    /// Moves the clock, be it pinned or not.
    pub fn add(&self, millis: i64) {
        let mut locked = self.lock();
        let hands = &mut *locked;
        match &mut hands.pinned {
            Some(pinned) => {
                *pinned = pinned.saturating_add(millis);
                hands.turns += 1;
            }
            None => hands.offset = hands.offset.saturating_add(millis),
        }
    }

    /// Lets the clock run with the machine's again.
    pub fn reset(&self) {
        let mut hands = self.lock();
        *hands = Hands { turns: hands.turns + 1, ..Hands::default() };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn system() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
