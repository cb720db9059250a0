//! `exceptions`: packages that may be there in two versions, each with a reason and an end.

use anyhow::bail;

const FILE: &str = include_str!("exceptions.txt");

/// A package that may be doubled for now.
pub(super) struct Exception {
    pub(super) package: &'static str,
    pub(super) versions: Vec<&'static str>,
}

/// Reads the lines `package | version, version | reason | ends when`; `#` begins a comment.
pub(super) fn read() -> anyhow::Result<Vec<Exception>> {
    let mut exceptions = Vec::new();
    for (number, line) in FILE.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [package, versions, reason, end] = fields.as_slice() else {
            bail!(
                "`xtask/src/tidy/exceptions.txt` line {}: expected `package | versions | reason | ends when`",
                number + 1
            );
        };
        if reason.is_empty() || end.is_empty() {
            bail!("`xtask/src/tidy/exceptions.txt` line {}: a reason and an end are wanted", number + 1);
        }
        exceptions.push(Exception { package, versions: versions.split(',').map(str::trim).collect() });
    }
    Ok(exceptions)
}
