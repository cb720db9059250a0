//! A file system of a few megabytes, in a mount namespace of its own that ends with the test.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Directory, Settings};

pub(crate) struct SmallDisk {
    /// Keeps the namespace until its standard input ends.
    holder: Child,
    /// Where the file system is, as a process of the namespace sees it.
    inside: PathBuf,
    directory: Directory,
    /// What a process takes to come in.
    enter: &'static [&'static str],
}

impl SmallDisk {
    /// A disk of so many bytes; none where this user may not mount.
    pub(crate) fn new(bytes: u64) -> Option<Self> {
        // As it is for root, and for others where the system allows namespaces of users.
        [(&["-m"][..], &["-m"][..]), (&["-r", "-m"], &["-U", "-m", "--preserve-credentials"])]
            .into_iter()
            .find_map(|(make, enter)| Self::make(bytes, make, enter))
    }

    fn make(bytes: u64, make: &[&str], enter: &'static [&'static str]) -> Option<Self> {
        let directory = Directory::new();
        let inside = directory.join("disk");
        fs::create_dir(&inside).unwrap();
        let script = r#"mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && exec cat"#;
        let mut holder = Command::new("unshare")
            .args(make)
            .args(["sh", "-c", script, "sh", &bytes.to_string()])
            .arg(&inside)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        let read = BufReader::new(holder.stdout.take()?).read_line(&mut line);
        let disk = Self { holder, inside, directory, enter };
        (read.is_ok() && line == "mounted\n").then_some(disk)
    }

    /// A server whose data is on this disk, and its log elsewhere.
    pub(crate) fn settings(&self) -> Settings {
        let pid = self.holder.id().to_string();
        let enter = ["nsenter", "-t", &pid].into_iter().chain(self.enter.iter().copied()).chain(["--"]);
        Settings::new(&self.directory).data(&self.inside.join("data")).run_by(enter.map(str::to_owned))
    }

    /// A path of the disk as this process sees it.
    fn outside(&self, name: &str) -> PathBuf {
        let inside = self.inside.strip_prefix("/").unwrap();
        Path::new("/proc").join(self.holder.id().to_string()).join("root").join(inside).join(name)
    }

    /// Fills the disk until so many bytes are free, or frees them.
    pub(crate) fn leave_free(&self, bytes: u64) {
        const CHUNK: u64 = 64 << 10;
        let path = self.outside("ballast");
        let mut ballast = File::options().create(true).append(true).open(&path).unwrap();
        let size = ballast.metadata().unwrap().len();
        let free = self.free();
        if free < bytes {
            return ballast.set_len(size.saturating_sub(bytes - free)).unwrap();
        }
        let mut left = free - bytes;
        while left > 0 {
            let chunk = left.min(CHUNK);
            match ballast.write(&vec![1; usize::try_from(chunk).unwrap()]) {
                Ok(written) => left -= written as u64,
                // Somebody else has taken the rest.
                Err(_) => return,
            }
        }
    }

    /// Bytes that are free.
    pub(crate) fn free(&self) -> u64 {
        let status = rustix::fs::statvfs(self.outside(".")).unwrap();
        status.f_bavail * status.f_frsize
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
