//! Bringing to all partitions what must be on each of them.

use coreto_machine::message;

message! {
    /// Sends what is distributed to one partition.
    pub struct Distribute {
        /// The distribution.
        1 => pub key: u64,
        /// The partition.
        2 => pub partition: u32,
    }
}

message! {
    /// A partition has what was distributed.
    pub struct AcknowledgeDistribution {
        /// The distribution.
        1 => pub key: u64,
        /// The partition.
        2 => pub partition: u32,
    }
}
