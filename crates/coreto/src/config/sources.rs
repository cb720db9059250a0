//! Where settings come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::setting::{SETTINGS, Setting};

/// Who said what a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(PathBuf),
    Environment(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration `{path}`")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration `{path}` is not TOML")]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    #[error("`{key}` in {origin} is no setting{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown { key: String, origin: Origin, nearest: Option<String> },
    #[error("{} is `{value}`, expected {expected}", name(key, origin))]
    Value { key: &'static str, origin: Origin, value: String, expected: &'static str },
    #[error("{0}")]
    Together(String),
}

/// A setting as whoever set it knows it.
fn name(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Default | Origin::File(_) => format!("`{key}` in {origin}"),
        Origin::Environment(_) | Origin::Flag(_) => format!("`{origin}`"),
    }
}

/// A setting that was typed.
pub(crate) struct Flag {
    /// As it is typed, with its dashes.
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: String,
}

/// Settings as texts, each with its origin.
pub(crate) struct Settings(BTreeMap<&'static str, (String, Origin)>);

impl Settings {
    /// Reads the file (`coreto.toml` in the working directory when it is there and none is named), the environment
    /// and the flags.
    pub(crate) fn gather(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: impl Iterator<Item = Flag>,
    ) -> Result<Self, ConfigError> {
        let mut settings = Self::defaults();
        let usual = Path::new("coreto.toml");
        if let Some(path) = file.or_else(|| usual.is_file().then_some(usual)) {
            settings.read_file(path)?;
        }
        settings.read_environment(environment)?;
        settings.take_flags(flags)?;
        Ok(settings)
    }

    /// The defaults but for these flags, whatever the surroundings say.
    pub(crate) fn of_flags(flags: impl Iterator<Item = Flag>) -> Result<Self, ConfigError> {
        let mut settings = Self::defaults();
        settings.take_flags(flags)?;
        Ok(settings)
    }

    fn defaults() -> Self {
        let setting = |setting: &Setting| (setting.key, (setting.default.to_owned(), Origin::Default));
        Self(SETTINGS.iter().map(setting).collect())
    }

    fn take_flags(&mut self, flags: impl Iterator<Item = Flag>) -> Result<(), ConfigError> {
        for Flag { name, key, value } in flags {
            self.set(key, value, Origin::Flag(name.to_owned()))?;
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let table: toml::Table = text
            .parse()
            .map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        let mut open = vec![(String::new(), table)];
        while let Some((prefix, table)) = open.pop() {
            for (name, value) in table {
                let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                match value {
                    toml::Value::Table(inner) => open.push((key, inner)),
                    value => self.set(&key, plain(&value), Origin::File(path.to_owned()))?,
                }
            }
        }
        Ok(())
    }

    fn read_environment(
        &mut self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, value) in environment {
            if !name.starts_with("CORETO_") || NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
                let nearest = nearest(&name, SETTINGS.iter().map(Setting::variable));
                return Err(ConfigError::Unknown {
                    key: name.clone(),
                    origin: Origin::Environment("the environment".to_owned()),
                    nearest,
                });
            };
            self.set(setting.key, value, Origin::Environment(name))?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: String, origin: Origin) -> Result<(), ConfigError> {
        let Some(setting) = Setting::find(key) else {
            let nearest = nearest(key, SETTINGS.iter().map(|setting| setting.key.to_owned()));
            return Err(ConfigError::Unknown { key: key.to_owned(), origin, nearest });
        };
        self.0.insert(setting.key, (value, origin));
        Ok(())
    }

    /// A setting's text and origin; every key of the list is there.
    pub(crate) fn get(&self, key: &'static str) -> (&str, &Origin) {
        self.0.get(key).map_or(("", &Origin::Default), |(value, origin)| (value.as_str(), origin))
    }

    /// A setting as something else.
    pub(crate) fn parse<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let (value, origin) = self.get(key);
        parse(value).ok_or_else(|| ConfigError::Value {
            key,
            origin: origin.clone(),
            value: value.to_owned(),
            expected,
        })
    }

    /// A setting that may be empty.
    pub(crate) fn text(&self, key: &'static str) -> Option<&str> {
        let (value, _) = self.get(key);
        (!value.is_empty()).then_some(value)
    }
}

/// A value as it stands in the environment, too: a list has commas between its parts.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(parts) => parts.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Variables with our prefix that are no settings: they name folders for the tests.
const NOT_SETTINGS: [&str; 4] = ["CORETO_CONFORM", "CORETO_CORPUS", "CORETO_TCK", "CORETO_LOG"];

/// The word that needs the fewest changes to become `word`, if few enough.
fn nearest(word: &str, words: impl Iterator<Item = String>) -> Option<String> {
    let limit = word.len() / 3 + 1;
    words
        .map(|other| (distance(word, &other), other))
        .filter(|(cost, _)| *cost <= limit)
        .min()
        .map(|(_, other)| other)
}

/// How many insertions, deletions and replacements lead from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(
        variables: &[(&str, &str)],
        flags: &[(&'static str, &'static str, &str)],
    ) -> Result<Settings, ConfigError> {
        Settings::gather(
            None,
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
            flags.iter().map(|(name, key, value)| Flag { name, key, value: (*value).to_owned() }),
        )
    }

    #[test]
    fn flags_win_over_the_environment_and_it_over_defaults() {
        let settings = gather(
            &[("CORETO_GRPC_ADDRESS", "127.0.0.1:1"), ("CORETO_TIME_ZONE", "Europe/Lisbon")],
            &[("--grpc", "grpc.address", "127.0.0.1:2")],
        )
        .unwrap();
        assert_eq!(settings.get("grpc.address"), ("127.0.0.1:2", &Origin::Flag("--grpc".to_owned())));
        assert_eq!(settings.get("time-zone").0, "Europe/Lisbon");
        assert_eq!(settings.get("management.address").1, &Origin::Default);
    }

    #[test]
    fn names_the_nearest_setting() {
        let error = gather(&[("CORETO_GRPC_ADRESS", "x")], &[]).err().unwrap();
        assert!(error.to_string().ends_with("did you mean `CORETO_GRPC_ADDRESS`?"), "{error}");
        let error = gather(&[("CORETO_SOMETHING_ELSE_ENTIRELY", "x")], &[]).err().unwrap();
        assert!(error.to_string().ends_with("is no setting"), "{error}");
    }
}
