//! Ranges as values.

use std::sync::Arc;

use super::Value;

/// One end of a range.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The value at the end; null where the range has no end on this side.
    pub value: Value,
    /// Whether the value itself belongs to the range.
    pub included: bool,
}

/// The values between two bounds.
#[derive(Clone, Debug)]
pub struct Range(Arc<(Bound, Bound)>);

impl Range {
    /// A range from one bound to another; the caller answers for their being of one ordered type.
    pub(crate) fn new(start: Bound, end: Bound) -> Self {
        Self(Arc::new((start, end)))
    }

    /// The lower end.
    pub fn start(&self) -> &Bound {
        &self.0.0
    }

    /// The upper end.
    pub fn end(&self) -> &Bound {
        &self.0.1
    }

    #[expect(clippy::unused_self, reason = "stands beside the depth of the other types")]
    pub(crate) const fn depth(&self) -> u16 {
        // Only scalars are ordered, so the bounds have no depth of their own.
        1
    }
}
