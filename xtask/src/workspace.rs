//! What cargo knows of the workspace: packages, their dependencies, and where things are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

/// All packages, ours and others', that a build may compile.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// Where it comes from; none for packages of this repository.
    pub(crate) source: Option<String>,
    /// The folder of its manifest.
    pub(crate) folder: PathBuf,
    /// Whether it is a member of this workspace.
    pub(crate) ours: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only tests, benches and examples use it.
    pub(crate) dev: bool,
}

impl Workspace {
    /// Asks cargo; builds and downloads nothing but the index entries that the lock file names.
    pub(crate) fn read() -> anyhow::Result<Workspace> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
            .output()
            .context("cannot run `cargo metadata`")?;
        if !output.status.success() {
            bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: Value =
            serde_json::from_slice(&output.stdout).context("`cargo metadata` printed no JSON")?;
        let members: HashSet<&str> = list(&metadata["workspace_members"]).filter_map(Value::as_str).collect();
        let packages = list(&metadata["packages"])
            .map(|package| Package::read(package, &members))
            .collect::<Result<_, _>>()?;
        Ok(Workspace {
            root: PathBuf::from(text(&metadata, "workspace_root")?),
            target: PathBuf::from(text(&metadata, "target_directory")?),
            packages,
        })
    }

    /// The packages of this repository.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.ours)
    }

    /// Where built programs are.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// A folder for what suites make, inside the target directory.
    pub(crate) fn scratch(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.target.join("xtask").join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        Ok(folder)
    }

    /// All files that git knows or would know, below the root, as relative paths.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .context("cannot run `git ls-files`")?;
        if !output.status.success() {
            bail!("`git ls-files` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let mut files: Vec<PathBuf> = String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .filter(|path| self.root.join(path).is_file())
            .collect();
        files.sort();
        Ok(files)
    }
}

impl Package {
    fn read(package: &Value, members: &HashSet<&str>) -> anyhow::Result<Package> {
        let manifest = PathBuf::from(text(package, "manifest_path")?);
        let dependencies = list(&package["dependencies"])
            .map(|dependency| {
                Ok(Dependency {
                    name: text(dependency, "name")?.to_owned(),
                    dev: dependency["kind"] == "dev",
                })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Package {
            name: text(package, "name")?.to_owned(),
            version: text(package, "version")?.to_owned(),
            licence: package["license"].as_str().map(str::to_owned),
            source: package["source"].as_str().map(str::to_owned),
            folder: manifest.parent().context("a manifest without a folder")?.to_owned(),
            ours: members.contains(text(package, "id")?),
            dependencies,
        })
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    value[field].as_str().with_context(|| format!("`cargo metadata` has no `{field}` where one is expected"))
}

#[cfg(test)]
impl Workspace {
    /// One of made-up packages: name, whether it is ours, and what it uses.
    pub(crate) fn of(packages: &[(&str, bool, &[&str])]) -> Workspace {
        let package = |(name, ours, uses): &(&str, bool, &[&str])| Package {
            name: (*name).to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some("MIT".to_owned()),
            source: None,
            folder: PathBuf::from(name),
            ours: *ours,
            dependencies: uses
                .iter()
                .map(|name| Dependency { name: (*name).to_owned(), dev: false })
                .collect(),
        };
        Workspace {
            root: PathBuf::new(),
            target: PathBuf::new(),
            packages: packages.iter().map(package).collect(),
        }
    }
}
