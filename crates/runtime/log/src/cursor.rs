//! Where a reader stands: a small file per reader.
//!
//! The file holds, behind its checksum: the sequence in eight bytes (little endian), then the reader's own data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::error::Error;
use crate::file::{failed, replace, seal, unseal};

/// Where a reader stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The reader: letters, digits and hyphens.
    pub name: Arc<str>,
    /// The last batch that it is done with.
    pub sequence: u64,
    /// What else it remembers.
    pub data: Vec<u8>,
}

const SUFFIX: &str = "cursor";

pub(crate) fn path(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.{SUFFIX}"))
}

pub(crate) fn put<D: Disk>(disk: &D, directory: &Path, cursor: &Cursor) -> Result<(), Error> {
    let mut bytes = cursor.sequence.to_le_bytes().to_vec();
    bytes.extend_from_slice(&cursor.data);
    replace(disk, &path(directory, &cursor.name), &seal(&bytes))
}

pub(crate) fn all<D: Disk>(disk: &D, directory: &Path) -> Result<Vec<Cursor>, Error> {
    let mut cursors = Vec::new();
    for path in disk.list(directory).map_err(failed("list", directory))? {
        if path.extension().is_none_or(|suffix| suffix != SUFFIX) {
            continue;
        }
        let Some(bytes) = unseal(disk, &path)? else { continue };
        let Some((sequence, data)) = bytes.split_first_chunk::<8>() else { continue };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into();
        cursors.push(Cursor { name, sequence: u64::from_le_bytes(*sequence), data: data.to_vec() });
    }
    Ok(cursors)
}
