//! Logs of partitions in a directory: a directory each.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cursor::{self, Cursor};
use crate::disk::{Disk, RealDisk};
use crate::error::Error;
use crate::file::{CLEAN, DRAFT, EPOCH, check_name, failed, replace, unseal};
use crate::lock::Lock;
use crate::log::{NodeId, PartitionLog, PartitionName, WriteSnapshot};
use crate::reader::DiskReader;
use crate::segment::{self, End, FIRST, HEADER, Hash, LARGEST, LOG};
use crate::snapshot::{self, Backlog, SnapshotMeta};
use crate::trim::{self, Retention};
use crate::writer::{Current, DiskWriter, Rising, Start, clean_path};

const SIZES: SegmentSizes = SegmentSizes { first: FIRST, largest: LARGEST };

/// The least that a segment may have.
const SEGMENT_MIN: u64 = 4096;

/// The name of the file with the newest epoch.
const EPOCH_NAME: &str = "epoch";

/// Logs of partitions on a disk.
pub struct DiskLog<D: Disk = RealDisk> {
    disk: D,
    root: PathBuf,
    partitions: Mutex<BTreeMap<PartitionName, Arc<Ownership>>>,
    lock: Option<Arc<Lock>>,
    sizes: SegmentSizes,
}

/// How long segments are, in bytes: the first one, and where doubling ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentSizes {
    pub(crate) first: u64,
    pub(crate) largest: u64,
}

/// Which batches the log must have, whatever its end looks like.
#[derive(Clone, Copy)]
struct Seen {
    /// The last one that a cursor, a snapshot or the mark of a clean shutdown speaks of.
    beside: u64,
    /// The last one that was seen if the tail is torn: then a batch may be missing that the store has, or that a damaged
    /// cursor spoke of. A whole log that ends before the store means a store of another log.
    if_torn: u64,
}

/// Who may write to a partition, and how far it is durable.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    epoch: Rising,
    durable: Rising,
    /// Whether the end of the log was found since the process began.
    is_known: AtomicBool,
    /// Whether a sync failed: what lies in the files may then differ from what the system has in memory.
    sync_failed: AtomicBool,
    turn: Mutex<()>,
    /// Snapshots that were found whole. Held while snapshots are written and trimmed.
    snapshots: Mutex<BTreeSet<u64>>,
    /// Held while cursors are written.
    cursors: Mutex<()>,
    /// The directory is this process's as long as anybody can write to it.
    _lock: Option<Arc<Lock>>,
}

impl Ownership {
    /// Whoever holds it is the only one to touch the files of the log.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        hold(&self.turn)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.get()
    }

    /// The last durable sequence.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.get()
    }

    pub(crate) fn set_durable(&self, sequence: u64) {
        self.durable.raise(sequence);
    }

    /// No writer of this process may open the log again.
    pub(crate) fn set_sync_failed(&self) {
        self.sync_failed.store(true, Ordering::Release);
    }

    /// Fails if a file would speak of a batch that is not durable.
    fn check_durable(&self, sequence: u64, path: impl FnOnce() -> PathBuf) -> Result<(), Error> {
        let end = self.durable();
        if sequence <= end { Ok(()) } else { Err(Error::Ahead { path: path(), sequence, end }) }
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DiskLog<RealDisk> {
    /// Takes a data directory for this process.
    ///
    /// # Errors
    /// When another process has it, or it cannot be made.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let lock = Lock::take(root)?;
        Ok(Self {
            disk: RealDisk,
            root: root.to_owned(),
            partitions: Mutex::default(),
            lock: Some(Arc::new(lock)),
            sizes: SIZES,
        })
    }
}

impl<D: Disk> DiskLog<D> {
    /// Logs on a disk that nobody else has.
    pub fn on(disk: D, root: &Path) -> Self {
        Self { disk, root: root.to_owned(), partitions: Mutex::default(), lock: None, sizes: SIZES }
    }

    /// Lets the first segment of a partition have `first` bytes and each next one twice as many, up to `largest`; at most
    /// what they are without that, 4 and 64 MiB. Less wastes less space on small partitions, and begins new segments, with
    /// two more syncs, more often.
    #[must_use]
    pub fn with_segment_sizes(mut self, first: u64, largest: u64) -> Self {
        let first = first.clamp(SEGMENT_MIN, SIZES.first);
        self.sizes = SegmentSizes { first, largest: largest.clamp(first, SIZES.largest) };
        self
    }

    /// What the segments of so many new partitions take of the disk at once, in bytes.
    pub fn bytes_of_new(&self, partitions: u32) -> u64 {
        self.sizes.first * u64::from(partitions)
    }

    /// Bytes that the disk has left.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn free_bytes(&self) -> Result<u64, Error> {
        self.disk.free_bytes(&self.root).map_err(failed("ask for the free space of", &self.root))
    }

    fn directory(&self, partition: &PartitionName) -> PathBuf {
        self.root.join(partition.to_string())
    }

    fn ownership(&self, partition: &PartitionName) -> Result<Arc<Ownership>, Error> {
        let mut partitions = hold(&self.partitions);
        if let Some(ownership) = partitions.get(partition) {
            return Ok(Arc::clone(ownership));
        }
        check_name("group of partitions", &partition.group)?;
        let ownership = Arc::new(Ownership { _lock: self.lock.clone(), ..Ownership::default() });
        partitions.insert(partition.clone(), Arc::clone(&ownership));
        Ok(ownership)
    }

    /// The directory of a partition, whose group's name is fit for that, and who owns it.
    fn place(&self, partition: &PartitionName) -> Result<(PathBuf, Arc<Ownership>), Error> {
        let ownership = self.ownership(partition)?;
        Ok((self.directory(partition), ownership))
    }

    /// What has seen batches: everything beside the log, and a store that has seen them up to `by_store`.
    fn seen(&self, directory: &Path, by_store: u64) -> Result<Seen, Error> {
        let stands = cursor::stands(&self.disk, directory)?;
        let has_unknown = stands.iter().any(|stand| stand.sequence.is_none());
        let cursors = stands.into_iter().filter_map(|stand| stand.sequence);
        let snapshots = snapshot::list(&self.disk, directory)?.into_iter().map(|snapshot| snapshot.sequence);
        let clean =
            unseal(&self.disk, &clean_path(directory), CLEAN)?.and_then(|bytes| bytes.try_into().ok());
        let beside = cursors.chain(snapshots).chain(clean.map(u64::from_le_bytes)).max().unwrap_or(0);
        Ok(Seen { beside, if_torn: if has_unknown { u64::MAX } else { by_store } })
    }

    /// Finds the end of the log, and the segment that it is in.
    fn find_end(
        &self,
        directory: &Path,
        partition: &PartitionName,
        seen: Seen,
    ) -> Result<(End, Option<Current>), Error> {
        let firsts = segment::list(&self.disk, directory)?;
        let mut end = End { offset: 0, next: 1, epoch: 0, hash: None, dirt: None };
        let mut current = None;
        if let Some((&last, before)) = firsts.split_last() {
            // Whether they are as they were written shows when they are read; whether they are there at all, at once.
            for &first in before {
                let Current { file, path, size, .. } = self.open_segment(directory, partition, first)?;
                segment::check_length(file.as_ref(), &path, size, first)?;
            }
            let (mut found, segment) = self.scan(directory, partition, last, None, 0)?;
            if found.hash.is_none()
                && let Some(&first) = before.last()
            {
                // The last segment has no frame yet, so the one before it ends the log.
                let (previous, file) = self.scan(directory, partition, first, None, 0)?;
                let corrupt = |what| Error::Corrupt {
                    path: file.path.clone(),
                    offset: previous.offset,
                    what,
                    whole_until: previous.next - 1,
                };
                if previous.dirt.is_some() {
                    return Err(corrupt("a batch is bad, though a later segment was begun"));
                }
                if previous.next != last {
                    return Err(corrupt("batches before the next segment are missing"));
                }
                found = End { hash: previous.hash, epoch: previous.epoch, ..found };
            }
            (end, current) = (found, Some(segment));
        }
        if end.next <= seen.beside || (end.dirt.is_some() && end.next <= seen.if_torn) {
            let (path, offset) =
                current.as_ref().map_or((directory.to_owned(), 0), |c| (c.path.clone(), c.offset));
            let what = "the log ends before a batch that was seen";
            return Err(Error::Corrupt { path, offset, what, whole_until: end.next - 1 });
        }
        Ok((end, current))
    }

    /// Walks over a segment.
    fn scan(
        &self,
        directory: &Path,
        partition: &PartitionName,
        first: u64,
        previous: Option<Hash>,
        epoch: u64,
    ) -> Result<(End, Current), Error> {
        let mut current = self.open_segment(directory, partition, first)?;
        let end = segment::scan(current.file.as_ref(), &current.path, current.size, first, previous, epoch)?;
        current.offset = end.offset;
        Ok((end, current))
    }

    /// Opens a segment whose header is right.
    fn open_segment(
        &self,
        directory: &Path,
        partition: &PartitionName,
        first: u64,
    ) -> Result<Current, Error> {
        let path = segment::path(directory, first);
        let file = self.disk.open(&path).map_err(failed("open", &path))?;
        let mut header = [0; HEADER];
        let read = file.read_at(&mut header, 0).map_err(failed("read", &path))?;
        let size = segment::check(LOG, &header[..read], &path, partition, first)?;
        Ok(Current { file, path, offset: HEADER as u64, size })
    }

    /// Finds the end, cuts off what a crash left behind it, and makes sure that the rest is durable.
    fn settle(
        &self,
        directory: &Path,
        partition: &PartitionName,
        seen: Seen,
        ownership: &Ownership,
    ) -> Result<(End, Option<Current>), Error> {
        let (end, current) = self.find_end(directory, partition, seen)?;
        if let Some(Current { file, path, .. }) = &current {
            if let Some(dirt) = end.dirt {
                wipe(file.as_ref(), end.offset, dirt).map_err(failed("cut the tail of", path))?;
            }
            // Without that, the last batch may be known to the system's memory only: its writer may have ended before the
            // sync.
            file.sync().map_err(|error| {
                ownership.set_sync_failed();
                failed("sync", path)(error)
            })?;
        }
        Ok((end, current))
    }

    /// The epoch in its file. If the file is damaged, the log tells enough: whoever raised the epoch before wrote a barrier
    /// with it, or nothing at all.
    fn stored_epoch(&self, directory: &Path) -> Result<u64, Error> {
        match unseal(&self.disk, &directory.join(EPOCH_NAME), EPOCH) {
            Ok(content) => {
                Ok(content.and_then(|content| content.first_chunk().copied()).map_or(0, u64::from_le_bytes))
            }
            Err(Error::Corrupt { .. }) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Removes files that were not finished.
    fn remove_drafts(&self, directory: &Path, ownership: &Ownership) -> Result<(), Error> {
        let _snapshots = hold(&ownership.snapshots);
        let _cursors = hold(&ownership.cursors);
        for path in self.disk.list(directory).map_err(failed("list", directory))? {
            if path.extension().is_some_and(|suffix| suffix == DRAFT) {
                self.disk.remove(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// Writes zeros over a tail, so that nothing of it can be taken for a frame later.
fn wipe(file: &dyn crate::disk::DiskFile, from: u64, to: u64) -> std::io::Result<()> {
    // Bound: the tail is shorter than the longest frame.
    let zeros = vec![0; usize::try_from(to - from).unwrap_or(0)];
    file.write_at(&zeros, from)
}

impl<D: Disk> PartitionLog for DiskLog<D> {
    type Writer = DiskWriter<D>;
    type Reader = DiskReader<D>;

    fn open_writer(&self, partition: &PartitionName, node: NodeId, seen: u64) -> Result<Self::Writer, Error> {
        let (directory, ownership) = self.place(partition)?;
        self.disk.create_directory(&directory).map_err(failed("create", &directory))?;
        let turn = ownership.turn();
        if ownership.sync_failed.load(Ordering::Acquire) {
            return Err(Error::SyncFailedBefore { path: directory });
        }
        let seen = self.seen(&directory, seen)?;
        let (end, current) = self.settle(&directory, partition, seen, &ownership)?;
        self.remove_drafts(&directory, &ownership)?;
        let epoch = self.stored_epoch(&directory)?.max(end.epoch).max(ownership.epoch()).saturating_add(1);
        let content = [&epoch.to_le_bytes()[..], &node.0.to_le_bytes()].concat();
        replace(&self.disk, &directory.join(EPOCH_NAME), EPOCH, &content)?;
        ownership.epoch.raise(epoch);
        ownership.set_durable(end.next - 1);
        ownership.is_known.store(true, Ordering::Release);
        let previous = end.hash.unwrap_or(Hash::default());
        let start = Start { epoch, next: end.next, previous, current, sizes: self.sizes };
        let its = Arc::clone(&ownership);
        DiskWriter::open(self.disk.clone(), directory, partition.clone(), its, start, &turn)
    }

    fn read(&self, partition: &PartitionName, from: u64) -> Result<Self::Reader, Error> {
        let (directory, ownership) = self.place(partition)?;
        if !ownership.is_known.load(Ordering::Acquire) {
            let _turn = ownership.turn();
            let (end, _) = self.find_end(&directory, partition, self.seen(&directory, 0)?)?;
            ownership.set_durable(end.next - 1);
        }
        DiskReader::open(self.disk.clone(), directory, partition.clone(), ownership, from)
    }

    fn snapshots(&self, partition: &PartitionName) -> Result<Vec<SnapshotMeta>, Error> {
        let (directory, _) = self.place(partition)?;
        snapshot::list(&self.disk, &directory)
    }

    fn backlog(&self, partition: &PartitionName) -> Result<Backlog, Error> {
        let (directory, _) = self.place(partition)?;
        snapshot::backlog(&self.disk, &directory)
    }

    fn get_snapshot(
        &self,
        partition: &PartitionName,
        snapshot: &SnapshotMeta,
    ) -> Result<Box<dyn Read>, Error> {
        snapshot::get(&self.disk, partition, snapshot)
    }

    fn put_snapshot(
        &self,
        partition: &PartitionName,
        upto: u64,
        write: WriteSnapshot<'_>,
    ) -> Result<SnapshotMeta, Error> {
        let (directory, ownership) = self.place(partition)?;
        ownership.check_durable(upto, || snapshot::path(&directory, upto))?;
        let mut verified = hold(&ownership.snapshots);
        let meta = snapshot::put(&self.disk, &directory, partition, upto, write)?;
        verified.insert(upto);
        Ok(meta)
    }

    fn cursor(&self, partition: &PartitionName, name: &str) -> Result<Option<Cursor>, Error> {
        let (directory, _) = self.place(partition)?;
        cursor::get(&self.disk, &directory, name)
    }

    fn put_cursor(&self, partition: &PartitionName, cursor: &Cursor) -> Result<(), Error> {
        let (directory, ownership) = self.place(partition)?;
        ownership.check_durable(cursor.sequence, || cursor::path(&directory, &cursor.name))?;
        let _held = hold(&ownership.cursors);
        cursor::put(&self.disk, &directory, cursor)
    }

    fn remove_cursor(&self, partition: &PartitionName, name: &str) -> Result<(), Error> {
        let (directory, ownership) = self.place(partition)?;
        let _held = hold(&ownership.cursors);
        cursor::remove(&self.disk, &directory, name)
    }

    fn trim(&self, partition: &PartitionName, retention: Retention) -> Result<u64, Error> {
        let (directory, ownership) = self.place(partition)?;
        let mut verified = hold(&ownership.snapshots);
        trim::trim(&self.disk, &directory, partition, retention, &mut verified)
    }
}
