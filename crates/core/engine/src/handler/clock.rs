//! The controlled clock: the shell moves it, the log remembers that.

use coreto_machine::Txn;
use coreto_record::Event;
use coreto_record::command::PinClock;
use coreto_record::event::ClockPinned;

use super::{Handled, done};
use crate::engine::Engine;

/// Says that the clock was pinned.
pub(crate) fn pin_clock(txn: &mut Txn<'_, Engine>, command: &PinClock) -> Handled {
    txn.emit(&Event::ClockPinned(ClockPinned { at: command.at }));
    done()
}

/// Says that the clock runs freely again.
pub(crate) fn reset_clock(txn: &mut Txn<'_, Engine>) -> Handled {
    txn.emit(&Event::ClockReset(()));
    done()
}
