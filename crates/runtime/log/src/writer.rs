//! Appending to the segments of one partition.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};

use crate::disk::{Disk, DiskFile, is_space};
use crate::disk_log::{Ownership, SegmentSizes};
use crate::error::{AppendError, Error};
use crate::file::{CLEAN, DRAFT, failed, replace};
use crate::log::{LogWriter, PartitionName};
use crate::segment::{self, Encoder, HEADER, Hash, LOG, Label, PAYLOAD_BYTES_MAX};
use crate::spare::{FillError, Spare, fill};

/// Appends to one partition's log on a disk.
pub struct DiskWriter<D: Disk> {
    disk: D,
    directory: PathBuf,
    partition: PartitionName,
    ownership: Arc<Ownership>,
    epoch: u64,
    barrier: u64,
    next: u64,
    previous: Hash,
    /// None only until a new partition has its first segment.
    current: Option<Current>,
    spare: Option<Spare<D>>,
    sizes: SegmentSizes,
    encoder: Encoder,
    written: u64,
    /// Whether an append failed so that what lies on the disk is not known.
    ended: bool,
}

/// The segment that takes frames.
pub(crate) struct Current {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// What a new writer begins with.
pub(crate) struct Start {
    pub(crate) epoch: u64,
    pub(crate) next: u64,
    pub(crate) previous: Hash,
    pub(crate) current: Option<Current>,
    pub(crate) sizes: SegmentSizes,
}

impl<D: Disk> DiskWriter<D> {
    /// A writer behind the end of the log. Appends its barrier, in the same turn in which the end was found.
    pub(crate) fn open(
        disk: D,
        directory: PathBuf,
        partition: PartitionName,
        ownership: Arc<Ownership>,
        start: Start,
        turn: &MutexGuard<'_, ()>,
    ) -> Result<Self, Error> {
        let Start { epoch, next, previous, current, sizes } = start;
        let mut writer = Self {
            disk,
            directory,
            partition,
            ownership,
            epoch,
            barrier: next,
            next,
            previous,
            current,
            spare: None,
            sizes,
            encoder: Encoder::new(),
            written: 0,
            ended: false,
        };
        match writer.put(&[], true, turn) {
            Ok(_) => Ok(writer),
            Err(
                AppendError::Unknown { path, source, .. }
                | AppendError::Unavailable { path, source, .. }
                | AppendError::SyncFailed { path, source, .. },
            ) => Err(Error::Io { doing: "append the barrier to", path, source }),
            Err(AppendError::Fenced { newest, .. }) => {
                let path = writer.directory.clone();
                Err(Error::Locked { path, holder: format!("a writer of epoch {newest}") })
            }
        }
    }

    /// Fails if this writer may append no more.
    fn check(&mut self) -> Result<(), AppendError> {
        let newest = self.ownership.epoch();
        if newest != self.epoch {
            return Err(AppendError::Fenced { ours: self.epoch, newest });
        }
        if self.ended {
            return Err(self.end(self.previous, io::Error::other("an earlier error ended this writer")));
        }
        Ok(())
    }

    /// Appends a batch. The turn is the partition's.
    fn put(&mut self, payload: &[u8], barrier: bool, _turn: &MutexGuard<'_, ()>) -> Result<u64, AppendError> {
        self.check()?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            let what = format!("a batch has {} bytes, more than {PAYLOAD_BYTES_MAX}", payload.len());
            return Err(self.end(Hash::default(), io::Error::new(io::ErrorKind::InvalidInput, what)));
        }
        let sequence = self.next;
        let label = Label { sequence, epoch: self.epoch, previous: self.previous, barrier };
        let hash = self.encoder.encode(&label, payload);
        let length = self.encoder.frame().len() as u64;
        if self.current.as_ref().is_none_or(|current| current.offset + length > current.size) {
            self.next_segment(length, hash)?;
        }
        let Some(current) = &mut self.current else {
            return Err(self.end(hash, io::ErrorKind::NotFound.into()));
        };
        if let Err(source) = current.file.write_at(self.encoder.frame(), current.offset) {
            // A disk reports a lack of space only if nothing was written.
            if is_space(&source) {
                return Err(AppendError::Unavailable { sequence, path: current.path.clone(), source });
            }
            return Err(self.end(hash, source));
        }
        if let Err(source) = current.file.sync() {
            let path = current.path.clone();
            return Err(self.sync_failed(path, source));
        }
        current.offset += length;
        self.written += length;
        self.previous = hash;
        self.next += 1;
        self.ownership.set_durable(sequence);
        self.prepare();
        Ok(sequence)
    }

    /// Goes on in a new segment that has room for a frame.
    fn next_segment(&mut self, length: u64, hash: Hash) -> Result<(), AppendError> {
        let sequence = self.next;
        let (file, draft, size) = self.zeros(HEADER as u64 + length)?;
        let header = segment::header(LOG, &self.partition, sequence, size);
        if let Err(source) = file.write_at(&header, 0) {
            return Err(AppendError::Unavailable { sequence, path: draft, source });
        }
        if let Err(source) = file.sync() {
            return Err(self.sync_failed(draft, source));
        }
        let path = segment::path(&self.directory, sequence);
        if let Err(source) = self.disk.rename(&draft, &path) {
            return Err(self.end(hash, source));
        }
        if let Err(source) = self.disk.sync_directory(&self.directory) {
            return Err(self.sync_failed(self.directory.clone(), source));
        }
        self.current = Some(Current { file, path, offset: HEADER as u64, size });
        Ok(())
    }

    /// A file of zeros, its path and its length, which is not below `needed`.
    fn zeros(&mut self, needed: u64) -> Result<(Arc<dyn DiskFile>, PathBuf, u64), AppendError> {
        if let Some(spare) = self.spare.take().filter(|spare| spare.size() >= needed) {
            let size = spare.size();
            match spare.take() {
                Ok((file, path)) => return Ok((file, path, size)),
                Err(FillError::Sync(source)) => return Err(self.sync_failed(self.draft(), source)),
                // Perhaps there is space by now.
                Err(FillError::Write(_)) => (),
            }
        }
        let (sequence, path) = (self.next, self.draft());
        let wanted = self.next_size().max(needed.next_multiple_of(self.sizes.first));
        let least = needed.next_multiple_of(self.sizes.first);
        let (filled, size) = match fill(&self.disk, &path, wanted) {
            // A smaller segment is better than none.
            Err(FillError::Write(error)) if is_space(&error) && least < wanted => {
                (fill(&self.disk, &path, least), least)
            }
            filled => (filled, wanted),
        };
        match filled {
            Ok(file) => Ok((file, path, size)),
            Err(FillError::Write(source)) => Err(AppendError::Unavailable { sequence, path, source }),
            Err(FillError::Sync(source)) => Err(self.sync_failed(path, source)),
        }
    }

    fn next_size(&self) -> u64 {
        let SegmentSizes { first, largest } = self.sizes;
        self.current.as_ref().map_or(first, |current| (current.size * 2).clamp(first, largest))
    }

    /// The name of the next segment while it is filled: no other writer, of any epoch, uses it.
    fn draft(&self) -> PathBuf {
        self.directory.join(format!("spare-{}.{DRAFT}", self.epoch))
    }

    /// Fills the next segment with zeros in good time.
    fn prepare(&mut self) {
        let half_full = self.current.as_ref().is_some_and(|current| current.offset * 2 > current.size);
        if D::THREADS && half_full && self.spare.is_none() {
            self.spare = Spare::start(&self.disk, self.draft(), self.next_size(), &self.partition);
        }
    }

    fn end(&mut self, hash: Hash, source: io::Error) -> AppendError {
        self.ended = true;
        let path = self.current.as_ref().map_or(&self.directory, |current| &current.path).clone();
        AppendError::Unknown { sequence: self.next, hash, path, source }
    }

    fn sync_failed(&mut self, path: PathBuf, source: io::Error) -> AppendError {
        self.ended = true;
        self.ownership.set_sync_failed();
        AppendError::SyncFailed { sequence: self.next, path, source }
    }
}

impl<D: Disk> LogWriter for DiskWriter<D> {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn barrier_sequence(&self) -> u64 {
        self.barrier
    }

    fn next_sequence(&self) -> u64 {
        self.next
    }

    fn append(&mut self, payload: &[u8]) -> Result<u64, AppendError> {
        let ownership = Arc::clone(&self.ownership);
        self.put(payload, false, &ownership.turn())
    }

    fn written_bytes(&self) -> u64 {
        self.written
    }

    fn free_bytes(&self) -> Result<u64, Error> {
        self.disk.free_bytes(&self.directory).map_err(failed("ask for the free space of", &self.directory))
    }

    fn close(mut self) -> Result<(), Error> {
        let ownership = Arc::clone(&self.ownership);
        let _turn = ownership.turn();
        let mark = clean_path(&self.directory);
        self.check().map_err(|error| failed("write", &mark)(io::Error::other(error)))?;
        replace(&self.disk, &mark, CLEAN, &(self.next - 1).to_le_bytes())
    }
}

/// The mark of a log that was ended on purpose: the last sequence.
pub(crate) fn clean_path(directory: &Path) -> PathBuf {
    directory.join("clean")
}

/// A number that only grows, shared by a writer and its readers.
#[derive(Debug, Default)]
pub(crate) struct Rising(AtomicU64);

impl Rising {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn raise(&self, to: u64) {
        self.0.fetch_max(to, Ordering::AcqRel);
    }
}
