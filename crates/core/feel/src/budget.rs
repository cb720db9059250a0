//! What one evaluation may use.

use std::fmt;

/// Limits of one evaluation. The default is generous, but finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Turns of loops, calls of functions, and items that a function looks at.
    pub steps: u64,
    /// Expressions inside of expressions, counted through calls.
    pub depth: u32,
    /// Bytes of the strings, lists and contexts that are made, those freed meanwhile included; also about the longest
    /// JSON text that a value may stand for.
    pub bytes: u64,
    /// Items of any list that is made.
    pub list_length: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: 10_000_000, depth: 400, bytes: 64 << 20, list_length: 1_000_000 }
    }
}

/// What a budget limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// [`Budget::steps`].
    Steps,
    /// [`Budget::depth`], or the depth of a value.
    Depth,
    /// [`Budget::bytes`].
    Bytes,
    /// [`Budget::list_length`].
    ListLength,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::Depth => "depth",
            Self::Bytes => "bytes",
            Self::ListLength => "list length",
        })
    }
}
