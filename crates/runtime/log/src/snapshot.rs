//! Snapshots: checksummed files beside the segments.
//!
//! A header as a segment has one, the content, and at the end its length (8) and the CRC-32C of all before it (4). Numbers
//! are little endian.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::disk::{Disk, DiskFile};
use crate::error::Error;
use crate::file::{draft, failed, publish};
use crate::log::{PartitionName, WriteSnapshot};
use crate::segment::{self, HEADER, SNAPSHOT};

/// A snapshot that lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// It holds all batches up to this one.
    pub sequence: u64,
    /// Its file.
    pub path: PathBuf,
}

/// What lies behind the newest snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The snapshot holds all batches up to this one; 0 when there is none.
    pub sequence: u64,
    /// Bytes of the segments that were begun after it.
    pub bytes: u64,
    /// The snapshot's age; without one, the time since the oldest segment was last written.
    pub age: Duration,
}

const TRAILER: u64 = 12;
const CHUNK: usize = 256 << 10;
const SUFFIX: &str = "snapshot";

pub(crate) fn path(directory: &Path, sequence: u64) -> PathBuf {
    directory.join(format!("{sequence:020}.{SUFFIX}"))
}

/// All snapshots, newest first.
pub(crate) fn list<D: Disk>(disk: &D, directory: &Path) -> Result<Vec<SnapshotMeta>, Error> {
    let mut snapshots: Vec<_> = disk
        .list(directory)
        .map_err(failed("list", directory))?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|suffix| suffix == SUFFIX))
        .filter_map(|path| Some(SnapshotMeta { sequence: segment::number(&path)?, path }))
        .collect();
    snapshots.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.sequence));
    Ok(snapshots)
}

pub(crate) fn backlog<D: Disk>(disk: &D, directory: &Path) -> Result<Backlog, Error> {
    let firsts = segment::list(disk, directory)?;
    let newest = list(disk, directory)?.into_iter().next();
    let sequence = newest.as_ref().map_or(0, |snapshot| snapshot.sequence);
    let bytes = segment::bytes_after(disk, directory, &firsts, sequence)?;
    let oldest = || firsts.first().map(|&first| segment::path(directory, first));
    let age = match newest.map(|snapshot| snapshot.path).or_else(oldest) {
        Some(path) => disk.age(&path).map_err(failed("read", &path))?,
        None => Duration::ZERO,
    };
    Ok(Backlog { sequence, bytes, age })
}

pub(crate) fn put<D: Disk>(
    disk: &D,
    directory: &Path,
    partition: &PartitionName,
    sequence: u64,
    write: WriteSnapshot<'_>,
) -> Result<SnapshotMeta, Error> {
    let path = path(directory, sequence);
    let draft = draft(&path);
    let file = disk.create(&draft).map_err(failed("create", &draft))?;
    let written = write_all(file.as_ref(), partition, sequence, write)
        .map_err(failed("write", &draft))
        .and_then(|()| verify(file.as_ref(), &draft, partition, sequence));
    if let Err(error) = written {
        // What stays is removed when a writer opens the log; it only takes space meanwhile.
        let _ = disk.remove(&draft);
        return Err(error);
    }
    publish(disk, &draft, &path)?;
    Ok(SnapshotMeta { sequence, path })
}

fn write_all(
    file: &dyn DiskFile,
    partition: &PartitionName,
    sequence: u64,
    write: WriteSnapshot<'_>,
) -> io::Result<()> {
    let mut out = Summing { file, at: 0, sum: 0, buffer: Vec::with_capacity(CHUNK) };
    out.write_all(&segment::header(SNAPSHOT, partition, sequence, 0))?;
    write(&mut out)?;
    let content = out.at + out.buffer.len() as u64 - HEADER as u64;
    out.write_all(&content.to_le_bytes())?;
    out.flush()?;
    file.write_at(&out.sum.to_le_bytes(), out.at)?;
    file.sync()
}

/// Writes and sums up in chunks.
struct Summing<'a> {
    file: &'a dyn DiskFile,
    at: u64,
    sum: u32,
    buffer: Vec<u8>,
}

impl Write for Summing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.buffer, self.at)?;
        self.sum = crc32c::crc32c_append(self.sum, &self.buffer);
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// Opens a snapshot for reading, after its checksum was found right.
pub(crate) fn get<D: Disk>(
    disk: &D,
    partition: &PartitionName,
    snapshot: &SnapshotMeta,
) -> Result<Box<dyn Read>, Error> {
    let path = &snapshot.path;
    let file = disk.open(path).map_err(failed("open", path))?;
    let end = verify(file.as_ref(), path, partition, snapshot.sequence)?;
    Ok(Box::new(Content { file, at: HEADER as u64, end }))
}

/// Whether a snapshot is whole. Returns where its content ends.
pub(crate) fn verify(
    file: &dyn DiskFile,
    path: &Path,
    partition: &PartitionName,
    sequence: u64,
) -> Result<u64, Error> {
    let damaged =
        |what, offset| Error::Corrupt { path: path.to_owned(), offset, what, whole_until: sequence };
    let length = file.size().map_err(failed("read", path))?;
    let mut header = [0; HEADER];
    let read = file.read_at(&mut header, 0).map_err(failed("read", path))?;
    segment::check(SNAPSHOT, &header[..read], path, partition, sequence)?;
    let content =
        length.checked_sub(HEADER as u64 + TRAILER).ok_or_else(|| damaged("the snapshot is cut", length))?;
    let mut buffer = vec![0; CHUNK];
    let (mut at, mut sum) = (0, 0);
    while at < length - 4 {
        let wanted = usize::try_from(length - 4 - at).unwrap_or(CHUNK).min(CHUNK);
        let read = file.read_at(&mut buffer[..wanted], at).map_err(failed("read", path))?;
        if read == 0 {
            return Err(damaged("the snapshot is cut", at));
        }
        sum = crc32c::crc32c_append(sum, &buffer[..read]);
        at += read as u64;
    }
    let mut trailer = [0; 12];
    file.read_at(&mut trailer, length - TRAILER).map_err(failed("read", path))?;
    if sum.to_le_bytes() != trailer[8..] {
        return Err(damaged("the snapshot's checksum is wrong", 0));
    }
    if trailer[..8] != content.to_le_bytes() {
        return Err(damaged("the snapshot has another length", length));
    }
    Ok(length - TRAILER)
}

/// The content of a snapshot.
struct Content {
    file: Arc<dyn DiskFile>,
    at: u64,
    end: u64,
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let read = self.file.read_at(&mut buffer[..wanted], self.at)?;
        if read < wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}
