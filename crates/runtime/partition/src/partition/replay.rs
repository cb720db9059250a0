//! Back from the store and the log.

use coreto_machine::{DecodeError, Machine, Tables};

use super::{LEDGER_BIT, Partition};
use crate::batch::{self, BatchError, Entry};
use crate::ledger::Progress;

impl<M: Machine> Partition<M> {
    /// Puts back a stored entry; [`Partition::loaded`] follows when all are in.
    ///
    /// # Errors
    /// When the entry cannot be decoded.
    pub fn load(&mut self, table: u32, key: &[u8], value: &[u8]) -> Result<(), DecodeError> {
        if table & LEDGER_BIT == 0 {
            self.state.load(table, key, value)
        } else {
            self.ledger.load(table & !LEDGER_BIT, key, value)
        }
    }

    /// All stored entries are in.
    pub fn loaded(&mut self) {
        self.state.loaded();
        self.ledger.loaded();
    }

    /// Applies a batch from the log.
    ///
    /// # Errors
    /// When the batch cannot be decoded. The partition must not be used any further then.
    pub fn replay(&mut self, payload: &[u8]) -> Result<(), BatchError> {
        let (state, ledger) = (&mut self.state, &mut self.ledger);
        let mut positions = 0;
        let header = batch::visit::<M>(payload, |entry| match entry {
            Entry::Handled(_) | Entry::Rejection { .. } => positions += 1,
            Entry::Event(event) => {
                M::apply(state, &event);
                positions += 1;
            }
            Entry::PendingAdded(waiting) => ledger.add_pending(waiting),
            Entry::PendingTaken { id } => drop(ledger.pending.remove(&id)),
            Entry::FrameSent(waiting) => ledger.add_sent(waiting),
            Entry::FrameTaken { from, sequence } => ledger.taken.insert(from, sequence),
            Entry::FrameAcked { to, sequence } => ledger.acknowledge(to, sequence),
            Entry::ReplyKept(kept) => ledger.keep_reply(kept),
            Entry::ReplyDropped(kept) => ledger.drop_reply(&(kept.tenant, kept.key)),
        })?;
        state.set_counter(header.counter);
        ledger.progress.set(Progress { now: header.now, next_position: header.first_position + positions });
        state.commit();
        ledger.commit();
        Ok(())
    }
}
