//! DMN files with those that they import.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use coreto_cli::CliError;
use coreto_dmn::{Code, Diagnostic, Model, Options, read_all};
use coreto_feel::Dialect;

use crate::command::check::{content, has_suffix};

/// A model that is sound, and what was found in its file.
pub(crate) type Read = (Option<Model>, Vec<Diagnostic>);

/// Most files beside a given one that are looked at for what it imports.
const NEIGHBOURS_MAX: usize = 1_000;

/// Reads files that may import each other, and others that stand beside them: those are looked at when an import is
/// missing. The results are those of the given files, in their order.
pub(crate) fn read(files: &[PathBuf], dialect: Dialect) -> Result<Vec<Read>, CliError> {
    let mut contents = Vec::new();
    for file in files {
        contents.push(content(file)?);
    }
    let options = Options { dialect, ..Options::default() };
    let read = |contents: &[Vec<u8>]| {
        let resources: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        read_all(&resources, &options)
    };
    let mut results = read(&contents);
    let misses = |found: &[Diagnostic]| found.iter().any(|diagnostic| diagnostic.code == Code::UnknownImport);
    let places: BTreeSet<&Path> = files
        .iter()
        .zip(&results)
        .filter(|(_, (_, diagnostics))| misses(diagnostics))
        .filter_map(|(file, _)| file.parent())
        .collect();
    if !places.is_empty() {
        contents.extend(neighbours(&places, files));
        results = read(&contents);
        results.truncate(files.len());
    }
    for (content, (_, diagnostics)) in contents.iter().zip(&mut results) {
        for diagnostic in diagnostics {
            point_to_processes(content, diagnostic);
        }
    }
    Ok(results)
}

/// Of a BPMN model, says what reads it.
fn point_to_processes(content: &[u8], diagnostic: &mut Diagnostic) {
    const BPMN: &[u8] = b"http://www.omg.org/spec/BPMN/20100524/MODEL";
    if diagnostic.code == Code::NotDmn && content.windows(BPMN.len()).any(|part| part == BPMN) {
        diagnostic.help = Some("this is a BPMN model: `coreto check` checks those".to_owned());
    }
}

/// The contents of the other DMN files in some folders; what cannot be read is no neighbour.
fn neighbours(places: &BTreeSet<&Path>, given: &[PathBuf]) -> Vec<Vec<u8>> {
    let given: BTreeSet<PathBuf> = given.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let folder = |place: &Path| if place.as_os_str().is_empty() { PathBuf::from(".") } else { place.into() };
    let entries = places.iter().filter_map(|place| std::fs::read_dir(folder(place)).ok()).flatten().flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| {
        has_suffix(path, &["dmn"]) && path.canonicalize().is_ok_and(|path| !given.contains(&path))
    });
    let mut paths: Vec<PathBuf> = paths.take(NEIGHBOURS_MAX).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}
