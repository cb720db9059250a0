//! Looking at Rust source as lines; the formatter makes that reliable.

use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

/// The Rust files below a folder that are not tests, relative to the root.
pub(super) fn rust_files(workspace: &Workspace, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = workspace.files()?;
    Ok(files
        .into_iter()
        .filter(|file| workspace.root.join(file).starts_with(folder))
        .filter(|file| file.extension().is_some_and(|suffix| suffix == "rs"))
        .filter(|file| !is_test(file))
        .collect())
}

/// Whether a file holds tests alone, by its place.
fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests")
        || file.file_stem().is_some_and(|stem| stem == "tests")
}

/// The text up to the module of unit tests, which comes last in a file.
pub(super) fn without_tests(text: &str) -> &str {
    let end = text.match_indices("#[cfg(test)]\n").map(|(at, _)| at).find(|&at| {
        let next = text[at..].lines().nth(1).unwrap_or_default();
        next.starts_with("mod ") && next.ends_with('{')
    });
    &text[..end.unwrap_or(text.len())]
}

/// Whether code has a name as a word of its own.
pub(super) fn names(code: &str, name: &str) -> bool {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    code.match_indices(name).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(is_word)
            && !code[at + name.len()..].chars().next().is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_the_module_of_tests_out() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nuse b;\n"), "a\n#[cfg(test)]\nuse b;\n");
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n}\n"), "a\n");
    }

    #[test]
    fn finds_whole_names() {
        assert!(names("use std::time::Instant;", "Instant"));
        assert!(!names("InstantTimer", "Instant"));
        assert!(!names("ProcessInstant", "Instant"));
    }
}
