//! One rate for many keys, in bounded memory.

use std::collections::HashMap;

use super::rate::{Rate, Tally, Verdict};
use crate::moment::Moment;

/// Keys that are kept when nothing else is said.
const KEYS_MAX: usize = 100_000;
/// No slot.
const NONE: u32 = u32::MAX;

/// What many keys have used of a rate. A key is the hash of what is counted by, with a key of its own.
#[derive(Debug)]
pub struct Limiter {
    rate: Rate,
    places: HashMap<u64, u32>,
    slots: Vec<Slot>,
    newest: u32,
    oldest: u32,
    keys_max: usize,
}

#[derive(Debug)]
struct Slot {
    key: u64,
    tally: Tally,
    newer: u32,
    older: u32,
}

impl Limiter {
    /// A table for a rate.
    pub fn new(rate: Rate) -> Self {
        Self::bounded(rate, KEYS_MAX)
    }

    /// A table that keeps at most this many keys, but one.
    pub fn bounded(rate: Rate, keys_max: usize) -> Self {
        let keys_max = keys_max.clamp(1, NONE as usize - 1);
        Self { rate, places: HashMap::new(), slots: Vec::new(), newest: NONE, oldest: NONE, keys_max }
    }

    /// Counts one more for a key, if it may happen now.
    pub fn ask(&mut self, now: Moment, key: u64) -> Verdict {
        let place = if let Some(place) = self.places.get(&key) { *place } else { self.admit(key) };
        if self.newest != place {
            self.unlink(place);
            self.link(place);
        }
        self.slots[place as usize].tally.ask(now, &self.rate)
    }

    /// How many keys are kept.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no key is kept.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Gives a new key a place: a new one, or that of the key that was not seen for longest.
    fn admit(&mut self, key: u64) -> u32 {
        let place = if self.slots.len() < self.keys_max {
            self.slots.push(Slot { key, tally: Tally::default(), newer: NONE, older: NONE });
            u32::try_from(self.slots.len() - 1).expect("there are fewer slots than 32 bits count")
        } else {
            let place = self.oldest;
            self.unlink(place);
            let slot = &mut self.slots[place as usize];
            self.places.remove(&slot.key);
            (slot.key, slot.tally) = (key, Tally::default());
            place
        };
        self.link(place);
        self.places.insert(key, place);
        place
    }

    /// Takes a place out of the order of use.
    fn unlink(&mut self, place: u32) {
        let Slot { newer, older, .. } = self.slots[place as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
    }

    /// Puts a place at the new end of the order of use.
    fn link(&mut self, place: u32) {
        let older = self.newest;
        let slot = &mut self.slots[place as usize];
        (slot.newer, slot.older) = (NONE, older);
        match older {
            NONE => self.oldest = place,
            older => self.slots[older as usize].newer = place,
        }
        self.newest = place;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chance::Dice;

    #[test]
    fn forgets_the_key_that_was_not_seen_for_longest() {
        let rate = Rate::new(1, Duration::from_mins(1), 1);
        let mut table = Limiter::bounded(rate, 2);
        let mut allowed = |key| matches!(table.ask(Moment::START, key), Verdict::Allowed { .. });
        assert!(allowed(1) && allowed(2));
        assert!(!allowed(1));
        assert!(allowed(3), "the place of key 2");
        assert!(!allowed(1) && !allowed(3));
        assert!(allowed(2), "the place of key 1");
        assert!(!allowed(3));
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn keeps_the_newest_keys_whatever_comes() {
        let mut dice = Dice::seeded(5);
        let rate = Rate::new(1, Duration::from_secs(1_000), 1);
        for keys_max in [1, 2, 7, 50] {
            let mut table = Limiter::bounded(rate, keys_max);
            // The same by a list: the newest last.
            let mut recent: Vec<u64> = Vec::new();
            for _ in 0..3_000 {
                let key = dice.below(keys_max as u64 * 2);
                let known = recent.iter().position(|other| *other == key);
                let found = table.ask(Moment::START, key);
                assert_eq!(known.is_some(), matches!(found, Verdict::Limited { .. }));
                match known {
                    Some(at) => drop(recent.remove(at)),
                    None if recent.len() == keys_max => drop(recent.remove(0)),
                    None => {}
                }
                recent.push(key);
                assert_eq!(table.len(), recent.len());
            }
        }
    }
}
