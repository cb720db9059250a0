//! Files of the log, and frames in them.
//!
//! A segment is a file named by the sequence of its first batch, preallocated and filled with zeros. It begins with a
//! header of [`HEADER`] bytes; frames follow, each beginning at a multiple of [`ALIGN`] bytes. Numbers are little
//! endian.

mod frame;
mod header;
mod scan;

use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::Error;
use crate::file::failed;

pub use frame::PAYLOAD_BYTES_MAX;
pub(crate) use frame::{Encoder, FRAME, FRAME_MAX, Frame, Hash, Head, Label};
pub(crate) use header::{FORMAT, HEADER, LOG, SNAPSHOT, check, header};
pub(crate) use scan::{End, check_length, scan};

/// Frames begin at multiples of this.
pub(crate) const ALIGN: usize = 8;

/// The first segment's size; each next one is twice as large, up to [`LARGEST`].
pub(crate) const FIRST: u64 = 4 << 20;

/// The largest size of a segment, but for a batch that needs more.
pub(crate) const LARGEST: u64 = 64 << 20;

const SUFFIX: &str = "log";

/// The path of the segment that begins with a sequence.
pub(crate) fn path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.{SUFFIX}"))
}

/// The first sequences of all segments, in order.
pub(crate) fn list<D: Disk>(disk: &D, directory: &Path) -> Result<Vec<u64>, Error> {
    let mut firsts: Vec<u64> = disk
        .list(directory)
        .map_err(failed("list", directory))?
        .iter()
        .filter(|path| path.extension().is_some_and(|suffix| suffix == SUFFIX))
        .filter_map(|path| number(path))
        .collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Bytes of the segments that begin after a batch, as they are preallocated.
pub(crate) fn bytes_after<D: Disk>(
    disk: &D,
    directory: &Path,
    firsts: &[u64],
    sequence: u64,
) -> Result<u64, Error> {
    let mut bytes = 0;
    for &first in firsts.iter().filter(|&&first| first > sequence) {
        let path = path(directory, first);
        let file = disk.open(&path).map_err(failed("open", &path))?;
        bytes += file.size().map_err(failed("read", &path))?;
    }
    Ok(bytes)
}

/// The number that names a file, if it is written as we write it.
pub(crate) fn number(path: &Path) -> Option<u64> {
    let digits = path.file_stem()?.to_str()?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// The next multiple of [`ALIGN`].
pub(crate) const fn aligned(length: usize) -> usize {
    length.next_multiple_of(ALIGN)
}
