//! Strings: short ones inside of the value, long ones shared.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A string of any length that is cheap to clone. Up to 22 bytes it needs no memory of its own.
pub struct Text(Store);

enum Store {
    Inline { length: u8, bytes: [u8; Text::INLINE_MAX] },
    Shared(Arc<str>),
}

impl Text {
    /// Bytes of the longest string that needs no memory of its own.
    pub(crate) const INLINE_MAX: usize = 22;

    /// The empty string.
    pub const EMPTY: Self = Self(Store::Inline { length: 0, bytes: [0; Self::INLINE_MAX] });

    /// The string of UTF-8 bytes.
    pub(crate) fn from_utf8(bytes: &[u8]) -> Option<Self> {
        // Short strings of ASCII, which most are, need no look at characters.
        if bytes.len() <= Self::INLINE_MAX && bytes.is_ascii() {
            return Some(Self::inline(bytes));
        }
        std::str::from_utf8(bytes).ok().map(Self::from)
    }

    /// Of at most [`Self::INLINE_MAX`] bytes.
    #[inline]
    pub(crate) fn inline(text: &[u8]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most 22")]
        Self(Store::Inline { length: text.len() as u8, bytes: padded(text) })
    }

    /// Kept apart, so that the usual clone is nothing but moves of whole words.
    #[inline(never)]
    fn clone_shared(shared: &Arc<str>) -> Self {
        Self(Store::Shared(shared.clone()))
    }

    /// The string.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Store::Inline { length, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*length)]).expect("only made of whole strings")
            }
            Store::Shared(shared) => shared,
        }
    }

    /// The bytes of the string; cheaper than [`Self::as_str`].
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Store::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Store::Shared(shared) => shared.as_bytes(),
        }
    }
}

impl Clone for Text {
    #[inline]
    fn clone(&self) -> Self {
        match &self.0 {
            Store::Inline { length, bytes } => Self(Store::Inline { length: *length, bytes: *bytes }),
            Store::Shared(shared) => Self::clone_shared(shared),
        }
    }
}

/// At most [`Text::INLINE_MAX`] bytes, and zeros after them. They are put together in registers: copied piece by piece
/// and read as a whole at once, they would be waited for.
#[inline]
fn padded(text: &[u8]) -> [u8; Text::INLINE_MAX] {
    let word = |at: usize| {
        let word = text.get(at..at + 8).and_then(|word| word.try_into().ok());
        u64::from_le_bytes(word.unwrap_or_default())
    };
    let mut bytes = [0; Text::INLINE_MAX];
    match text.len() {
        length @ 8..=16 => {
            // Where both words overlap they are the same.
            let whole = u128::from(word(0)) | u128::from(word(length - 8)) << ((length - 8) * 8);
            bytes[..16].copy_from_slice(&whole.to_le_bytes());
        }
        length @ 17..=Text::INLINE_MAX => {
            bytes[..8].copy_from_slice(&word(0).to_le_bytes());
            bytes[8..16].copy_from_slice(&word(8).to_le_bytes());
            let rest = word(length - 8) >> ((24 - length) * 8);
            bytes[16..].copy_from_slice(&rest.to_le_bytes()[..6]);
        }
        _ => {
            let whole = text.iter().rev().fold(0, |whole, &byte| whole << 8 | u64::from(byte));
            bytes[..8].copy_from_slice(&whole.to_le_bytes());
        }
    }
    bytes
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.len() <= Self::INLINE_MAX {
            Self::inline(text.as_bytes())
        } else {
            Self(Store::Shared(text.into()))
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        if text.len() <= Self::INLINE_MAX {
            Self::from(text.as_str())
        } else {
            Self(Store::Shared(text.into()))
        }
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        if text.len() <= Self::INLINE_MAX { Self::from(&*text) } else { Self(Store::Shared(text)) }
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_strings_of_every_length() {
        let long = "abcdefghijklmnopqrstuvwxyz0123456789";
        for length in 0..=long.len() {
            let text = Text::from(&long[..length]);
            assert_eq!((text.as_str(), text.clone().as_str()), (&long[..length], &long[..length]));
            assert_eq!(Text::from_utf8(&long.as_bytes()[..length]), Some(text));
        }
    }
}
