//! Finding the end of the log in its last segments.

use std::path::Path;

use super::{ALIGN, Frame, HEADER, Hash, Head};
use crate::disk::DiskFile;
use crate::error::Error;
use crate::file::failed;

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
    /// The end of the last byte behind the good frames that is not zero; none when all are.
    pub(crate) dirt: Option<u64>,
}

/// Walks over the frames of a segment whose header was checked.
///
/// `previous` is the hash that the first frame must name, if it is known.
pub(crate) fn scan(
    file: &dyn DiskFile,
    path: &Path,
    first: u64,
    previous: Option<Hash>,
    epoch: u64,
) -> Result<End, Error> {
    let length = file.size().map_err(failed("read", path))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let read = file.read_at(&mut bytes, 0).map_err(failed("read", path))?;
    bytes.truncate(read);
    let mut end = End { offset: HEADER as u64, next: first, epoch, hash: previous, dirt: None };
    let mut at = HEADER;
    while let Some(frame) = bytes.get(at..).and_then(Frame::read) {
        let Head { sequence, epoch, previous, .. } = frame.head;
        let chained = end.hash.is_none_or(|hash| hash == previous);
        if sequence != end.next || epoch < end.epoch || !chained {
            let what = "a frame is not where it was written";
            return Err(Error::Corrupt {
                path: path.to_owned(),
                offset: at as u64,
                what,
                whole_until: end.next - 1,
            });
        }
        at += frame.length;
        end = End { offset: at as u64, next: sequence + 1, epoch, hash: Some(frame.hash), dirt: None };
    }
    let rest = bytes.get(at..).unwrap_or(&[]);
    end.dirt = rest.iter().rposition(|&byte| byte != 0).map(|last| (at + last + 1) as u64);
    if end.dirt.is_some() && has_later_frame(rest, end.next) {
        let what = "a frame is bad and good ones follow";
        return Err(Error::Corrupt {
            path: path.to_owned(),
            offset: at as u64,
            what,
            whole_until: end.next - 1,
        });
    }
    Ok(end)
}

/// Whether a good frame with a later sequence stands anywhere behind a bad one.
fn has_later_frame(rest: &[u8], expected: u64) -> bool {
    (0..rest.len().saturating_sub(super::FRAME)).step_by(ALIGN).any(|at| {
        let plausible = Head::read(&rest[at..]).is_some_and(|head| head.sequence > expected);
        plausible && Frame::read(&rest[at..]).is_some()
    })
}
