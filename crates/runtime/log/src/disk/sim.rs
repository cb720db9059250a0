//! A disk in memory that loses what was not synced, and fails on demand. The same seed does the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Disk, DiskFile};

/// What a disk writes at once.
const SECTOR: usize = 512;

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    shared: Arc<Mutex<State>>,
}

struct State {
    chance: u64,
    /// Raised by each crash; files opened before are dead.
    boot: u64,
    files: Vec<Inode>,
    /// Names as programs see them.
    names: BTreeMap<PathBuf, usize>,
    /// Names as a crash leaves them, by directory entries that were synced.
    durable_names: BTreeMap<PathBuf, usize>,
    capacity: u64,
    failing_writes: u32,
    failing_syncs: u32,
    /// How many changes the power lasts for, if it is to go.
    power: Option<u64>,
    /// How many syncs stall, and how long each.
    stalling_syncs: (u32, Duration),
    stalled: Duration,
    now: Duration,
}

#[derive(Default)]
struct Inode {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors written since the last sync.
    dirty: BTreeSet<usize>,
    written: Duration,
}

struct SimFile {
    shared: Arc<Mutex<State>>,
    inode: usize,
    boot: u64,
}

impl SimDisk {
    /// An empty disk whose accidents follow from `seed`.
    pub fn new(seed: u64) -> Self {
        let state = State {
            chance: seed,
            boot: 0,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            capacity: u64::MAX,
            failing_writes: 0,
            failing_syncs: 0,
            power: None,
            stalling_syncs: (0, Duration::ZERO),
            stalled: Duration::ZERO,
            now: Duration::ZERO,
        };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Cuts the power: of what was not synced, each sector and each name survives or not, by chance.
    pub fn crash(&self) {
        let mut state = self.lock();
        state.boot += 1;
        state.failing_writes = 0;
        state.failing_syncs = 0;
        state.power = None;
        state.lose_names();
        state.free_nameless();
        for index in 0..state.files.len() {
            let dirty: Vec<usize> = std::mem::take(&mut state.files[index].dirty).into_iter().collect();
            for sector in dirty {
                if state.bits().is_multiple_of(2) {
                    state.files[index].keep(sector);
                }
            }
            let inode = &mut state.files[index];
            inode.bytes = inode.durable.clone();
        }
    }

    /// Limits the disk to so many bytes of files.
    pub fn set_capacity(&self, bytes: u64) {
        self.lock().capacity = bytes;
    }

    /// Lets the next writes fail, after a part of each was written.
    pub fn fail_writes(&self, count: u32) {
        self.lock().failing_writes = count;
    }

    /// Lets the next syncs fail.
    pub fn fail_syncs(&self, count: u32) {
        self.lock().failing_syncs = count;
    }

    /// Lets the power go after so many more changes: the next one is done in part, and nothing works then until
    /// [`SimDisk::crash`] tells what is left.
    pub fn cut_power_after(&self, changes: u64) {
        self.lock().power = Some(changes);
    }

    /// Lets the next syncs take long. Nobody waits; [`SimDisk::stalled`] counts.
    pub fn stall_syncs(&self, count: u32, time: Duration) {
        self.lock().stalling_syncs = (count, time);
    }

    /// How long syncs have stalled in all.
    pub fn stalled(&self) -> Duration {
        self.lock().stalled
    }

    /// Lets time pass, by which files grow older.
    pub fn advance(&self, time: Duration) {
        self.lock().now += time;
    }

    /// Flips one bit of a file, durably. Says whether there is such a byte.
    pub fn flip_bit(&self, path: &Path, at: u64, bit: u8) -> bool {
        let mut state = self.lock();
        let Some(&inode) = state.names.get(path) else { return false };
        let inode = &mut state.files[inode];
        let Some(at) = usize::try_from(at).ok().filter(|at| *at < inode.bytes.len()) else { return false };
        inode.bytes[at] ^= 1 << (bit % 8);
        if inode.durable.len() > at {
            inode.durable[at] ^= 1 << (bit % 8);
        }
        true
    }

    /// Cuts a file to a length, durably.
    pub fn cut(&self, path: &Path, length: u64) {
        let mut state = self.lock();
        if let Some(&inode) = state.names.get(path) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            state.files[inode].bytes.truncate(length);
            state.files[inode].durable.truncate(length);
        }
    }

    /// A file's bytes.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.lock();
        state.names.get(path).map(|&inode| state.files[inode].bytes.clone())
    }

    /// All files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.lock().names.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, state: &State, inode: usize) -> Arc<dyn DiskFile> {
        Arc::new(SimFile { shared: Arc::clone(&self.shared), inode, boot: state.boot })
    }
}

impl State {
    /// `SplitMix64`.
    const fn bits(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.chance;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Each name that differs from its durable state goes the one way or the other.
    fn lose_names(&mut self) {
        let paths: BTreeSet<PathBuf> = self.names.keys().chain(self.durable_names.keys()).cloned().collect();
        for path in paths {
            let (now, durable) = (self.names.get(&path).copied(), self.durable_names.get(&path).copied());
            if now == durable {
                continue;
            }
            let kept = if self.bits().is_multiple_of(2) { now } else { durable };
            for names in [&mut self.names, &mut self.durable_names] {
                match kept {
                    Some(inode) => drop(names.insert(path.clone(), inode)),
                    None => drop(names.remove(&path)),
                }
            }
        }
    }

    /// Gives back the memory of files that no name leads to any more.
    fn free_nameless(&mut self) {
        let named: BTreeSet<usize> =
            self.names.values().chain(self.durable_names.values()).copied().collect();
        for (index, inode) in self.files.iter_mut().enumerate() {
            if !named.contains(&index) {
                *inode = Inode::default();
            }
        }
    }

    /// Counts a change. The last one before the power goes is done in part.
    fn change(&mut self) -> io::Result<Change> {
        match &mut self.power {
            None => Ok(Change::Whole),
            Some(0) => Err(dead()),
            Some(left) => {
                *left -= 1;
                Ok(if *left == 0 { Change::Part } else { Change::Whole })
            }
        }
    }

    fn used(&self) -> u64 {
        self.names.values().map(|&inode| self.files[inode].bytes.len() as u64).sum()
    }
}

/// How much of a change is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Whole,
    Part,
}

fn dead() -> io::Error {
    io::Error::other("the power is gone")
}

impl Inode {
    /// Makes one sector durable.
    fn keep(&mut self, sector: usize) {
        let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.bytes.len());
        if self.durable.len() < range.end {
            self.durable.resize(range.end, 0);
        }
        self.durable[range.clone()].copy_from_slice(&self.bytes[range]);
    }
}

impl SimFile {
    fn lock(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if state.boot == self.boot { Ok(state) } else { Err(io::Error::other("the machine has crashed")) }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let state = self.lock()?;
        let bytes = &state.files[self.inode].bytes;
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let end = (start + buffer.len()).min(bytes.len());
        buffer[..end - start].copy_from_slice(&bytes[start..end]);
        Ok(end - start)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.lock()?;
        let start = usize::try_from(at).map_err(io::Error::other)?;
        let end = start + bytes.len();
        if bytes.is_empty() {
            return Ok(());
        }
        let change = state.change()?;
        let grown = end.saturating_sub(state.files[self.inode].bytes.len()) as u64;
        if grown > 0 && state.used() + grown > state.capacity {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let failing = state.failing_writes > 0 || change == Change::Part;
        let now = state.now;
        let written = if failing {
            state.failing_writes = state.failing_writes.saturating_sub(1);
            // Whole sectors, as a disk has no smaller unit.
            let sectors = (end - 1) / SECTOR - start / SECTOR;
            let part = state.bits() % (sectors as u64 + 2);
            let cut = (start / SECTOR + usize::try_from(part).unwrap_or(0)) * SECTOR;
            cut.clamp(start, end) - start
        } else {
            bytes.len()
        };
        let inode = &mut state.files[self.inode];
        if inode.bytes.len() < end {
            inode.bytes.resize(end, 0);
        }
        inode.bytes[start..start + written].copy_from_slice(&bytes[..written]);
        inode.written = now;
        inode.dirty.extend(start / SECTOR..=(end.max(1) - 1) / SECTOR);
        if failing { Err(io::Error::other("the simulated disk fails")) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.lock()?;
        if state.stalling_syncs.0 > 0 {
            state.stalling_syncs.0 -= 1;
            let time = state.stalling_syncs.1;
            state.stalled += time;
        }
        if state.change()? == Change::Part {
            return Err(dead());
        }
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            return Err(io::Error::other("the simulated disk does not confirm"));
        }
        let inode = &mut state.files[self.inode];
        for sector in std::mem::take(&mut inode.dirty) {
            inode.keep(sector);
        }
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.lock()?.files[self.inode].bytes.len() as u64)
    }
}

impl Disk for SimDisk {
    const THREADS: bool = false;

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.lock();
        if state.power == Some(0) {
            return Err(dead());
        }
        let inode = *state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.file(&state, inode))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        state.change()?;
        let inode = state.files.len();
        state.files.push(Inode::default());
        state.names.insert(path.to_owned(), inode);
        Ok(self.file(&state, inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        state.names.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.lock();
        Ok(state.names.keys().filter(|path| path.parent() == Some(directory)).cloned().collect())
    }

    fn create_directory(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        if state.change()? == Change::Part {
            return Err(dead());
        }
        state.durable_names.retain(|name, _| name.parent() != Some(path));
        let names: Vec<_> = state
            .names
            .iter()
            .filter(|(name, _)| name.parent() == Some(path))
            .map(|(name, &inode)| (name.clone(), inode))
            .collect();
        state.durable_names.extend(names);
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        let state = self.lock();
        Ok(state.capacity.saturating_sub(state.used()))
    }

    fn age(&self, path: &Path) -> io::Result<Duration> {
        let state = self.lock();
        let inode = *state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(state.now.saturating_sub(state.files[inode].written))
    }
}
