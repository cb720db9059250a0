//! The beginning of a segment, and of a snapshot.

use std::path::Path;

use crate::error::Error;
use crate::log::PartitionName;

/// Bytes of a header.
pub(crate) const HEADER: usize = 128;

/// The format that this program writes, and the only one that it reads.
pub(crate) const FORMAT: u32 = 1;

/// Bytes of a group's name at most.
const GROUP_MAX: usize = 64;

/// What a header heads.
#[derive(Clone, Copy)]
pub(crate) struct Of(&'static [u8; 8]);

/// Frames.
pub(crate) const LOG: Of = Of(b"CORETOLG");
/// A snapshot.
pub(crate) const SNAPSHOT: Of = Of(b"CORETOSN");

/// What it is (8), format (4), partition number (4), sequence: the first of a segment, the last in a snapshot (8), length
/// of the group's name (4), the name (64), length of the file, 0 in a snapshot (8), zeros, and at the end the CRC-32C of
/// all that (4).
pub(crate) fn header(of: Of, partition: &PartitionName, sequence: u64, size: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    let group = &partition.group.as_bytes()[..partition.group.len().min(GROUP_MAX)];
    bytes[..8].copy_from_slice(of.0);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..16].copy_from_slice(&partition.number.to_le_bytes());
    bytes[16..24].copy_from_slice(&sequence.to_le_bytes());
    bytes[24..28].copy_from_slice(&u32::try_from(group.len()).expect("at most 64").to_le_bytes());
    bytes[28..28 + group.len()].copy_from_slice(group);
    bytes[92..100].copy_from_slice(&size.to_le_bytes());
    let sum = crc32c::crc32c(&bytes[..HEADER - 4]);
    bytes[HEADER - 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Whether a header is that of the partition's file that is named by `sequence`. Returns the length that it tells.
pub(crate) fn check(
    of: Of,
    bytes: &[u8],
    path: &Path,
    partition: &PartitionName,
    sequence: u64,
) -> Result<u64, Error> {
    let whole_until = sequence.saturating_sub(1);
    let damaged = |what| Error::Corrupt { path: path.to_owned(), offset: 0, what, whole_until };
    let bytes: &[u8; HEADER] = bytes.try_into().map_err(|_| damaged("the header is cut"))?;
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    if &bytes[..8] != of.0 {
        return Err(damaged("the file does not begin as such a file"));
    }
    let format = number(8);
    if format != FORMAT {
        return Err(Error::Format { path: path.to_owned(), found: format, known: FORMAT });
    }
    if number(HEADER - 4) != crc32c::crc32c(&bytes[..HEADER - 4]) {
        return Err(damaged("the header's checksum is wrong"));
    }
    let size = u64::from_le_bytes(bytes[92..100].try_into().expect("eight bytes"));
    let expected = header(of, partition, sequence, size);
    if bytes == &expected {
        return Ok(size);
    }
    if bytes[16..24] != expected[16..24] {
        return Err(damaged("the header says another sequence than the file's name"));
    }
    let length = usize::try_from(number(24)).unwrap_or(0).min(GROUP_MAX);
    let group = String::from_utf8_lossy(&bytes[28..28 + length]);
    Err(Error::Foreign { path: path.to_owned(), found: format!("{group}-{}", number(12)) })
}
