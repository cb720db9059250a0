//! Removing what nobody needs any more.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::cursor::{self, Stand};
use crate::disk::Disk;
use crate::error::Error;
use crate::file::failed;
use crate::log::PartitionName;
use crate::segment;
use crate::snapshot;

/// How long a reader may hold the log back.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Bytes of log behind a cursor.
    pub bytes: u64,
    /// Time since a cursor was last moved.
    pub age: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { bytes: 10 << 30, age: Duration::from_hours(24) }
    }
}

/// Snapshots that are kept.
const SNAPSHOTS_KEPT: usize = 2;

/// Removes segments and snapshots that nobody needs. Returns the first sequence that is kept.
///
/// `verified` are the snapshots that were found whole before; reading them all each time would cost as much as writing.
pub(crate) fn trim<D: Disk>(
    disk: &D,
    directory: &Path,
    partition: &PartitionName,
    retention: Retention,
    verified: &mut BTreeSet<u64>,
) -> Result<u64, Error> {
    let firsts = segment::list(disk, directory)?;
    let Some(&first) = firsts.first() else { return Ok(1) };
    let snapshots = snapshot::list(disk, directory)?;
    let mut whole = snapshots.iter().map(|snapshot| snapshot.sequence).filter(|&sequence| {
        verified.contains(&sequence) || {
            let path = snapshot::path(directory, sequence);
            let file = disk.open(&path);
            let is_whole =
                file.is_ok_and(|file| snapshot::verify(file.as_ref(), &path, partition, sequence).is_ok());
            is_whole && verified.insert(sequence)
        }
    });
    let Some(oldest_kept) = whole.nth(SNAPSHOTS_KEPT - 1) else { return Ok(first) };
    let mut needed = oldest_kept + 1;
    for Stand { path, sequence } in cursor::stands(disk, directory)? {
        // Nobody knows what a damaged one needs.
        let sequence = sequence.unwrap_or(0);
        if sequence + 1 < needed && holds(disk, directory, &firsts, (&path, sequence), retention)? {
            needed = sequence + 1;
        }
    }
    // A segment may go when the next one begins at or before what is needed; the last one always stays.
    let gone = firsts.windows(2).take_while(|pair| pair[1] <= needed).count();
    for &first in &firsts[..gone] {
        let path = segment::path(directory, first);
        disk.remove(&path).map_err(failed("remove", &path))?;
        // One by one, so that no crash brings a segment back while a later one is gone.
        disk.sync_directory(directory).map_err(failed("sync", directory))?;
    }
    for old in snapshots.iter().filter(|old| old.sequence < oldest_kept) {
        disk.remove(&old.path).map_err(failed("remove", &old.path))?;
        verified.remove(&old.sequence);
    }
    disk.sync_directory(directory).map_err(failed("sync", directory))?;
    Ok(firsts[gone])
}

/// Whether a cursor that is behind still holds the log back.
fn holds<D: Disk>(
    disk: &D,
    directory: &Path,
    firsts: &[u64],
    (path, sequence): (&Path, u64),
    retention: Retention,
) -> Result<bool, Error> {
    if disk.age(path).map_err(failed("read", path))? > retention.age {
        return Ok(false);
    }
    Ok(segment::bytes_after(disk, directory, firsts, sequence)? <= retention.bytes)
}
