//! Models with what they import.

use std::path::Path;

use anyhow::{Context, bail};
use coreto_dmn::{Model, Options, read_all};
use coreto_feel::Dialect;

/// Reads a model of a folder; others of the folder may be imported by it and by each other.
pub(super) fn read(folder: &Path, name: &str) -> anyhow::Result<Model> {
    let paths = super::files(folder, "dmn")?;
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let resources = paths.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let resources: Vec<&[u8]> = resources.iter().map(Vec::as_slice).collect();
    let options = Options { dialect: Dialect::Standard, lenient: true, ..Options::default() };
    let results = read_all(&resources, &options);
    let wanted =
        paths.iter().zip(results).find(|(path, _)| path.file_name().is_some_and(|file| file == name));
    match wanted {
        Some((_, (Some(model), _))) => Ok(model),
        Some((path, (None, diagnostics))) => {
            let why: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
            bail!("cannot read `{}`: {}", path.display(), why.join("\n"))
        }
        None => bail!("no model `{name}` in `{}`", folder.display()),
    }
}
