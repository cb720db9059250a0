//! Models with what they import.

use std::path::Path;

use anyhow::{Context, bail};
use coreto_dmn::{Model, Options};
use coreto_feel::Dialect;

/// Reads a model of a folder; others of the folder may be imported by it and by each other.
pub(super) fn read(folder: &Path, name: &str) -> anyhow::Result<Model> {
    let mut waiting = Vec::new();
    for path in super::files(folder, "dmn")? {
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        waiting.push((path, bytes));
    }
    let mut models: Vec<Model> = Vec::new();
    // Bound: each round reads one model at least, or is the last.
    loop {
        let before = waiting.len();
        let mut left = Vec::new();
        let mut refused = String::new();
        for (path, bytes) in waiting {
            let options =
                Options { dialect: Dialect::Standard, lenient: true, imports: &models, ..Options::default() };
            match Model::read(&bytes, &options) {
                (Some(model), _) if path.file_name().is_some_and(|file| file == name) => return Ok(model),
                (Some(model), _) => models.push(model),
                (None, diagnostics) => {
                    if path.file_name().is_some_and(|file| file == name) {
                        refused = diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                    }
                    left.push((path, bytes));
                }
            }
        }
        if left.len() == before {
            bail!("cannot read `{name}` in `{}`: {refused}", folder.display());
        }
        waiting = left;
    }
}
