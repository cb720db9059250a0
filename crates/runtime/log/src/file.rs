//! Small files that are written whole or not at all.

use std::path::Path;

use crate::disk::Disk;
use crate::error::Error;

/// Adds what was tried and on what to an error of the system.
pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}

/// Writes a file under another name, syncs it, and gives it its name, durably.
pub(crate) fn replace<D: Disk>(disk: &D, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let draft = path.with_extension("tmp");
    let file = disk.create(&draft).map_err(failed("create", &draft))?;
    file.write_at(bytes, 0).map_err(failed("write", &draft))?;
    file.sync().map_err(failed("sync", &draft))?;
    publish(disk, &draft, path)
}

/// Gives a synced file its name, durably.
pub(crate) fn publish<D: Disk>(disk: &D, draft: &Path, path: &Path) -> Result<(), Error> {
    disk.rename(draft, path).map_err(failed("rename to", path))?;
    let directory = path.parent().unwrap_or(Path::new("."));
    disk.sync_directory(directory).map_err(failed("sync", directory))
}

/// A small file's bytes with their checksum: four bytes of CRC-32C, then the bytes.
pub(crate) fn seal(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(bytes.len() + 4);
    sealed.extend_from_slice(&crc32c::crc32c(bytes).to_le_bytes());
    sealed.extend_from_slice(bytes);
    sealed
}

/// The bytes of a sealed file, or `None` when there is no such file.
pub(crate) fn unseal<D: Disk>(disk: &D, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path)(error)),
    };
    let length = file.size().map_err(failed("read", path))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_at(&mut bytes, 0).map_err(failed("read", path))?;
    let damaged = |what| Error::Corrupt { path: path.to_owned(), offset: 0, what, whole_until: 0 };
    let (sum, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| damaged("it is too short"))?;
    if u32::from_le_bytes(*sum) != crc32c::crc32c(rest) {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(Some(bytes.split_off(4)))
}
