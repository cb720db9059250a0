//! What every backend offers.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::error::{AppendError, Error};
use crate::snapshot::{Backlog, SnapshotMeta};
use crate::trim::Retention;

/// A partition: its group's name and its number in the group, from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionName {
    /// The group, such as `engine`.
    pub group: Arc<str>,
    /// The number, from 1.
    pub number: u32,
}

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.group, self.number)
    }
}

/// Who writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeId(pub u32);

/// What the log stores. (A *record* is what an exporter shows.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// From 1, without gaps.
    pub sequence: u64,
    /// The epoch of its writer.
    pub epoch: u64,
    /// The hash of the batch before, or zeros for the first.
    pub previous_hash: [u8; 16],
    /// The hash of this batch; with [`AppendError::Unknown`] it tells whether a batch is the one in doubt.
    pub hash: [u8; 16],
    /// It only says that a writer took over.
    pub barrier: bool,
    /// The bytes that were appended.
    pub payload: Bytes,
}

/// Writes a snapshot's bytes.
pub type WriteSnapshot<'a> = &'a mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>;

/// Logs, snapshots and cursors of partitions. Calls block.
pub trait PartitionLog: Send + Sync + 'static {
    /// Appends.
    type Writer: LogWriter;
    /// Reads.
    type Reader: LogReader;

    /// Takes the log over: raises the epoch, settles the tail, and appends a barrier.
    ///
    /// `seen` is the highest sequence that the store has seen: a torn tail that reaches less far is corruption. A whole
    /// log that ends before it is not: the store is then of no use.
    ///
    /// # Errors
    /// When the log is corrupt, of a newer format, or cannot be accessed.
    fn open_writer(&self, partition: &PartitionName, node: NodeId, seen: u64) -> Result<Self::Writer, Error>;

    /// Reads from a sequence on. The reader may go on while the writer appends.
    ///
    /// # Errors
    /// When there is no such batch any more, or the files cannot be accessed.
    fn read(&self, partition: &PartitionName, from: u64) -> Result<Self::Reader, Error>;

    /// Snapshots, newest first. They are not verified by this call.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    fn snapshots(&self, partition: &PartitionName) -> Result<Vec<SnapshotMeta>, Error>;

    /// What lies behind the newest snapshot.
    ///
    /// # Errors
    /// When files cannot be listed or asked for their length and age.
    fn backlog(&self, partition: &PartitionName) -> Result<Backlog, Error>;

    /// A snapshot's bytes, after their checksum was found right.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    fn get_snapshot(
        &self,
        partition: &PartitionName,
        snapshot: &SnapshotMeta,
    ) -> Result<Box<dyn Read>, Error>;

    /// Writes a snapshot that holds all batches up to `upto`: durable and read back when this returns.
    ///
    /// # Errors
    /// When it cannot be written, or `upto` is not durable; no snapshot is left then.
    fn put_snapshot(
        &self,
        partition: &PartitionName,
        upto: u64,
        write: WriteSnapshot<'_>,
    ) -> Result<SnapshotMeta, Error>;

    /// Where a reader stands; `None` when nothing is known of it.
    ///
    /// # Errors
    /// When its cursor is damaged or cannot be read. Nobody but that reader is troubled by it.
    fn cursor(&self, partition: &PartitionName, name: &str) -> Result<Option<Cursor>, Error>;

    /// Remembers where a reader stands.
    ///
    /// # Errors
    /// When it cannot be written; the old one stands then. When its batch is not durable.
    fn put_cursor(&self, partition: &PartitionName, cursor: &Cursor) -> Result<(), Error>;

    /// Forgets a reader, which holds back no trim any more. One that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove_cursor(&self, partition: &PartitionName, name: &str) -> Result<(), Error>;

    /// Removes what nobody needs: below the second-newest verified snapshot, and below each cursor that is inside the
    /// retention. Returns the first sequence that is kept.
    ///
    /// # Errors
    /// When files cannot be read or removed; whatever was removed was not needed.
    fn trim(&self, partition: &PartitionName, retention: Retention) -> Result<u64, Error>;
}

/// Appends to one partition's log.
pub trait LogWriter: Send + 'static {
    /// The writer's epoch.
    fn epoch(&self) -> u64;

    /// The sequence of the barrier that began this epoch.
    fn barrier_sequence(&self) -> u64;

    /// The sequence that the next batch gets.
    fn next_sequence(&self) -> u64;

    /// Appends a batch; it is durable when this returns its sequence.
    ///
    /// # Errors
    /// See [`AppendError`]: whether the batch is in the log, and what the caller must do. After `Unknown` and
    /// `SyncFailed` the writer appends no more. A payload above [`PAYLOAD_BYTES_MAX`](crate::PAYLOAD_BYTES_MAX) ends the
    /// writer as `Unknown`, so that a caller that forgets the limit does not try again for ever.
    fn append(&mut self, payload: &[u8]) -> Result<u64, AppendError>;

    /// Bytes that this writer has made durable, as they lie in the log: compressed, with heads and padding.
    fn written_bytes(&self) -> u64;

    /// Bytes that are free where the log is.
    ///
    /// # Errors
    /// When the system does not say.
    fn free_bytes(&self) -> Result<u64, Error>;

    /// Marks the log as ended on purpose.
    ///
    /// # Errors
    /// When the mark cannot be written, or the writer is not fit to append; nothing is lost by that.
    fn close(self) -> Result<(), Error>;
}

/// Reads one partition's log.
pub trait LogReader: Send + 'static {
    /// The next batch, or `None` when there is no more for now.
    ///
    /// # Errors
    /// When the next batch is there and cannot be read as it was written.
    fn next(&mut self) -> Result<Option<Batch>, Error>;
}
