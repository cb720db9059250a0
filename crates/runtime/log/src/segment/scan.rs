//! Finding the end of the log in its last segment, and judging what lies behind it.
//!
//! Segments are filled with zeros beforehand, and a batch is written only after the one before it was synced. So all that
//! a crash leaves behind the last whole frame is one frame of which some sectors arrived while the others are still zero.
//! What does not look like that was damaged later, and is never cut off.

use std::path::Path;

use super::{ALIGN, FRAME, FRAME_MAX, Frame, HEADER, Hash, Head, LARGEST};
use crate::disk::DiskFile;
use crate::error::Error;
use crate::file::failed;

/// What a disk writes wholly or not at all, in bytes.
const SECTOR: usize = 512;

/// Bytes that are summed up at most while looking for later frames.
const SEARCH_MAX: usize = 256 << 20;

/// Where a segment's good frames end.
pub(crate) struct End {
    /// The offset behind the last good frame.
    pub(crate) offset: u64,
    /// The sequence that comes next.
    pub(crate) next: u64,
    /// The epoch of the last good frame, or what was given.
    pub(crate) epoch: u64,
    /// The hash of the last good frame, or none when the segment has no frames.
    pub(crate) hash: Option<Hash>,
    /// The end of what a torn frame left behind the good ones; none when all is zero.
    pub(crate) dirt: Option<u64>,
}

/// Walks over the frames of a segment whose header was checked and tells `size`.
///
/// `previous` is the hash that the first frame must name, if it is known.
pub(crate) fn scan(
    file: &dyn DiskFile,
    path: &Path,
    size: u64,
    first: u64,
    previous: Option<Hash>,
    epoch: u64,
) -> Result<End, Error> {
    let corrupt = |offset: usize, what, next: u64| Error::Corrupt {
        path: path.to_owned(),
        offset: offset as u64,
        what,
        whole_until: next.saturating_sub(1),
    };
    let bytes = read(file, path, size, first)?;
    let mut end = End { offset: HEADER as u64, next: first, epoch, hash: previous, dirt: None };
    let mut at = HEADER;
    while let Some(frame) = bytes.get(at..).and_then(Frame::read) {
        let Head { sequence, epoch, previous, .. } = frame.head;
        let chained = end.hash.is_none_or(|hash| hash == previous);
        if sequence != end.next || epoch < end.epoch || !chained {
            return Err(corrupt(at, "a frame is not where it was written", end.next));
        }
        at += frame.length;
        end = End { offset: at as u64, next: sequence + 1, epoch, hash: Some(frame.hash), dirt: None };
    }
    let rest = bytes.get(at..).unwrap_or(&[]);
    if let Some(last) = rest.iter().rposition(|&byte| byte != 0) {
        let written = last + 1;
        explain(rest, written, at, end.next).map_err(|what| corrupt(at, what, end.next))?;
        end.dirt = Some((at + written) as u64);
    }
    Ok(end)
}

/// Fails if a segment has lost its end.
pub(crate) fn check_length(file: &dyn DiskFile, path: &Path, size: u64, first: u64) -> Result<(), Error> {
    let length = file.size().map_err(failed("read", path))?;
    if length >= size {
        return Ok(());
    }
    Err(Error::Corrupt {
        path: path.to_owned(),
        offset: length,
        what: "the file is shorter than its header says",
        whole_until: first.saturating_sub(1),
    })
}

/// The bytes of a segment.
fn read(file: &dyn DiskFile, path: &Path, size: u64, first: u64) -> Result<Vec<u8>, Error> {
    let corrupt = |offset, what| Error::Corrupt {
        path: path.to_owned(),
        offset,
        what,
        whole_until: first.saturating_sub(1),
    };
    check_length(file, path, size, first)?;
    if size < HEADER as u64 || size > LARGEST.max((HEADER + FRAME_MAX) as u64).next_multiple_of(super::FIRST)
    {
        return Err(corrupt(0, "no segment has the length that its header says"));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    let read = file.read_at(&mut bytes, 0).map_err(failed("read", path))?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Whether one unfinished frame explains the first `written` bytes of `rest`, which begins at an offset of the file; if
/// not, why.
fn explain(rest: &[u8], written: usize, offset: usize, next: u64) -> Result<(), &'static str> {
    // The first eight bytes share a sector: length of the payload and checksum, never both zero.
    const START: usize = 8;
    if written > FRAME_MAX {
        return Err("a batch is bad and later ones follow");
    }
    if rest.len() < FRAME {
        return Err("something lies where no batch has room");
    }
    if rest[..START] == [0; START] {
        if rest[..rest.len().min(sector_left(offset))].iter().any(|&byte| byte != 0) {
            return Err("the beginning of a batch is missing, but not a sector");
        }
        return no_later_frame(rest, next);
    }
    let stored = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]);
    let length = FRAME.saturating_add(usize::try_from(stored).unwrap_or(usize::MAX));
    if length > rest.len().min(FRAME_MAX) {
        return Err("no batch has such a length");
    }
    if written > length {
        return Err("a batch is bad and later ones follow");
    }
    if !lacks_sector(&rest[..length], offset) {
        return Err("a batch is bad, though no sector of it is missing");
    }
    if is_whole_but_for_a_length_bit(rest) {
        return Err("the length of a batch is bad, though nothing of it is missing");
    }
    Ok(())
}

/// Whether a frame is whole once a bit of its length is put right: a wrong length may reach into the zeros behind the
/// frame, which look like missing sectors.
fn is_whole_but_for_a_length_bit(rest: &[u8]) -> bool {
    let mut head = [0; FRAME];
    head.copy_from_slice(&rest[..FRAME]);
    (0..32).any(|bit| {
        let mut head = head;
        head[bit / 8] ^= 1 << (bit % 8);
        let Some(read) = Head::read(&head) else { return false };
        rest.get(FRAME..FRAME + read.stored).is_some_and(|payload| Frame::is_whole(&head, payload))
    })
}

/// Bytes from an offset to the end of its sector.
const fn sector_left(offset: usize) -> usize {
    SECTOR - offset % SECTOR
}

/// Whether a sector's part of the frame is zero.
fn lacks_sector(frame: &[u8], offset: usize) -> bool {
    let (first, others) = frame.split_at(frame.len().min(sector_left(offset)));
    let is_zero = |part: &[u8]| part.iter().all(|&byte| byte == 0);
    is_zero(first) || others.chunks(SECTOR).any(is_zero)
}

/// Fails if a good frame with a later sequence stands anywhere behind a missing one.
fn no_later_frame(rest: &[u8], next: u64) -> Result<(), &'static str> {
    let later = next + 1..=next.saturating_add((rest.len() / FRAME) as u64);
    let mut searched = 0;
    for at in (ALIGN..rest.len().saturating_sub(FRAME)).step_by(ALIGN) {
        let Some(head) = Head::read(&rest[at..]).filter(|head| later.contains(&head.sequence)) else {
            continue;
        };
        if at + head.length() > rest.len() {
            continue;
        }
        searched += head.length();
        if searched > SEARCH_MAX {
            return Err("a batch is missing, and whether later ones follow takes too long to tell");
        }
        if Frame::read(&rest[at..]).is_some() {
            return Err("a batch is missing and later ones follow");
        }
    }
    Ok(())
}
