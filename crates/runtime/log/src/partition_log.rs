//! The traits of a log: what any backend gives.

use std::io;

use bytes::Bytes;

use crate::error::{AppendError, Error};
use crate::name::{NodeId, PartitionName};

/// A 128-bit hash of a batch as it lies in the log, which the next batch repeats.
pub type Hash = [u8; 16];

/// What the log stores. (A *record* is what an exporter shows; a batch holds many.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number: the first batch of a partition has 1, each next one more.
    pub sequence: u64,
    /// The epoch of its writer; never less than that of the batch before.
    pub epoch: u64,
    /// The hash of the batch before; zeros for the first.
    pub previous_hash: Hash,
    /// The hash of this batch. Two batches with the same hash are the same.
    pub hash: Hash,
    /// Whether it is the barrier that a writer begins with; its payload is empty then.
    pub barrier: bool,
    /// The bytes that were appended.
    pub payload: Bytes,
}

/// A snapshot that is there; whether it is whole is known once it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// The last batch that the snapshot contains.
    pub sequence: u64,
    /// The size of the file.
    pub bytes: u64,
}

/// How far a reader with a name has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Who reads.
    pub name: String,
    /// The last batch that the reader is done with.
    pub sequence: u64,
    /// What else the reader wants to remember.
    pub data: Bytes,
}

/// What a trim has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// The first batch that is left.
    pub first: u64,
    /// How many segments were removed.
    pub segments: u64,
    /// How many snapshots were removed.
    pub snapshots: u64,
    /// How many bytes that gave back.
    pub bytes: u64,
}

/// The logs of partitions. All calls block.
///
/// Snapshots, cursors and trimming are calls of the log rather than of its writer, because they take long and
/// are made by other threads while the writer appends.
pub trait PartitionLog: Send + Sync + 'static {
    /// Appends batches.
    type Writer: LogWriter + 'static;
    /// Reads batches.
    type Reader: LogReader + 'static;

    /// Takes the partition over: raises the epoch, appends a barrier, and by that learns where the log ends.
    /// `seen` is the highest batch that anything outside of this log has seen, or 0; a log that does not
    /// reach it is damaged.
    ///
    /// # Errors
    /// When the log is damaged, of another format, or cannot be written.
    fn open_writer(&self, partition: &PartitionName, node: NodeId, seen: u64) -> Result<Self::Writer, Error>;

    /// Reads from batch `from` on. The reader goes on with what is appended later.
    ///
    /// # Errors
    /// When batch `from` is trimmed, or the log is damaged.
    fn read(&self, partition: &PartitionName, from: u64) -> Result<Self::Reader, Error>;

    /// The snapshots, newest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn snapshots(&self, partition: &PartitionName) -> Result<Vec<SnapshotMeta>, Error>;

    /// Opens a snapshot. Reading it checks it: a damaged one gives [`io::ErrorKind::InvalidData`], at the
    /// damage or at the end, so nothing of it may be used before the end was reached.
    ///
    /// # Errors
    /// When it is not there, or its head is damaged or of another format.
    fn get_snapshot(
        &self,
        partition: &PartitionName,
        snapshot: &SnapshotMeta,
    ) -> Result<Box<dyn io::Read + Send>, Error>;

    /// Keeps what `write` writes as the snapshot that contains all up to and with batch `upto`. When this
    /// returns, the snapshot is durable and was read back.
    ///
    /// # Errors
    /// When it cannot be written, or `upto` is not durable.
    fn put_snapshot(
        &self,
        partition: &PartitionName,
        upto: u64,
        write: &mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<SnapshotMeta, Error>;

    /// The cursors, by name.
    ///
    /// # Errors
    /// When one cannot be read or is damaged.
    fn cursors(&self, partition: &PartitionName) -> Result<Vec<Cursor>, Error>;

    /// Notes durably that the reader `name` is done with all up to and with batch `sequence`.
    ///
    /// # Errors
    /// When it cannot be written, or `sequence` is not durable.
    fn put_cursor(
        &self,
        partition: &PartitionName,
        name: &str,
        sequence: u64,
        data: &[u8],
    ) -> Result<(), Error>;

    /// Forgets a cursor, so that it holds back no trim. One that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove_cursor(&self, partition: &PartitionName, name: &str) -> Result<(), Error>;

    /// Removes what nobody needs: batches that are contained in the second-newest whole snapshot, unless a
    /// cursor inside its retention still wants them, and the snapshots before that one.
    ///
    /// # Errors
    /// When files cannot be read or removed.
    fn trim(&self, partition: &PartitionName) -> Result<Trimmed, Error>;
}

/// Reads the batches of a partition in order.
pub trait LogReader: Send {
    /// The next batch, or nothing when all that is durable was read; later there may be more.
    ///
    /// # Errors
    /// On a gap, a wrong checksum, a broken chain, or when the next batch was trimmed.
    fn next(&mut self) -> Result<Option<Batch>, Error>;
}

/// The one that may append to a partition, as long as no other has opened it.
pub trait LogWriter: Send {
    /// The epoch of this writer.
    fn epoch(&self) -> u64;

    /// The number of the barrier that this writer began with.
    fn barrier_sequence(&self) -> u64;

    /// The number that the next batch gets.
    fn next_sequence(&self) -> u64;

    /// Appends a batch and returns its number once it is durable.
    ///
    /// # Errors
    /// As [`AppendError`] says. A payload of more than [`PAYLOAD_BYTES_MAX`](crate::PAYLOAD_BYTES_MAX) bytes
    /// ends the writer as `Unknown`, so that a caller that forgets the limit does not try again for ever.
    fn append(&mut self, payload: &[u8]) -> Result<u64, AppendError>;

    /// How many bytes the disk still takes.
    ///
    /// # Errors
    /// When the operating system does not tell.
    fn free_bytes(&self) -> Result<u64, Error>;

    /// Marks the log as closed in good order, which makes the next opening faster and stricter.
    ///
    /// # Errors
    /// When the mark cannot be written, or the writer is not fit to write any more.
    fn close(self) -> Result<(), Error>;
}
