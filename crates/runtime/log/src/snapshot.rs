//! Snapshots: checksummed files beside the segments.
//!
//! Magic and format (8 bytes), the sequence (8), the content, and at the end its length (8) and the CRC-32C of all
//! before it (4). Numbers are little endian.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::error::Error;
use crate::file::{failed, publish};
use crate::log::WriteSnapshot;

/// A snapshot that lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// It holds all batches up to this one.
    pub sequence: u64,
    /// Its file.
    pub path: PathBuf,
}

const MAGIC: &[u8; 8] = b"CORETOSN";
const HEADER: u64 = 16;
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
        .filter_map(|path| Some(SnapshotMeta { sequence: path.file_stem()?.to_str()?.parse().ok()?, path }))
        .collect();
    snapshots.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.sequence));
    Ok(snapshots)
}

pub(crate) fn put<D: Disk>(
    disk: &D,
    directory: &Path,
    sequence: u64,
    write: WriteSnapshot<'_>,
) -> Result<SnapshotMeta, Error> {
    let draft = directory.join("snapshot.tmp");
    let path = path(directory, sequence);
    let file = disk.create(&draft).map_err(failed("create", &draft))?;
    let written = write_all(file.as_ref(), sequence, write).map_err(failed("write", &draft));
    if let Err(error) = written {
        // The draft is overwritten by the next try; it only takes space meanwhile.
        let _ = disk.remove(&draft);
        return Err(error);
    }
    publish(disk, &draft, &path)?;
    verify(file.as_ref(), &path, sequence)?;
    Ok(SnapshotMeta { sequence, path })
}

fn write_all(file: &dyn DiskFile, sequence: u64, write: WriteSnapshot<'_>) -> io::Result<()> {
    let mut out = Summing { file, at: 0, sum: 0, buffer: Vec::with_capacity(CHUNK) };
    out.write_all(MAGIC)?;
    out.write_all(&sequence.to_le_bytes())?;
    write(&mut out)?;
    let content = out.at + out.buffer.len() as u64 - HEADER;
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
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
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
pub(crate) fn get<D: Disk>(disk: &D, snapshot: &SnapshotMeta) -> Result<Box<dyn Read>, Error> {
    let path = &snapshot.path;
    let file = disk.open(path).map_err(failed("open", path))?;
    let end = verify(file.as_ref(), path, snapshot.sequence)?;
    Ok(Box::new(Content { file, at: HEADER, end }))
}

/// Whether a snapshot is whole. Returns where its content ends.
pub(crate) fn verify(file: &dyn DiskFile, path: &Path, sequence: u64) -> Result<u64, Error> {
    let damaged =
        |what, offset| Error::Corrupt { path: path.to_owned(), offset, what, whole_until: sequence };
    let length = file.size().map_err(failed("read", path))?;
    let content =
        length.checked_sub(HEADER + TRAILER).ok_or_else(|| damaged("the snapshot is cut", length))?;
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
    let mut header = [0; 16];
    let mut trailer = [0; 12];
    file.read_at(&mut header, 0).map_err(failed("read", path))?;
    file.read_at(&mut trailer, length - TRAILER).map_err(failed("read", path))?;
    if sum.to_le_bytes() != trailer[8..] {
        return Err(damaged("the snapshot's checksum is wrong", 0));
    }
    if &header[..8] != MAGIC || header[8..] != sequence.to_le_bytes() || trailer[..8] != content.to_le_bytes()
    {
        return Err(damaged("the file is not this snapshot", 0));
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
        self.at += read as u64;
        Ok(read)
    }
}
