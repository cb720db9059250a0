//! What can go wrong.

use std::io;
use std::path::PathBuf;

use crate::disk;

/// Why a log, snapshot or cursor cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be accessed.
    #[error("cannot {doing} `{path}`")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A file is not as it was written.
    #[error("`{path}` is damaged at byte {offset} ({what}); the log is whole up to batch {whole_until}")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What was found.
        what: &'static str,
        /// The last batch before the damage.
        whole_until: u64,
    },
    /// A file was written in another format.
    #[error("`{path}` has format {found}, which is {} than this program reads ({known})", if found > known { "newer" } else { "older" })]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that is known.
        known: u32,
    },
    /// A file belongs to another partition.
    #[error("`{path}` belongs to partition `{found}`")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        found: String,
    },
    /// The batch was trimmed.
    #[error("batch {wanted} was trimmed; the log begins at batch {first}")]
    Trimmed {
        /// The batch asked for.
        wanted: u64,
        /// The first one that is there.
        first: u64,
    },
    /// A name that cannot be part of a file's name.
    #[error(
        "`{name}` cannot name a {what}: 1 to 64 letters, digits, `.`, `_` or `-` can, a letter or digit first"
    )]
    Name {
        /// What was to be named.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A snapshot or cursor speaks of a batch that is not durable.
    #[error("`{path}` would speak of batch {sequence}, but the log ends at batch {end}")]
    Ahead {
        /// The file that was not written.
        path: PathBuf,
        /// The batch.
        sequence: u64,
        /// The last durable batch.
        end: u64,
    },
    /// A cursor's data is too long.
    #[error("cursor `{name}` has {bytes} bytes of data, more than {bytes_max}")]
    CursorTooLong {
        /// The cursor.
        name: String,
        /// Bytes that it has.
        bytes: usize,
        /// Bytes that it may have.
        bytes_max: usize,
    },
    /// A sync of the partition failed in this process, which must end before the log is opened again.
    #[error("a sync in `{path}` failed before; what is durable is known to the next process only")]
    SyncFailedBefore {
        /// The partition's directory.
        path: PathBuf,
    },
    /// Another process has the directory.
    #[error("`{path}` is in use by {holder}")]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Who has it.
        holder: String,
    },
}

/// Why a batch was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A newer writer has taken over; nothing was written. The caller drops the partition.
    #[error("a writer of epoch {newest} has taken over from epoch {ours}")]
    Fenced {
        /// The epoch of this writer.
        ours: u64,
        /// The newest epoch.
        newest: u64,
    },
    /// Whether the batch is in the log is not known. The caller closes this writer and reads back with a new one.
    #[error("whether batch {sequence} is in `{path}` is not known")]
    Unknown {
        /// The batch.
        sequence: u64,
        /// The hash that it has, if it is there.
        hash: [u8; 16],
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The batch is certainly not in the log, mostly for want of space ([`AppendError::is_space`]). The same batch may be tried again.
    #[error("batch {sequence} was not written to `{path}`")]
    Unavailable {
        /// The batch.
        sequence: u64,
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The disk did not confirm. The caller ends the process; a later one reads back what is durable.
    #[error("`{path}` was not synced after batch {sequence} was written")]
    SyncFailed {
        /// The batch.
        sequence: u64,
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

impl AppendError {
    /// Whether the disk, or what this user may have of it, is full.
    pub fn is_space(&self) -> bool {
        matches!(self, Self::Unavailable { source, .. } if disk::is_space(source))
    }
}
