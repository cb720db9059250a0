//! The next segment, filled with zeros before it is needed.
//!
//! Space that was written once costs no metadata when it is written again, so the sync of an append moves data alone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::disk::{Disk, DiskFile};
use crate::log::PartitionName;

/// How many zeros are written at once.
const ZEROS: usize = 1 << 20;

/// A segment that is being filled by a thread. It is removed if nobody takes it.
pub(crate) struct Spare<D: Disk> {
    disk: D,
    path: PathBuf,
    size: u64,
    thread: Option<JoinHandle<Result<Arc<dyn DiskFile>, FillError>>>,
}

/// Why a file was not filled with zeros.
#[derive(Debug)]
pub(crate) enum FillError {
    /// It was not written.
    Write(io::Error),
    /// It was not synced.
    Sync(io::Error),
}

impl<D: Disk> Spare<D> {
    /// Begins to fill a file. Nothing when there is no thread for it: then it is filled when it is needed.
    pub(crate) fn start(disk: &D, path: PathBuf, size: u64, partition: &PartitionName) -> Option<Self> {
        let its = (disk.clone(), path.clone());
        let thread = thread::Builder::new()
            .name(format!("{partition}-fill"))
            .spawn(move || fill(&its.0, &its.1, size))
            .ok()?;
        Some(Self { disk: disk.clone(), path, size, thread: Some(thread) })
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// The file and its path, once it is filled.
    pub(crate) fn take(mut self) -> Result<(Arc<dyn DiskFile>, PathBuf), FillError> {
        let filled = self.thread.take().map(JoinHandle::join);
        let Some(Ok(filled)) = filled else {
            return Err(FillError::Write(io::Error::other(
                "the thread that fills the next segment panicked",
            )));
        };
        Ok((filled?, self.path.clone()))
    }
}

impl<D: Disk> Drop for Spare<D> {
    fn drop(&mut self) {
        if let Some(Ok(Ok(_))) = self.thread.take().map(JoinHandle::join) {
            // What stays is removed when a writer opens the log.
            let _ = self.disk.remove(&self.path);
        }
    }
}

/// Makes a file of zeros, durably but for its name.
pub(crate) fn fill<D: Disk>(disk: &D, path: &Path, size: u64) -> Result<Arc<dyn DiskFile>, FillError> {
    let file = disk.create(path).map_err(FillError::Write)?;
    let filled = write_zeros(file.as_ref(), size);
    if filled.is_err() {
        // The space is wanted back. What stays is removed when a writer opens the log.
        let _ = disk.remove(path);
    }
    filled.map(|()| file)
}

fn write_zeros(file: &dyn DiskFile, size: u64) -> Result<(), FillError> {
    let zeros = vec![0; ZEROS];
    let mut at = 0;
    while at < size {
        let length = (size - at).min(ZEROS as u64);
        file.write_at(&zeros[..usize::try_from(length).unwrap_or(ZEROS)], at).map_err(FillError::Write)?;
        at += length;
    }
    file.sync().map_err(FillError::Sync)
}
