//! Lists.

use std::ops::Deref;
use std::sync::Arc;

use super::{VALUE_DEPTH_MAX, Value};

/// A list of values; shared, never changed.
#[derive(Clone, Debug)]
pub struct List {
    items: Arc<Vec<Value>>,
    // Kept, so that no walk over a value can run out of stack: nothing deeper than the limit is ever made.
    depth: u16,
    // Kept, so that what looks small because its parts are shared cannot grow huge when it is written.
    weight: u64,
}

impl List {
    /// A list of these items; nothing when it would be nested deeper than [`VALUE_DEPTH_MAX`].
    pub fn new(items: Vec<Value>) -> Option<Self> {
        let (mut depth, mut weight) = (0, 8u64);
        for item in &items {
            // Numbers, which long lists are mostly made of, are known without a look into them.
            if let Value::Number(_) = item {
                weight = weight.saturating_add(Value::WEIGHT_MIN);
                continue;
            }
            depth = depth.max(item.depth());
            weight = weight.saturating_add(item.weight());
        }
        (depth < VALUE_DEPTH_MAX).then(|| Self { items: Arc::new(items), depth: depth + 1, weight })
    }

    /// The list without items.
    pub fn empty() -> Self {
        Self { items: Arc::default(), depth: 1, weight: 8 }
    }

    /// The items.
    pub fn as_slice(&self) -> &[Value] {
        &self.items
    }

    /// Whether somebody else holds the same list, so that adding to it means copying it.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.items) > 1
    }

    /// The list with one more item; nothing when it would be nested too deep.
    pub(crate) fn with(mut self, item: Value) -> Option<Self> {
        self.depth = self.depth.max(item.depth() + 1);
        self.weight = self.weight.saturating_add(item.weight());
        Arc::make_mut(&mut self.items).push(item);
        (self.depth <= VALUE_DEPTH_MAX).then_some(self)
    }

    pub(crate) const fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) const fn depth(&self) -> u16 {
        self.depth
    }
}

impl Deref for List {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        &self.items
    }
}
