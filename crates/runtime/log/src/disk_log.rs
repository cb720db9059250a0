//! Logs of partitions in a directory: a directory each.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cursor::{self, Cursor};
use crate::disk::{Disk, RealDisk};
use crate::error::Error;
use crate::file::{failed, replace, seal, unseal};
use crate::lock::Lock;
use crate::log::{NodeId, PartitionLog, PartitionName, WriteSnapshot};
use crate::reader::DiskReader;
use crate::segment::{self, End, HEADER, Hash};
use crate::snapshot::{self, SnapshotMeta};
use crate::trim::{self, Retention};
use crate::writer::{Current, DiskWriter, Rising, Start, clean_path};

/// Logs of partitions on a disk.
pub struct DiskLog<D: Disk = RealDisk> {
    disk: D,
    root: PathBuf,
    partitions: Mutex<BTreeMap<PartitionName, Arc<Ownership>>>,
    _lock: Option<Lock>,
}

/// Who may write to a partition, and how far it is durable.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    epoch: Rising,
    durable: Rising,
    turn: Mutex<()>,
}

impl Ownership {
    /// Whoever holds it is the only one to touch the files of the log.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
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
}

impl DiskLog<RealDisk> {
    /// Takes a data directory for this process.
    ///
    /// # Errors
    /// When another process has it, or it cannot be made.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let lock = Lock::take(root)?;
        Ok(Self { disk: RealDisk, root: root.to_owned(), partitions: Mutex::default(), _lock: Some(lock) })
    }
}

impl<D: Disk> DiskLog<D> {
    /// Logs on a disk that nobody else has.
    pub fn on(disk: D, root: &Path) -> Self {
        Self { disk, root: root.to_owned(), partitions: Mutex::default(), _lock: None }
    }

    fn directory(&self, partition: &PartitionName) -> PathBuf {
        self.root.join(partition.to_string())
    }

    fn ownership(&self, partition: &PartitionName) -> Arc<Ownership> {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(partitions.entry(partition.clone()).or_default())
    }

    /// The highest sequence that anything beside the log has seen.
    fn seen(&self, directory: &Path) -> Result<u64, Error> {
        let cursors = cursor::all(&self.disk, directory)?.into_iter().map(|cursor| cursor.sequence);
        let snapshots = snapshot::list(&self.disk, directory)?.into_iter().map(|snapshot| snapshot.sequence);
        let clean = unseal(&self.disk, &clean_path(directory))?.and_then(|bytes| bytes.try_into().ok());
        Ok(cursors.chain(snapshots).chain(clean.map(u64::from_le_bytes)).max().unwrap_or(0))
    }

    /// Finds the end of the log; a tail that nobody has seen and that cannot be read is cut off.
    fn settle(
        &self,
        directory: &Path,
        partition: &PartitionName,
        seen: u64,
    ) -> Result<(End, Option<Current>), Error> {
        let firsts = segment::list(&self.disk, directory)?;
        let mut end = End { offset: 0, next: 1, epoch: 0, hash: None, dirt: None };
        let mut current = None;
        // The last segment may be empty: then the one before it ends the log.
        let begin = firsts.len().saturating_sub(2);
        for (index, &first) in firsts.iter().enumerate().skip(begin) {
            let path = segment::path(directory, first);
            let file = self.disk.open(&path).map_err(failed("open", &path))?;
            let mut header = [0; HEADER];
            let read = file.read_at(&mut header, 0).map_err(failed("read", &path))?;
            segment::check(&header[..read], &path, partition, first)?;
            let corrupt =
                |offset, what, whole_until| Error::Corrupt { path: path.clone(), offset, what, whole_until };
            if index > begin && end.next != first {
                return Err(corrupt(0, "batches before this segment are missing", end.next - 1));
            }
            end = segment::scan(file.as_ref(), &path, first, end.hash, end.epoch)?;
            let last = index + 1 == firsts.len();
            if let Some(dirt) = end.dirt {
                if !last || end.next <= seen {
                    return Err(corrupt(end.offset, "a batch that was seen cannot be read", end.next - 1));
                }
                wipe(file.as_ref(), end.offset, dirt).map_err(failed("cut the tail of", &path))?;
            }
            let size = file.size().map_err(failed("read", &path))?;
            current = last.then_some(Current { file, path, offset: end.offset, size });
        }
        if end.next <= seen {
            let (path, offset) =
                current.as_ref().map_or((directory.to_owned(), 0), |c| (c.path.clone(), c.offset));
            let what = "the log ends before a batch that was seen";
            return Err(Error::Corrupt { path, offset, what, whole_until: end.next - 1 });
        }
        Ok((end, current))
    }
}

/// Writes zeros over a tail, so that nothing of it can be taken for a frame later.
fn wipe(file: &dyn crate::disk::DiskFile, from: u64, to: u64) -> std::io::Result<()> {
    let zeros = vec![0; usize::try_from(to - from).unwrap_or(0)];
    file.write_at(&zeros, from)?;
    file.sync()
}

impl<D: Disk> PartitionLog for DiskLog<D> {
    type Writer = DiskWriter<D>;
    type Reader = DiskReader<D>;

    fn open_writer(
        &self,
        partition: &PartitionName,
        _node: NodeId,
        seen: u64,
    ) -> Result<Self::Writer, Error> {
        let directory = self.directory(partition);
        self.disk.create_directory(&directory).map_err(failed("create", &directory))?;
        let ownership = self.ownership(partition);
        let (end, current, epoch) = {
            let _turn = ownership.turn();
            let seen = seen.max(self.seen(&directory)?);
            let (end, current) = self.settle(&directory, partition, seen)?;
            let path = directory.join("epoch");
            let stored = unseal(&self.disk, &path)?
                .and_then(|bytes| bytes.try_into().ok())
                .map_or(0, u64::from_le_bytes);
            let epoch = stored.max(end.epoch).max(ownership.epoch()) + 1;
            replace(&self.disk, &path, &seal(&epoch.to_le_bytes()))?;
            ownership.epoch.raise(epoch);
            ownership.set_durable(end.next - 1);
            (end, current, epoch)
        };
        let start = Start { epoch, next: end.next, previous: end.hash.unwrap_or(Hash::default()), current };
        DiskWriter::open(self.disk.clone(), directory, partition.clone(), ownership, start)
    }

    fn read(&self, partition: &PartitionName, from: u64) -> Result<Self::Reader, Error> {
        let ownership = self.ownership(partition);
        DiskReader::open(self.disk.clone(), self.directory(partition), partition.clone(), ownership, from)
    }

    fn snapshots(&self, partition: &PartitionName) -> Result<Vec<SnapshotMeta>, Error> {
        snapshot::list(&self.disk, &self.directory(partition))
    }

    fn get_snapshot(
        &self,
        _partition: &PartitionName,
        snapshot: &SnapshotMeta,
    ) -> Result<Box<dyn Read>, Error> {
        snapshot::get(&self.disk, snapshot)
    }

    fn put_snapshot(
        &self,
        partition: &PartitionName,
        upto: u64,
        write: WriteSnapshot<'_>,
    ) -> Result<SnapshotMeta, Error> {
        snapshot::put(&self.disk, &self.directory(partition), upto, write)
    }

    fn cursors(&self, partition: &PartitionName) -> Result<Vec<Cursor>, Error> {
        cursor::all(&self.disk, &self.directory(partition))
    }

    fn put_cursor(&self, partition: &PartitionName, cursor: &Cursor) -> Result<(), Error> {
        cursor::put(&self.disk, &self.directory(partition), cursor)
    }

    fn trim(&self, partition: &PartitionName, retention: Retention) -> Result<u64, Error> {
        trim::trim(&self.disk, &self.directory(partition), retention)
    }
}
