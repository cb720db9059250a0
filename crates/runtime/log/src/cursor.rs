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

/// The cursor of this name, if there is one.
pub(crate) fn get<D: Disk>(disk: &D, directory: &Path, name: &str) -> Result<Option<Cursor>, Error> {
    check_name("cursor", name)?;
    let found = read(disk, &path(directory, name))?;
    Ok(found.map(|(sequence, data)| Cursor { name: name.into(), sequence, data }))
}

/// Sequence and data of a cursor, if its file is there.
fn read<D: Disk>(disk: &D, path: &Path) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let Some(bytes) = unseal(disk, path, CURSOR)? else { return Ok(None) };
    match bytes.split_first_chunk::<8>() {
        Some((sequence, data)) => Ok(Some((u64::from_le_bytes(*sequence), data.to_vec()))),
        None => Err(Error::Corrupt {
            path: path.to_owned(),
            offset: 16,
            what: "it has no sequence",
            whole_until: 0,
        }),
    }
}

/// Where a reader stands, whoever it is.
pub(crate) struct Stand {
    pub(crate) path: PathBuf,
    /// The last batch that it is done with; none when the cursor is damaged, which is its reader's trouble alone.
    pub(crate) sequence: Option<u64>,
}

/// Where all readers stand.
pub(crate) fn stands<D: Disk>(disk: &D, directory: &Path) -> Result<Vec<Stand>, Error> {
    let mut stands = Vec::new();
    for path in disk.list(directory).map_err(failed("list", directory))? {
        if path.extension().is_none_or(|suffix| suffix != SUFFIX) {
            continue;
        }
        match read(disk, &path) {
            Ok(Some((sequence, _))) => stands.push(Stand { sequence: Some(sequence), path }),
            // It may have been removed since the directory was listed.
            Ok(None) => (),
            Err(Error::Corrupt { .. }) => stands.push(Stand { sequence: None, path }),
            Err(error) => return Err(error),
        }
    }
    Ok(stands)
}
