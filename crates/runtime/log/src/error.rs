//! What can go wrong.

use std::io;
use std::path::PathBuf;

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
    #[error("`{path}` has format {found}, this program reads {known}")]
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
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The batch is certainly not in the log, for want of space. The same batch may be tried again.
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
