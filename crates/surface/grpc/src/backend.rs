//! What the gateway needs of the engine's partitions.

use coreto_machine::Caller;
use coreto_partition::{Address, Health, Refused, Request};

use coreto_engine::{Engine, SinkSpec};

/// The engine's partitions, as the gateway sees them.
pub trait Backend: Send + Sync + 'static {
    /// How many partitions there are; they are numbered from 1.
    fn partitions(&self) -> u32;

    /// How a partition fares.
    fn health(&self, partition: u32) -> Health;

    /// The position of a partition's last durable record.
    fn position(&self, partition: u32) -> u64;

    /// Hands a command to a partition. Never blocks.
    ///
    /// # Errors
    /// When the partition does not take it; nothing was changed then, and no answer follows.
    fn submit(&self, partition: u32, request: Request<Engine>) -> Result<(), Refused>;

    /// Hands a question to a partition. Never blocks.
    ///
    /// # Errors
    /// When the partition does not take it; no answer follows then.
    fn query(
        &self,
        partition: u32,
        caller: Caller,
        query: <Engine as coreto_machine::Machine>::Query,
        to: Address<Engine>,
    ) -> Result<(), Refused>;

    /// Opens a place for jobs to be pushed to, and gives its number, which is never used again.
    /// `credit` is how many may be under way.
    fn open_sink(&self, spec: SinkSpec, credit: u32) -> u64;

    /// `count` more jobs may be pushed.
    fn add_credit(&self, sink: u64, count: u32);

    /// Nothing more shall be pushed; what is under way comes nevertheless. May be called again.
    fn close_sink(&self, sink: u64);
}
