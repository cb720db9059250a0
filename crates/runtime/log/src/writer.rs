//! Appending to the segments of one partition.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::disk::{Disk, DiskFile};
use crate::disk_log::Ownership;
use crate::error::{AppendError, Error};
use crate::file::{failed, publish, replace, seal};
use crate::log::{LogWriter, PartitionName};
use crate::segment::{self, FIRST, HEADER, Hash, LARGEST, encode};

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
    current: Current,
    spare: Spare,
    /// The frame being written; kept for its memory.
    buffer: Vec<u8>,
}

/// The segment that takes frames.
pub(crate) struct Current {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// The next segment, filled with zeros beforehand.
enum Spare {
    None,
    Ready(Arc<dyn DiskFile>, u64),
    Coming(JoinHandle<std::io::Result<Arc<dyn DiskFile>>>, u64),
}

/// How many zeros are written at once.
const ZEROS: usize = 1 << 20;

/// What a new writer begins with.
pub(crate) struct Start {
    pub(crate) epoch: u64,
    pub(crate) next: u64,
    pub(crate) previous: Hash,
    pub(crate) current: Option<Current>,
}

impl<D: Disk> DiskWriter<D> {
    /// A writer behind the end of the log. Appends its barrier.
    pub(crate) fn open(
        disk: D,
        directory: PathBuf,
        partition: PartitionName,
        ownership: Arc<Ownership>,
        start: Start,
    ) -> Result<Self, Error> {
        let Start { epoch, next, previous, current } = start;
        let mut spare = Spare::None;
        let current = if let Some(current) = current {
            current
        } else {
            let file = fill(&disk, &spare_path(&directory), FIRST).map_err(failed("create", &directory))?;
            spare = Spare::Ready(file, FIRST);
            begin_segment(&disk, &directory, &partition, &mut spare, next)?
        };
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
            spare,
            buffer: Vec::new(),
        };
        match writer.put(&[], true) {
            Ok(_) => Ok(writer),
            Err(
                AppendError::Unknown { path, source, .. }
                | AppendError::Unavailable { path, source, .. }
                | AppendError::SyncFailed { path, source, .. },
            ) => Err(Error::Io { doing: "append the barrier to", path, source }),
            Err(AppendError::Fenced { newest, .. }) => {
                Err(Error::Locked { path: writer.directory, holder: format!("a writer of epoch {newest}") })
            }
        }
    }

    fn put(&mut self, payload: &[u8], barrier: bool) -> Result<u64, AppendError> {
        let ownership = Arc::clone(&self.ownership);
        let _turn = ownership.turn();
        let newest = ownership.epoch();
        if newest != self.epoch {
            return Err(AppendError::Fenced { ours: self.epoch, newest });
        }
        let sequence = self.next;
        self.buffer.clear();
        let hash = encode(&mut self.buffer, sequence, self.epoch, &self.previous, payload, barrier);
        let length = self.buffer.len() as u64;
        if self.current.offset + length > self.current.size {
            self.next_segment(length)?;
        }
        let Current { file, path, offset, .. } = &self.current;
        if let Err(source) = file.write_at(&self.buffer, *offset) {
            let path = path.clone();
            // The segment was filled beforehand, so a full disk can only show before anything was written.
            return Err(if source.kind() == std::io::ErrorKind::StorageFull {
                AppendError::Unavailable { sequence, path, source }
            } else {
                AppendError::Unknown { sequence, path, source }
            });
        }
        if let Err(source) = file.sync() {
            return Err(AppendError::SyncFailed { sequence, path: path.clone(), source });
        }
        self.current.offset += length;
        self.previous = hash;
        self.next += 1;
        ownership.set_durable(sequence);
        self.prepare();
        Ok(sequence)
    }

    /// Goes on in a new segment that has room for a frame.
    fn next_segment(&mut self, length: u64) -> Result<(), AppendError> {
        let (sequence, path) = (self.next, spare_path(&self.directory));
        let unavailable = |source| AppendError::Unavailable { sequence, path: path.clone(), source };
        let needed = HEADER as u64 + length;
        let file = match std::mem::replace(&mut self.spare, Spare::None) {
            Spare::None => None,
            Spare::Ready(file, size) => Some((file, size)),
            Spare::Coming(thread, size) => {
                let filled = thread
                    .join()
                    .unwrap_or_else(|_| Err(std::io::Error::other("the filling thread panicked")));
                Some((filled.map_err(unavailable)?, size))
            }
        };
        let (file, size) = match file {
            Some((file, size)) if size >= needed => (file, size),
            _ => {
                let size = self.next_size().max(needed.next_multiple_of(FIRST));
                (fill(&self.disk, &path, size).map_err(unavailable)?, size)
            }
        };
        self.spare = Spare::Ready(file, size);
        let begun = begin_segment(&self.disk, &self.directory, &self.partition, &mut self.spare, sequence);
        self.current = begun.map_err(|error| match error {
            Error::Io { path, source, .. } => AppendError::Unavailable { sequence, path, source },
            other => AppendError::Unavailable {
                sequence,
                path: path.clone(),
                source: std::io::Error::other(other),
            },
        })?;
        Ok(())
    }

    fn next_size(&self) -> u64 {
        (self.current.size * 2).clamp(FIRST, LARGEST)
    }

    /// Fills the next segment with zeros in good time.
    fn prepare(&mut self) {
        let half_full = self.current.offset * 2 > self.current.size;
        if !D::THREADS || !half_full || !matches!(self.spare, Spare::None) {
            return;
        }
        let (disk, path, size) = (self.disk.clone(), spare_path(&self.directory), self.next_size());
        let thread = std::thread::Builder::new()
            .name(format!("{}-fill", self.partition))
            .spawn(move || fill(&disk, &path, size));
        // Without a thread the segment is filled when it is needed.
        if let Ok(thread) = thread {
            self.spare = Spare::Coming(thread, size);
        }
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
        self.put(payload, false)
    }

    fn free_bytes(&self) -> Result<u64, Error> {
        self.disk.free_bytes(&self.directory).map_err(failed("ask for the free space of", &self.directory))
    }

    fn close(mut self) -> Result<(), Error> {
        if let Spare::Coming(thread, _) = std::mem::replace(&mut self.spare, Spare::None) {
            drop(thread.join());
        }
        let mark = clean_path(&self.directory);
        replace(&self.disk, &mark, &seal(&(self.next - 1).to_le_bytes()))
    }
}

/// The mark of a log that was ended on purpose: the last sequence.
pub(crate) fn clean_path(directory: &Path) -> PathBuf {
    directory.join("clean")
}

fn spare_path(directory: &Path) -> PathBuf {
    directory.join("spare.tmp")
}

/// Makes a file of zeros, durably but for its name.
fn fill<D: Disk>(disk: &D, path: &Path, size: u64) -> std::io::Result<Arc<dyn DiskFile>> {
    let file = disk.create(path)?;
    let zeros = vec![0; ZEROS];
    let mut at = 0;
    while at < size {
        let length = (size - at).min(ZEROS as u64);
        file.write_at(&zeros[..usize::try_from(length).unwrap_or(ZEROS)], at)?;
        at += length;
    }
    file.sync()?;
    Ok(file)
}

/// Gives the spare segment its header and its name, durably.
fn begin_segment<D: Disk>(
    disk: &D,
    directory: &Path,
    partition: &PartitionName,
    spare: &mut Spare,
    first: u64,
) -> Result<Current, Error> {
    let Spare::Ready(file, size) = std::mem::replace(spare, Spare::None) else {
        unreachable!("a segment begins with a spare that is ready");
    };
    let draft = spare_path(directory);
    file.write_at(&segment::header(partition, first), 0).map_err(failed("write", &draft))?;
    file.sync().map_err(failed("sync", &draft))?;
    let path = segment::path(directory, first);
    publish(disk, &draft, &path)?;
    Ok(Current { file, path, offset: HEADER as u64, size })
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
