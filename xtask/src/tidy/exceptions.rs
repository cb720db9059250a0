//! `exceptions.txt`: packages that may be there in more than one version, each with a reason and an end.

use anyhow::bail;

const FILE: &str = include_str!("exceptions.txt");

/// A package that may be doubled for now.
pub(super) struct Exception {
    pub(super) package: &'static str,
    series: Vec<&'static str>,
}

impl Exception {
    #[cfg(test)]
    pub(super) fn of(package: &'static str, series: &[&'static str]) -> Exception {
        Exception { package, series: series.to_vec() }
    }

    /// Whether a version is of one of the series: `0.14` has `0.14.5`.
    pub(super) fn covers(&self, version: &str) -> bool {
        self.series.iter().any(|series| {
            version.strip_prefix(series).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// Reads the lines `package | series, series | reason | ends when`; `#` begins a comment.
pub(super) fn read() -> anyhow::Result<Vec<Exception>> {
    let mut exceptions = Vec::new();
    for (number, line) in FILE.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [package, series, reason, end] = fields.as_slice() else {
            bail!(
                "`xtask/src/tidy/exceptions.txt` line {}: expected `package | series | reason | ends when`",
                number + 1
            );
        };
        if reason.is_empty() || end.is_empty() {
            bail!("`xtask/src/tidy/exceptions.txt` line {}: a reason and an end are wanted", number + 1);
        }
        exceptions.push(Exception { package, series: series.split(',').map(str::trim).collect() });
    }
    Ok(exceptions)
}
