//! What the suites share.

#![allow(dead_code, clippy::pedantic, clippy::unwrap_used, reason = "each suite uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use coreto_log::disk::{Disk, SimDisk};
use coreto_log::{Batch, DiskLog, Error, LogReader, PartitionLog, PartitionName};

pub(crate) fn partition() -> PartitionName {
    PartitionName { group: Arc::from("engine"), number: 1 }
}

/// A directory that is removed at the end.
pub(crate) struct TempDirectory(PathBuf);

impl TempDirectory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = std::env::current_exe().unwrap();
        let name = name.file_name().unwrap().to_string_lossy().into_owned();
        let path = std::env::temp_dir().join(format!("{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDirectory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

pub(crate) fn read_all<D: Disk>(log: &DiskLog<D>, from: u64) -> Result<Vec<Batch>, Error> {
    let mut reader = log.read(&partition(), from)?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.next()? {
        batches.push(batch);
    }
    Ok(batches)
}

pub(crate) fn segments<D: Disk>(disk: &D, root: &Path) -> Vec<PathBuf> {
    let mut paths = disk.list(&root.join("engine-1")).unwrap();
    paths.retain(|path| path.extension().is_some_and(|suffix| suffix == "log"));
    paths.sort();
    paths
}

/// Small segments, so that a few batches fill several.
pub(crate) const SEGMENT: u64 = 16 << 10;

pub(crate) fn open_small<D: Disk>(disk: &D, root: &Path) -> DiskLog<D> {
    DiskLog::on(disk.clone(), root).with_segment_sizes(SEGMENT, 4 * SEGMENT)
}

pub(crate) fn root() -> &'static Path {
    Path::new("data")
}

/// A file's bytes without the zeros at its end.
pub(crate) fn written(disk: &SimDisk, path: &Path) -> usize {
    disk.bytes(path).unwrap().iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}

/// `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// Bytes that do not compress.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.bits() as u8).collect()
    }
}
