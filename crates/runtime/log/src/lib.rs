//! A totally ordered, fenced, durable log per partition.
//!
//! **In:** batches of bytes.
//! **Out:** the same batches in order, each with its sequence, to any number of readers; snapshots and cursors beside
//! them.
//!
//! # Invariants
//! - A batch that was acknowledged is read back, whole and in its place; what cannot be is an error, never skipped.
//! - Sequences begin at 1 and grow by 1; epochs never fall; each frame names the hash of the one before it.
//! - A writer with an older epoch writes nothing any more.
//! - At most one batch is on its way to the disk; a bad tail is cut off only if nobody has seen it.
//! - A failed sync is never tried again: what is durable is known only to whoever reads it back later.
//!
//! # Where to look
//! `log.rs` the traits · `disk_log.rs` the backend on a disk · `segment/` files and frames · `writer.rs` `reader.rs` ·
//! `spare.rs` `snapshot.rs` `cursor.rs` `trim.rs` `lock.rs` · `disk/` the real disk and a simulated one.

mod cursor;
pub mod disk;
mod disk_log;
mod error;
mod file;
mod lock;
mod log;
mod reader;
mod segment;
mod snapshot;
mod spare;
mod trim;
mod writer;

pub use cursor::Cursor;
pub use disk_log::DiskLog;
pub use error::{AppendError, Error};
pub use log::{Batch, LogReader, LogWriter, NodeId, PartitionLog, PartitionName, WriteSnapshot};
pub use reader::DiskReader;
pub use segment::PAYLOAD_BYTES_MAX;
pub use snapshot::{Backlog, SnapshotMeta};
pub use trim::Retention;
pub use writer::DiskWriter;
