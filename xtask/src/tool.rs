//! Python, Node, Java and Rust: whether they are here, and what is set up with them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::{self, End};

/// How long an installation from a package registry may take.
const INSTALL: Duration = Duration::from_mins(5);

/// Whether a program answers to `--version`.
pub(crate) fn is_here(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Makes a virtual environment that holds what a requirements file names, once per content of that file, and names
/// its interpreter.
pub(crate) fn python(folder: &Path, requirements: &Path) -> anyhow::Result<PathBuf> {
    let interpreter = folder.join("bin").join("python");
    once(folder, requirements, || {
        install(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        install(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements))
    })?;
    Ok(interpreter)
}

/// Copies a package file with its lock to a folder and installs what they name, once per content of the lock.
pub(crate) fn node(folder: &Path, package: &Path, lock: &Path) -> anyhow::Result<()> {
    once(folder, lock, || {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        for (from, name) in [(package, "package.json"), (lock, "package-lock.json")] {
            std::fs::copy(from, folder.join(name))
                .with_context(|| format!("cannot copy `{}`", from.display()))?;
        }
        let flags = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"];
        install(Command::new("npm").args(flags).current_dir(folder))
    })
}

/// Brings what a Maven project depends on to a folder, once per content of its file, and names the class path.
pub(crate) fn java(folder: &Path, project: &Path) -> anyhow::Result<PathBuf> {
    let libraries = folder.join("lib");
    once(folder, project, || {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        // Other versions of an earlier time would be found, too.
        if libraries.exists() {
            std::fs::remove_dir_all(&libraries)
                .with_context(|| format!("cannot remove `{}`", libraries.display()))?;
        }
        let flags = ["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DincludeScope=runtime"];
        let target = format!("-DoutputDirectory={}", libraries.display());
        install(Command::new("mvn").arg("--file").arg(project).args(flags).arg(target))
    })?;
    Ok(libraries.join("*"))
}

/// Builds a project that is no part of the workspace, as its lock file says, and names its program. Cargo itself knows
/// what is built already.
pub(crate) fn rust(folder: &Path, project: &Path, program: &str) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--locked", "--target-dir"]).arg(folder).current_dir(project);
    install(&mut build)?;
    Ok(folder.join("debug").join(program))
}

/// Does the work unless a mark says that it was done with the same file.
fn once(folder: &Path, source: &Path, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let content = std::fs::read(source).with_context(|| format!("cannot read `{}`", source.display()))?;
    let mark = folder.join("set-up-with");
    if std::fs::read(&mark).is_ok_and(|found| found == content) {
        return Ok(());
    }
    work()?;
    std::fs::write(&mark, content).with_context(|| format!("cannot write `{}`", mark.display()))
}

fn install(command: &mut Command) -> anyhow::Result<()> {
    let line = format!("{command:?}");
    match process::run(command.stdin(Stdio::null()), INSTALL)? {
        End::Exited(status) if status.success() => Ok(()),
        End::Exited(status) => bail!("{line} failed: {status}"),
        End::OutOfTime => bail!("{line} took more than {} s", INSTALL.as_secs()),
    }
}
