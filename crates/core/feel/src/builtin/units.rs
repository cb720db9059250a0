//! What a position in a string counts.

use crate::Dialect;

/// A string by the units that positions count. Most strings are ASCII, where they are its bytes.
pub(super) enum Units<'t> {
    Ascii(&'t str),
    Wide(Vec<u16>),
    /// The standard counts whole characters.
    Characters(Vec<char>),
}

impl<'t> Units<'t> {
    pub(super) fn of(text: &'t str, dialect: Dialect) -> Self {
        match dialect {
            _ if text.is_ascii() => Self::Ascii(text),
            Dialect::Camunda => Self::Wide(text.encode_utf16().collect()),
            Dialect::Standard => Self::Characters(text.chars().collect()),
        }
    }

    pub(super) fn length(&self) -> usize {
        match self {
            Self::Ascii(text) => text.len(),
            Self::Wide(units) => units.len(),
            Self::Characters(characters) => characters.len(),
        }
    }

    pub(super) fn part(&self, first: usize, last: usize) -> String {
        match self {
            Self::Ascii(text) => text.get(first..last).unwrap_or_default().to_owned(),
            Self::Wide(units) => String::from_utf16_lossy(units.get(first..last).unwrap_or_default()),
            Self::Characters(characters) => characters.get(first..last).unwrap_or_default().iter().collect(),
        }
    }
}
