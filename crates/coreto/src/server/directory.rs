//! The directory that holds everything durable.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use coreto_log::disk::make_directory;

/// A data directory; a temporary one is removed when it is dropped.
pub(crate) struct DataDirectory {
    path: PathBuf,
    temporary: bool,
}

impl DataDirectory {
    /// The directory at `path`, made when it is not there.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        make_directory(path)
            .with_context(|| format!("cannot make the data directory `{}`", path.display()))?;
        Ok(Self { path: path.to_owned(), temporary: false })
    }

    /// A new directory below the system's place for temporary files.
    pub(crate) fn temporary() -> anyhow::Result<Self> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = std::env::temp_dir().join(format!("coreto-dev-{}-{nanos}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make the directory `{}`", path.display()))?;
        Ok(Self { path, temporary: true })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the temporary directory could not be removed");
        }
    }
}
