//! What a log needs of a disk. The simulator replaces it.

mod real;
mod sim;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use real::{RealDisk, make_directory};
pub use sim::SimDisk;

/// An open file. Positions are bytes from the beginning.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads as many bytes as there are, up to the buffer's length.
    ///
    /// # Errors
    /// As the system reports them.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// As the system reports them; a part may have been written. [`io::ErrorKind::StorageFull`] and
    /// [`io::ErrorKind::QuotaExceeded`] mean that nothing was.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Makes what was written durable, and the length.
    ///
    /// # Errors
    /// As the system reports them; what is durable is then unknown.
    fn sync(&self) -> io::Result<()>;

    /// The file's length.
    ///
    /// # Errors
    /// As the system reports them.
    fn size(&self) -> io::Result<u64>;
}

/// A disk with directories.
pub trait Disk: Clone + Send + Sync + 'static {
    /// Whether work may be done on threads of its own.
    const THREADS: bool;

    /// Opens a file that is there.
    ///
    /// # Errors
    /// As the system reports them.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes an empty file, or empties the one that is there.
    ///
    /// # Errors
    /// As the system reports them.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name; durable after [`Disk::sync_directory`].
    ///
    /// # Errors
    /// As the system reports them.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; durable after [`Disk::sync_directory`].
    ///
    /// # Errors
    /// As the system reports them.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Files of a directory; none when there is no such directory.
    ///
    /// # Errors
    /// As the system reports them.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// Makes a directory and those around it, durably.
    ///
    /// # Errors
    /// As the system reports them.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes names in a directory durable.
    ///
    /// # Errors
    /// As the system reports them.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Bytes that are free.
    ///
    /// # Errors
    /// As the system reports them.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;

    /// How long ago a file was written.
    ///
    /// # Errors
    /// As the system reports them.
    fn age(&self, path: &Path) -> io::Result<Duration>;
}

/// Whether the disk, or what this user may have of it, is full.
pub(crate) fn is_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
