//! Small files that are written whole or not at all.
//!
//! Each begins with what it is (8 bytes), the format (4) and the CRC-32C of all other bytes (4); its content follows.
//! Numbers are little endian.

use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::Error;
use crate::segment::FORMAT;

/// The suffix of files that are not finished; they are removed when a writer opens the log.
pub(crate) const DRAFT: &str = "tmp";

const HEAD: usize = 16;

/// A small file longer than this is damage.
pub(crate) const CONTENT_MAX: usize = 2 << 20;

/// What a small file is.
#[derive(Clone, Copy)]
pub(crate) struct Kind(&'static [u8; 8]);

/// The newest epoch.
pub(crate) const EPOCH: Kind = Kind(b"CORETOEP");
/// The mark of a log that was ended on purpose.
pub(crate) const CLEAN: Kind = Kind(b"CORETOEN");
/// Where a reader stands.
pub(crate) const CURSOR: Kind = Kind(b"CORETOCU");

/// Adds what was tried and on what to an error of the system.
pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}

/// The name of a file while it is written.
pub(crate) fn draft(path: &Path) -> PathBuf {
    path.with_added_extension(DRAFT)
}

/// Writes a file under another name, syncs it, and gives it its name, durably.
pub(crate) fn replace<D: Disk>(disk: &D, path: &Path, kind: Kind, content: &[u8]) -> Result<(), Error> {
    let draft = draft(path);
    let file = disk.create(&draft).map_err(failed("create", &draft))?;
    file.write_at(&seal(kind, content), 0).map_err(failed("write", &draft))?;
    file.sync().map_err(failed("sync", &draft))?;
    publish(disk, &draft, path)
}

/// Gives a synced file its name, durably.
pub(crate) fn publish<D: Disk>(disk: &D, draft: &Path, path: &Path) -> Result<(), Error> {
    disk.rename(draft, path).map_err(failed("rename to", path))?;
    let directory = path.parent().unwrap_or(Path::new("."));
    disk.sync_directory(directory).map_err(failed("sync", directory))
}

fn seal(kind: Kind, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + content.len());
    bytes.extend_from_slice(kind.0);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(content);
    let sum = sum(&bytes);
    bytes[12..HEAD].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn sum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[HEAD..])
}

/// The content of a small file, or `None` when there is no such file.
pub(crate) fn unseal<D: Disk>(disk: &D, path: &Path, kind: Kind) -> Result<Option<Vec<u8>>, Error> {
    let file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path)(error)),
    };
    let damaged = |what| Error::Corrupt { path: path.to_owned(), offset: 0, what, whole_until: 0 };
    let length = usize::try_from(file.size().map_err(failed("read", path))?).unwrap_or(usize::MAX);
    if length > HEAD + CONTENT_MAX {
        return Err(damaged("it is longer than such a file"));
    }
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0).map_err(failed("read", path))?;
    bytes.truncate(read);
    let Some(head) = bytes.first_chunk::<HEAD>() else { return Err(damaged("it is too short")) };
    if &head[..8] != kind.0 {
        return Err(damaged("it does not begin as such a file"));
    }
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let found = number(8);
    if found != FORMAT {
        return Err(Error::Format { path: path.to_owned(), found, known: FORMAT });
    }
    if number(12) != sum(&bytes) {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(Some(bytes.split_off(HEAD)))
}

/// Whether a name is fit to be part of a file's name.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let begins_well = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if begins_well && name.len() <= 64 && name.bytes().all(fit) {
        return Ok(());
    }
    Err(Error::Name { what, name: name.chars().take(64).collect() })
}
