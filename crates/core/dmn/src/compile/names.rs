//! Names that an expression must be told, since its words alone do not show them.

use coreto_feel::{Dialect, Text};

/// Names in scope that are more than letters, digits and blanks, or contain a word of the language.
pub(super) struct Names {
    told: Vec<Text>,
    /// How many more times a name may be looked for.
    lookups_left: u64,
    dialect: Dialect,
}

impl Names {
    pub(super) const fn new(dialect: Dialect, lookups_max: u64) -> Self {
        Self { told: Vec::new(), lookups_left: lookups_max, dialect }
    }

    /// A name that may stand anywhere in the model, e.g. that of a component of a type.
    pub(super) fn add_for_all(&mut self, name: &str) {
        if !self.told.iter().any(|known| known.as_str() == name) {
            self.push(name);
        }
    }

    /// A name that is in scope until [`Self::forget`]. In Camunda's dialect such names stand in back-ticks.
    pub(super) fn push(&mut self, name: &str) {
        if self.dialect == Dialect::Standard && needs_telling(name) {
            self.told.push(name.into());
        }
    }

    pub(super) const fn mark(&self) -> usize {
        self.told.len()
    }

    pub(super) fn forget(&mut self, mark: usize) {
        self.told.truncate(mark);
    }

    /// All of them, for an expression of so many bytes; nothing when they were looked for too often.
    pub(super) fn told(&mut self, bytes: usize) -> Option<Vec<&str>> {
        let lookups = (self.told.len() as u64).saturating_mul(bytes as u64);
        self.lookups_left = self.lookups_left.checked_sub(lookups)?;
        Some(self.told.iter().map(Text::as_str).collect())
    }
}

fn needs_telling(name: &str) -> bool {
    const WORDS: [&str; 20] = [
        "null",
        "true",
        "false",
        "function",
        "in",
        "return",
        "then",
        "else",
        "satisfies",
        "and",
        "or",
        "between",
        "instance",
        "external",
        "if",
        "for",
        "some",
        "every",
        "not",
        "of",
    ];
    let is_plain = |word: &str| {
        word.chars().all(|c| c == '_' || c.is_alphanumeric())
            && !word.starts_with(|c: char| c.is_ascii_digit())
            && !WORDS.contains(&word)
    };
    !name.is_empty() && !name.split(' ').all(is_plain)
}
