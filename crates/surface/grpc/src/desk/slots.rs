//! Numbered places for answers. A number is not given twice within 2³² uses of its place.

use std::task::{Poll, Waker};

use super::Outcome;

#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

struct Slot {
    generation: u32,
    state: State,
}

enum State {
    Free,
    Waiting {
        waker: Option<Waker>,
        /// The sweep during which the wait began; none for those with a timer of their own.
        since: Option<u32>,
    },
    Filled(Outcome),
}

impl Slots {
    pub(super) fn open(&mut self, since: Option<u32>) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, state: State::Free });
            u32::try_from(self.slots.len() - 1).expect("calls are limited per connection, connections too")
        });
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.state = State::Waiting { waker: None, since };
        (u64::from(slot.generation) << 32) | u64::from(index)
    }

    fn slot(&mut self, ticket: u64) -> Option<&mut Slot> {
        let (generation, index) = split(ticket);
        self.slots.get_mut(index as usize).filter(|slot| slot.generation == generation)
    }

    /// Puts an outcome where it is waited for, and wakes; gives it back when nobody waits.
    pub(super) fn fill(&mut self, ticket: u64, outcome: Outcome) -> Option<Outcome> {
        match self.slot(ticket) {
            Some(Slot { state: state @ State::Waiting { .. }, .. }) => {
                if let State::Waiting { waker: Some(waker), .. } =
                    std::mem::replace(state, State::Filled(outcome))
                {
                    waker.wake();
                }
                None
            }
            Some(Slot { state: State::Filled(_) | State::Free, .. }) | None => Some(outcome),
        }
    }

    pub(super) fn take(&mut self, ticket: u64, by: &Waker) -> Poll<Outcome> {
        let slot = self.slot(ticket).expect("a ticket is valid until it is closed");
        match &mut slot.state {
            State::Filled(_) => match std::mem::replace(&mut slot.state, State::Free) {
                State::Filled(outcome) => Poll::Ready(outcome),
                State::Waiting { .. } | State::Free => Poll::Pending,
            },
            State::Waiting { waker, .. } => {
                match waker {
                    Some(waker) => waker.clone_from(by),
                    None => *waker = Some(by.clone()),
                }
                Poll::Pending
            }
            State::Free => Poll::Pending,
        }
    }

    /// Frees a place; an outcome in it is lost.
    pub(super) fn close(&mut self, ticket: u64) -> Option<Outcome> {
        let slot = self.slot(ticket)?;
        let state = std::mem::replace(&mut slot.state, State::Free);
        // From now on the ticket names nobody.
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(split(ticket).1);
        match state {
            State::Filled(outcome) => Some(outcome),
            State::Waiting { .. } | State::Free => None,
        }
    }

    /// Ends waits that took longer than so many sweeps.
    pub(super) fn expire(&mut self, sweep: u32, sweeps_max: u32) {
        for slot in &mut self.slots {
            if let State::Waiting { waker, since: Some(since) } = &mut slot.state
                && sweep.wrapping_sub(*since) > sweeps_max
            {
                let waker = waker.take();
                slot.state = State::Filled(Outcome::TimedOut);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }
}

const fn split(ticket: u64) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are taken apart")]
    ((ticket >> 32) as u32, ticket as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_answer_goes_to_nobody() {
        let mut slots = Slots::default();
        let first = slots.open(Some(0));
        slots.close(first);
        let second = slots.open(Some(0));
        assert_ne!(first, second);
        assert!(slots.fill(first, Outcome::TimedOut).is_some());
        assert!(slots.take(second, Waker::noop()).is_pending());
        assert!(slots.fill(second, Outcome::TimedOut).is_none());
        assert!(slots.take(second, Waker::noop()).is_ready());
    }

    #[test]
    fn places_are_used_again() {
        let mut slots = Slots::default();
        for _ in 0..1000 {
            let ticket = slots.open(None);
            slots.close(ticket);
        }
        assert_eq!(slots.slots.len(), 1);
    }

    #[test]
    fn only_impatient_waits_expire() {
        let mut slots = Slots::default();
        let (patient, impatient) = (slots.open(None), slots.open(Some(0)));
        slots.expire(3, 2);
        assert!(slots.take(patient, Waker::noop()).is_pending());
        assert!(slots.take(impatient, Waker::noop()).is_ready());
    }
}
