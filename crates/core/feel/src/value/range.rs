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
pub struct Range(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    start: Bound,
    end: Bound,
    is_point: bool,
}

impl Range {
    /// A range from one bound to another; the caller answers for their being of one ordered type.
    pub(crate) fn new(start: Bound, end: Bound) -> Self {
        Self(Arc::new(Ends { start, end, is_point: false }))
    }

    /// The range of one value, as `(= 10)` writes it; for the DMN TCK it is another one than `[10..10]`.
    pub(crate) fn point(bound: Bound) -> Self {
        Self(Arc::new(Ends { start: bound.clone(), end: bound, is_point: true }))
    }

    pub(crate) fn is_point(&self) -> bool {
        self.0.is_point
    }

    /// The lower end.
    pub fn start(&self) -> &Bound {
        &self.0.start
    }

    /// The upper end.
    pub fn end(&self) -> &Bound {
        &self.0.end
    }

    #[expect(clippy::unused_self, reason = "stands beside the depth of the other types")]
    pub(crate) const fn depth(&self) -> u16 {
        // Only scalars are ordered, so the bounds have no depth of their own.
        1
    }
}
