//! The directory that holds everything durable.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use coreto_log::DiskLog;
use coreto_log::disk::make_directory;
use coreto_partition::Limits;

/// A data directory; a temporary one is removed when it is dropped.
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// Held for as long as a temporary directory is in use.
    temporary: Option<File>,
}

/// How the names of temporary directories begin.
const PREFIX: &str = "coreto-dev-";

/// The file that says how many partitions the engine has.
const PARTITIONS: &str = "partitions";

/// How the names of the directories of the engine's partitions begin; the number follows.
const ENGINE: &str = "engine-";

/// The file in a temporary directory that its server has locked.
const LOCK: &str = "in-use";

impl DataDirectory {
    /// The directory at `path`, made when it is not there.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.exists() && !path.is_dir() {
            anyhow::bail!("the data directory `{}` is a file; name a directory", path.display());
        }
        if let Some(foreign) = foreign(path) {
            let path = path.display();
            anyhow::bail!(
                "the data directory `{path}` holds what no server wrote, such as `{foreign}`; name an empty one, or one that a server made"
            );
        }
        make_directory(path)
            .with_context(|| format!("cannot make the data directory `{}`", path.display()))?;
        Ok(Self { path: path.to_owned(), temporary: None })
    }

    /// A new directory below the system's place for temporary files, from which what killed servers left is removed.
    pub(crate) fn temporary() -> anyhow::Result<Self> {
        let place = std::env::temp_dir();
        sweep(&place);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = place.join(format!("{PREFIX}{}-{nanos}", std::process::id()));
        let cannot_make = || format!("cannot make the directory `{}`", path.display());
        fs::create_dir(&path).with_context(cannot_make)?;
        let lock = lock(&path).with_context(cannot_make)?;
        Ok(Self { path, temporary: Some(lock) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many partitions the engine has here: as many as when the directory was made, or `wanted` in a new one, whose log
    /// is to leave room for new work.
    pub(crate) fn partitions(
        &self,
        wanted: Option<u32>,
        log: &DiskLog,
        limits: &Limits,
    ) -> anyhow::Result<u32> {
        let found = self.partitions_found()?;
        match (found, wanted) {
            (Some(found), Some(wanted)) if found != wanted => anyhow::bail!(
                "the data directory `{}` has {found} partition(s), and {wanted} are configured; \
                 the number is fixed when the directory is made",
                self.path.display()
            ),
            (Some(found), _) => Ok(found),
            (None, wanted) => {
                let count = wanted.unwrap_or(1);
                self.check_room(count, log, limits)?;
                self.make_partitions(count).with_context(|| {
                    format!("cannot make the partitions in the data directory `{}`", self.path.display())
                })?;
                Ok(count)
            }
        }
    }

    /// How many partitions were made here; none in a directory that is new, or whose making was cut off.
    fn partitions_found(&self) -> anyhow::Result<Option<u32>> {
        let path = self.path.join(PARTITIONS);
        let last = self.last_used_partition();
        let found = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse::<u32>().ok().filter(|count| *count > 0).with_context(|| {
                format!("`{}` must hold the number of the engine's partitions", path.display())
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => match last {
                None => return Ok(None),
                // Directories that were made before the file was have one partition.
                Some(1) => 1,
                Some(last) => anyhow::bail!(
                    "`{}` is missing, and `{ENGINE}{last}` is there; the file must hold the number of the engine's partitions",
                    path.display()
                ),
            },
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        if let Some(last) = last.filter(|last| *last > found) {
            anyhow::bail!("`{}` says {found}, and `{ENGINE}{last}` is there", path.display());
        }
        if let Some(lost) = (1..=found).find(|number| !self.partition(*number).is_dir()) {
            anyhow::bail!(
                "`{}` is missing, which held a part of the data; put it back, or start with a new directory",
                self.partition(lost).display()
            );
        }
        Ok(Some(found))
    }

    /// A single partition may start on a full disk, and says so.
    fn check_room(&self, count: u32, log: &DiskLog, limits: &Limits) -> anyhow::Result<()> {
        let (free, taken) = (log.free_bytes()?, log.bytes_of_new(count));
        let left = limits.free_bytes_new_work;
        if count > 1 && free < taken.saturating_add(left) {
            anyhow::bail!(
                "{count} partitions take {taken} bytes of the disk at once, and {left} are to be left; `{}` has {free}: \
                 configure fewer, or free space",
                self.path.display()
            );
        }
        Ok(())
    }

    /// Makes the directories of new partitions, and then the file that says that all of them are there.
    fn make_partitions(&self, count: u32) -> io::Result<()> {
        (1..=count).try_for_each(|number| make_directory(&self.partition(number)))?;
        write_durably(&self.path, PARTITIONS, &format!("{count}\n"))
    }

    fn partition(&self, number: u32) -> PathBuf {
        self.path.join(format!("{ENGINE}{number}"))
    }

    /// The highest number of a partition whose directory holds anything.
    fn last_used_partition(&self) -> Option<u32> {
        let numbers = fs::read_dir(&self.path).ok()?.flatten().filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix(ENGINE)?.parse().ok()?;
            fs::read_dir(entry.path()).ok()?.next().map(|_| number)
        });
        numbers.max()
    }
}

/// Writes a small file whole or not at all.
fn write_durably(directory: &Path, name: &str, content: &str) -> io::Result<()> {
    let draft = directory.join(format!("{name}.new"));
    let mut file = File::create(&draft)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, directory.join(name))?;
    File::open(directory)?.sync_all()
}

/// Something in a directory in which no server has run yet; nothing in all others.
fn foreign(directory: &Path) -> Option<String> {
    // A server leaves its lock, the log of each partition is named by its group, and file systems have a folder of
    // their own.
    let is_ours = |name: &str| name == "lock" || name.starts_with(ENGINE);
    let entries = fs::read_dir(directory).ok()?.flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let used = names.iter().any(|name| is_ours(name));
    names.into_iter().find(|name| name != "lost+found").filter(|_| !used)
}

/// Marks a directory as one in use. The mark gets its name once it is locked, so that no sweep finds it open.
fn lock(directory: &Path) -> io::Result<File> {
    let unnamed = directory.join(format!("{LOCK}.new"));
    let file = File::create(&unnamed)?;
    file.lock()?;
    fs::rename(&unnamed, directory.join(LOCK))?;
    Ok(file)
}

/// Removes the temporary directories whose servers have ended without doing so.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if ours && let Ok(mark) = File::open(entry.path().join(LOCK)) {
            // What belongs to another user is left to that user.
            if mark.try_lock().is_ok() && fs::remove_dir_all(entry.path()).is_ok() {
                tracing::info!(path = %entry.path().display(), "removed what a killed server had left");
            }
        }
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        if self.temporary.is_some()
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the temporary directory could not be removed");
        }
    }
}
