//! The disk of the machine.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Disk, DiskFile, is_space};

/// The disk of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl DiskFile for File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match FileExt::read_at(self, &mut buffer[filled..], at + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            match FileExt::write_at(self, &bytes[written..], at + written as u64) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) if written > 0 && is_space(&error) => return Err(io::Error::other(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }
}

impl Disk for RealDisk {
    const THREADS: bool = true;

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Arc::new(file))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(directory) {
            Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        make_directory(path)?;
        // It may have been made just before a crash.
        sync_entry(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let status = rustix::fs::statvfs(path)?;
        Ok(status.f_bavail * status.f_frsize)
    }

    fn age(&self, path: &Path) -> io::Result<Duration> {
        let modified = fs::metadata(path)?.modified()?;
        Ok(modified.elapsed().unwrap_or_default())
    }
}

/// Makes a directory and those around it, so that a crash takes none of them away. One that is there is left alone.
///
/// # Errors
/// As the system reports them.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let missing = missing(path);
    fs::create_dir_all(path)?;
    missing.into_iter().try_for_each(sync_entry)
}

/// The directories that are to be made, the innermost first.
fn missing(path: &Path) -> Vec<&Path> {
    path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect()
}

/// Makes a name in the directory around it durable.
fn sync_entry(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => RealDisk.sync_directory(Path::new(".")),
        Some(parent) => RealDisk.sync_directory(parent),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syncs_all_directories_that_it_makes() {
        let root = std::env::temp_dir().join(format!("coreto-made-{}", std::process::id()));
        let path = root.join("a/b");
        assert_eq!(missing(&path), [path.as_path(), &root.join("a"), &root]);
        make_directory(&path).unwrap();
        assert!(path.is_dir());
        assert!(missing(&path).is_empty());
        assert_eq!(missing(&path.join("c")), [path.join("c")]);
        assert_eq!(missing(Path::new("no-such-directory/a")).len(), 2);
        fs::remove_dir_all(&root).unwrap();
    }
}
