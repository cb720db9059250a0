//! What can go wrong with a log.

use std::io;
use std::path::PathBuf;

use crate::name::PartitionName;
use crate::partition_log::Hash;

/// Why a log cannot be opened, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the data directory.
    #[error("`{}` is locked by another process{}; stop it first", path.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as the file tells.
        pid: Option<u32>,
    },
    /// A name that cannot be part of a file name.
    #[error("`{name}` cannot name a {what}: wanted are 1 to 64 letters, digits, `.`, `_` or `-`")]
    Name {
        /// What was to be named.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A file was written by a newer program.
    #[error("`{}` has format {found}, which is newer than this program reads ({supported})", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program reads.
        supported: u32,
    },
    /// A file was written by a program that is too old.
    #[error("`{}` has format {found}, which is older than this program reads ({supported})", path.display())]
    OlderFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The oldest format that this program reads.
        supported: u32,
    },
    /// A segment or snapshot lies in the directory of another partition.
    #[error("`{}` belongs to partition `{found}`, not to `{wanted}`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: PartitionName,
        /// Whose directory it lies in.
        wanted: PartitionName,
    },
    /// The log is damaged, or lacks what was seen of it.
    #[error(
        "segment `{}` is damaged at offset {offset}: {reason}; batch {sequence} cannot be read, the log is whole up to batch {whole_until}",
        segment.display()
    )]
    Corrupt {
        /// The file.
        segment: PathBuf,
        /// Where in the file, in bytes.
        offset: u64,
        /// The batch that should be there.
        sequence: u64,
        /// The last batch that is known to be good.
        whole_until: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A small file (epoch, cursor, mark) or a snapshot is damaged.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The log begins later than was asked for.
    #[error("partition `{partition}` has no batch {wanted} any more: its log begins at batch {first}")]
    Trimmed {
        /// Whose log.
        partition: PartitionName,
        /// The batch asked for.
        wanted: u64,
        /// The first batch that is there.
        first: u64,
    },
    /// A snapshot or cursor speaks of a batch that is not durable.
    #[error("{what} of partition `{partition}` is at batch {sequence}, but the log ends at batch {end}")]
    Ahead {
        /// The snapshot or the cursor.
        what: String,
        /// Whose log.
        partition: PartitionName,
        /// The batch it speaks of.
        sequence: u64,
        /// The last durable batch.
        end: u64,
    },
    /// A cursor with more data than fits.
    #[error("cursor `{name}` has {bytes} bytes of data, more than {bytes_max}")]
    CursorTooLarge {
        /// The cursor.
        name: String,
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        bytes_max: usize,
    },
    /// No writer has opened the partition in this process.
    #[error("partition `{partition}` is not open for writing")]
    NotOpen {
        /// Which.
        partition: PartitionName,
    },
    /// The barrier of a new writer, or the mark of a closing one, could not be written.
    #[error("partition `{partition}` cannot be written")]
    Append {
        /// Which.
        partition: PartitionName,
        /// What is wrong.
        source: AppendError,
    },
}

/// What became of a batch that [`append`](crate::LogWriter::append) could not make durable.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer has a newer epoch: this one is to be dropped at once.
    #[error("partition `{partition}` was taken over: this writer has epoch {epoch}, the newest is {newest}")]
    Fenced {
        /// Which partition.
        partition: PartitionName,
        /// The epoch of this writer.
        epoch: u64,
        /// The newest epoch.
        newest: u64,
    },
    /// Whether the batch is in the log is not known, and this writer can do nothing more.
    /// Open a new writer, read back, and compare [`Batch::hash`](crate::Batch::hash).
    #[error("it is not known whether batch {sequence} is in segment `{}`", segment.display())]
    Unknown {
        /// The number the batch has, if it is there.
        sequence: u64,
        /// The hash the batch has, if it is there.
        hash: Hash,
        /// The file.
        segment: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The batch is certainly not in the log; the same number may be appended again later.
    #[error("batch {sequence} could not be written to `{}`", path.display())]
    Unavailable {
        /// The number the batch would have had.
        sequence: u64,
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A sync failed. What is durable cannot be known by this process any more, which has to end.
    #[error("cannot sync `{}` for batch {sequence}; what is durable is not known any more", path.display())]
    SyncFailed {
        /// The number of the batch.
        sequence: u64,
        /// The file or directory.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}
