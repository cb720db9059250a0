//! A totally ordered, fenced, durable log per partition.
//!
//! **In:** batches of bytes from the one writer of a partition, snapshots of what they amount to, and the
//! cursors of those who read along.
//! **Out:** the same batches in the same order, on any later day; or an error that names the place.
//!
//! # Invariants
//! - [`LogWriter::append`] answers after the batch is durable, and at most one batch is on its way to the disk.
//! - A reader sees durable batches only, each exactly once, in order. A gap, a wrong checksum or a broken
//!   chain is an error and never a skip.
//! - Only the writer with the newest epoch appends ([`AppendError::Fenced`]).
//! - A bad tail is cut off only if one unsynced batch explains it and nothing has seen that batch: no store,
//!   snapshot, cursor or mark of a clean shutdown. Anything else bad is [`Error::Corrupt`].
//! - A failed sync is never retried ([`AppendError::SyncFailed`]): the process has to end.
//! - All calls block. Nothing here is asynchronous, and with [`Prepare::Inline`] nothing starts a thread.
//!
//! # Where to look
//! `partition_log.rs` the traits · `disk_log.rs` the log on a disk · `disk_log/format/` what the bytes mean ·
//! `disk_log/recovery.rs` what a tail may look like after a crash · `disk.rs` what is asked of a disk ·
//! `sim.rs` a disk that loses what was not synced.
//!
//! # Example
//! ```
//! use coreto_log::{DiskLog, LogReader, LogWriter, NodeId, PartitionLog, PartitionName};
//!
//! # let directory = std::env::temp_dir().join(format!("coreto-log-doc-{}", std::process::id()));
//! let log = DiskLog::open(&directory)?;
//! let partition = PartitionName { group: "engine".into(), number: 1 };
//! let mut writer = log.open_writer(&partition, NodeId(1), 0)?;
//! let sequence = writer.append(b"what happened")?;
//!
//! let mut reader = log.read(&partition, sequence)?;
//! let batch = reader.next()?.expect("what was appended is there");
//! assert_eq!(&batch.payload[..], b"what happened");
//! assert!(reader.next()?.is_none());
//! writer.close()?;
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod disk;
mod disk_log;
mod error;
mod name;
mod partition_log;
pub mod sim;

pub use disk::{Access, Disk, DiskFile, RealDisk};
pub use disk_log::{Config, DiskLog, DiskReader, DiskWriter, PAYLOAD_BYTES_MAX, Prepare};
pub use error::{AppendError, Error};
pub use name::{NodeId, PartitionName};
pub use partition_log::{Batch, Cursor, Hash, LogReader, LogWriter, PartitionLog, SnapshotMeta, Trimmed};
