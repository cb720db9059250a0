//! Runs any deterministic machine on a log.
//!
//! **In:** requests and queries of clients, frames of other partitions, the wall clock.
//! **Out:** batches for the log; and once a batch is durable: answers, effects, frames.
//!
//! # Invariants
//! - Nothing leaves before the batch that it depends on is durable: replies, rejections, query answers, effects.
//! - State is changed by `apply` alone, live and in replay; the runtime's own tables are rebuilt the same way.
//! - Every queue and every batch is bounded ([`Limits`]).
//! - A command is carried out whole with the follow-ups that fit, or leaves no trace but its rejection.
//!
//! # Where to look
//! `partition/` the partition without threads · `batch.rs` what the log stores · `ledger.rs` the runtime's own tables ·
//! `door.rs` requests and answers · `limits.rs` all bounds · `driver/` the threads · `handle.rs` how the program talks to it · `replica.rs` a second state for readers · `store/` checkpoints on disk.

mod batch;
mod chance;
mod clock;
mod door;
mod driver;
mod handle;
mod ledger;
mod limits;
mod partition;
mod priority;
mod replica;
mod shared;
pub mod store;

pub use batch::{BatchError, Body, FORMAT, Header, Record, header, records};
pub use clock::Clock;
pub use door::{Acknowledgement, Address, Answer, Effects, Frame, Mailbox, Refused, Request, Submission};
pub use driver::{Config, OpenStore, RecoverError, Service, SnapshotPolicy, StartError, Watcher};
pub use handle::{Handle, Statistics};
pub use limits::Limits;
pub use partition::{Partition, Sealed, Taken};
pub use replica::{Observer, Replica};
pub use shared::Health;
