//! What the log asks of a disk.

mod real;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use real::RealDisk;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It must be there.
    Read,
    /// It must be there.
    Write,
    /// It is made, or emptied if it was there.
    Create,
}

/// Files and directories with the guarantees of POSIX and not more: what was written is durable after
/// [`DiskFile::sync_data`], what was created, renamed or removed after [`Disk::sync_dir`].
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;
    /// Holds a lock until it is dropped.
    type Lock: Send + Sync + 'static;

    /// Makes a directory and its parents durably; one that is there is no error.
    ///
    /// # Errors
    /// What the operating system says; so for all calls here.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Opens a file.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn open(&self, path: &Path, access: Access) -> io::Result<Self::File>;
    /// Renames a file, replacing what has the new name.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names of the files in a directory, sorted.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Makes durable what was created, renamed and removed in a directory.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn sync_dir(&self, directory: &Path) -> io::Result<()>;
    /// How many bytes may still be written below a directory.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn free_bytes(&self, directory: &Path) -> io::Result<u64>;
    /// How long ago the file was written last.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn age(&self, path: &Path) -> io::Result<Duration>;
    /// Locks a file against other processes, or says who holds it.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn lock(&self, path: &Path) -> io::Result<Result<Self::Lock, Option<u32>>>;
}

/// An open file.
#[expect(clippy::len_without_is_empty, reason = "a file is not a collection")]
pub trait DiskFile: Send + Sync + 'static {
    /// Reads once; 0 means the end.
    ///
    /// # Errors
    /// What the operating system says; so for all calls here.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes once, at least one byte.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes the content durable, and the length.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts or extends the file.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// The length in bytes.
    #[expect(clippy::missing_errors_doc, reason = "said once")]
    fn len(&self) -> io::Result<u64>;
}

/// Reads until `buffer` is full or the file ends; returns how much was read.
pub(crate) fn read_full(file: &impl DiskFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes all of `bytes`.
pub(crate) fn write_full(file: &impl DiskFile, bytes: &[u8], offset: u64) -> Result<(), WriteError> {
    let mut done = 0;
    while done < bytes.len() {
        match file.write_at(&bytes[done..], offset + done as u64) {
            Ok(0) => return Err(WriteError { written: done, source: io::ErrorKind::WriteZero.into() }),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(source) => return Err(WriteError { written: done, source }),
        }
    }
    Ok(())
}

/// A write that was not done, or not wholly.
#[derive(Debug)]
pub(crate) struct WriteError {
    /// How many bytes were written before.
    pub(crate) written: usize,
    pub(crate) source: io::Error,
}

impl WriteError {
    /// Whether nothing was written because there is no space.
    pub(crate) fn is_only_space(&self) -> bool {
        self.written == 0 && is_space(&self.source)
    }
}

/// Whether the disk, or what this user may have of it, is full.
pub(crate) fn is_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
