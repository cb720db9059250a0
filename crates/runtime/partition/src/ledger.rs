//! What the runtime itself remembers of a partition, beside the machine's state.

use std::sync::Arc;

use coreto_machine::table::Total;
use coreto_machine::{Cell, Index, Table, Tenant, Timestamp, message};

use crate::batch::{Kept, Waiting};

coreto_machine::tables! {
    /// The runtime's own tables. They share the machine's undo, checkpoint, snapshot and state hash.
    pub(crate) struct Ledger {
        /// Follow-ups that wait for a later batch, first in first out. The counter counts their ids.
        1 => pub(crate) pending: Table<u64, Waiting>,
        /// Commands that another partition has not acknowledged, by partition and number.
        2 => pub(crate) outbox: Table<(u32, u64), Waiting>,
        /// The number of the last command sent, by partition.
        3 => pub(crate) sent: Table<u32, u64>,
        /// The number of the last command taken, by partition.
        4 => pub(crate) taken: Table<u32, u64>,
        /// Replies kept for repeated requests.
        5 => pub(crate) kept: Table<(Tenant, Arc<str>), Kept>,
        /// When kept replies expire.
        6 => pub(crate) expiry: Index<(Timestamp, (Tenant, Arc<str>))>,
        /// How far the partition is.
        7 => pub(crate) progress: Cell<Progress>,
        /// Bytes that kept replies take.
        8 => pub(crate) kept_bytes: Total,
    }
}

message! {
    /// How far a partition is.
    pub(crate) struct Progress {
        /// The time of the last batch.
        1 => pub(crate) now: Timestamp,
        /// The position that the next record gets.
        2 => pub(crate) next_position: u64,
    }
}

impl Ledger {
    fn rebuild(&mut self) {
        let Self { expiry, kept_bytes, .. } = self;
        for (key, kept) in self.kept.range(..) {
            kept_bytes.add(kept.weight());
            expiry.insert((kept.expires, key.clone()));
        }
    }

    pub(crate) fn add_pending(&mut self, waiting: Waiting) {
        use coreto_machine::Tables;
        self.set_counter(waiting.id);
        self.pending.insert(waiting.id, waiting);
    }

    pub(crate) fn add_sent(&mut self, waiting: Waiting) {
        self.sent.insert(waiting.partition, waiting.id);
        self.outbox.insert((waiting.partition, waiting.id), waiting);
    }

    /// Another partition has taken everything up to `sequence`.
    pub(crate) fn acknowledge(&mut self, to: u32, sequence: u64) {
        let done: Vec<_> = self.outbox.range((to, 0)..=(to, sequence)).map(|(key, _)| *key).collect();
        for key in done {
            self.outbox.remove(&key);
        }
    }

    pub(crate) fn keep_reply(&mut self, kept: Kept) {
        let key = (kept.tenant, Arc::clone(&kept.key));
        self.drop_reply(&key);
        self.expiry.insert((kept.expires, key.clone()));
        self.kept_bytes.add(kept.weight());
        self.kept.insert(key, kept);
    }

    pub(crate) fn drop_reply(&mut self, key: &(Tenant, Arc<str>)) {
        if let Some(kept) = self.kept.remove(key) {
            self.expiry.remove(&(kept.expires, key.clone()));
            self.kept_bytes.subtract(kept.weight());
        }
    }

    pub(crate) fn last_sent(&self, to: u32) -> u64 {
        self.sent.get(&to).map_or(0, |number| *number)
    }

    pub(crate) fn last_taken(&self, from: u32) -> u64 {
        self.taken.get(&from).map_or(0, |number| *number)
    }
}
