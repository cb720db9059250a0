//! Strings: short ones inside of the value, long ones shared.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

const INLINE_MAX: usize = 22;

/// A string of any length that is cheap to clone. Up to 22 bytes it needs no memory of its own.
#[derive(Clone)]
pub struct Text(Store);

#[derive(Clone)]
enum Store {
    Inline { length: u8, bytes: [u8; INLINE_MAX] },
    Shared(Arc<str>),
}

impl Text {
    /// The empty string.
    pub const EMPTY: Self = Self(Store::Inline { length: 0, bytes: [0; INLINE_MAX] });

    /// The string of UTF-8 bytes.
    pub(crate) fn from_utf8(bytes: &[u8]) -> Option<Self> {
        // Short strings of ASCII, which most are, need no look at characters.
        if bytes.len() <= INLINE_MAX && bytes.is_ascii() {
            return Some(Self::inline(bytes));
        }
        std::str::from_utf8(bytes).ok().map(Self::from)
    }

    /// Of at most [`INLINE_MAX`] bytes.
    fn inline(text: &[u8]) -> Self {
        let mut bytes = [0; INLINE_MAX];
        bytes[..text.len()].copy_from_slice(text);
        #[expect(clippy::cast_possible_truncation, reason = "at most 22")]
        Self(Store::Inline { length: text.len() as u8, bytes })
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

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.len() <= INLINE_MAX {
            Self::inline(text.as_bytes())
        } else {
            Self(Store::Shared(text.into()))
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        if text.len() <= INLINE_MAX { Self::from(text.as_str()) } else { Self(Store::Shared(text.into())) }
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        if text.len() <= INLINE_MAX { Self::from(&*text) } else { Self(Store::Shared(text)) }
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
