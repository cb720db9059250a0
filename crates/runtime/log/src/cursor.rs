//! Where a reader stands: a small file per reader.
//!
//! The file holds, behind its head: the sequence in eight bytes (little endian), then the reader's own data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::error::Error;
use crate::file::{CURSOR, check_name, failed, replace, unseal};

/// Where a reader stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The reader: 1 to 64 letters, digits, `.`, `_` or `-`, a letter or digit first.
    pub name: Arc<str>,
    /// The last batch that it is done with.
    pub sequence: u64,
    /// What else it remembers.
    pub data: Vec<u8>,
}

/// Bytes of a cursor's data at most.
const DATA_MAX: usize = 1 << 20;

const SUFFIX: &str = "cursor";

pub(crate) fn path(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.{SUFFIX}"))
}

pub(crate) fn put<D: Disk>(disk: &D, directory: &Path, cursor: &Cursor) -> Result<(), Error> {
    check_name("cursor", &cursor.name)?;
    if cursor.data.len() > DATA_MAX {
        let (name, bytes, bytes_max) = (cursor.name.to_string(), cursor.data.len(), DATA_MAX);
        return Err(Error::CursorTooLong { name, bytes, bytes_max });
    }
    let mut bytes = cursor.sequence.to_le_bytes().to_vec();
    bytes.extend_from_slice(&cursor.data);
    replace(disk, &path(directory, &cursor.name), CURSOR, &bytes)
}

pub(crate) fn remove<D: Disk>(disk: &D, directory: &Path, name: &str) -> Result<(), Error> {
    check_name("cursor", name)?;
    let path = path(directory, name);
    match disk.remove(&path) {
        Ok(()) => disk.sync_directory(directory).map_err(failed("sync", directory)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("remove", &path)(error)),
    }
}

pub(crate) fn all<D: Disk>(disk: &D, directory: &Path) -> Result<Vec<Cursor>, Error> {
    let mut cursors = Vec::new();
    for path in disk.list(directory).map_err(failed("list", directory))? {
        if path.extension().is_none_or(|suffix| suffix != SUFFIX) {
            continue;
        }
        // It may have been removed since the directory was listed.
        let Some(bytes) = unseal(disk, &path, CURSOR)? else { continue };
        let Some((sequence, data)) = bytes.split_first_chunk::<8>() else {
            return Err(Error::Corrupt { path, offset: 16, what: "it has no sequence", whole_until: 0 });
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into();
        cursors.push(Cursor { name, sequence: u64::from_le_bytes(*sequence), data: data.to_vec() });
    }
    Ok(cursors)
}
