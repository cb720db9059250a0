//! Contexts: named values in the order in which they were written.

use std::sync::Arc;

use super::{Text, VALUE_DEPTH_MAX, Value};

/// From so many entries on, a context keeps its names in an order for binary search.
const INDEX_FROM: usize = 17;

/// Named values; shared, never changed. Names are unique.
#[derive(Clone, Debug)]
pub struct Context(Arc<Store>);

#[derive(Debug)]
struct Store {
    entries: Vec<(Text, Value)>,
    /// Positions of the entries by name; empty for small contexts.
    index: Box<[u32]>,
    depth: u16,
    weight: u64,
}

impl Context {
    /// A context of these entries. A name that comes twice keeps its first place and its last value. Nothing
    /// when it would be nested deeper than [`VALUE_DEPTH_MAX`].
    pub fn new(entries: Vec<(Text, Value)>) -> Option<Self> {
        let (mut depth, mut weight) = (0, 8u64);
        for (name, value) in &entries {
            depth = depth.max(value.depth());
            weight = weight.saturating_add(value.weight().saturating_add(name.as_bytes().len() as u64));
        }
        if depth >= VALUE_DEPTH_MAX {
            return None;
        }
        let (entries, index) = if entries.len() < INDEX_FROM {
            (unique_few(entries), Box::default())
        } else {
            unique_many(entries)
        };
        Some(Self(Arc::new(Store { entries, index, depth: depth + 1, weight })))
    }

    /// The context without entries.
    pub fn empty() -> Self {
        Self(Arc::new(Store { entries: Vec::new(), index: Box::default(), depth: 1, weight: 8 }))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.get_bytes(name.as_bytes())
    }

    pub(crate) fn get_bytes(&self, name: &[u8]) -> Option<&Value> {
        self.position(name).map(|at| &self.0.entries[at].1)
    }

    pub(crate) fn position(&self, name: &[u8]) -> Option<usize> {
        let entries = &self.0.entries;
        if self.0.index.is_empty() {
            return entries.iter().position(|(known, _)| known.as_bytes() == name);
        }
        let found = self.0.index.binary_search_by(|&at| entries[at as usize].0.as_bytes().cmp(name)).ok()?;
        Some(self.0.index[found] as usize)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Names and values, in order, as they are kept.
    pub fn entries(&self) -> &[(Text, Value)] {
        &self.0.entries
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    pub(crate) fn weight(&self) -> u64 {
        self.0.weight
    }

    pub(crate) fn depth(&self) -> u16 {
        self.0.depth
    }
}

fn unique_few(mut entries: Vec<(Text, Value)>) -> Vec<(Text, Value)> {
    let mut at = 1;
    while at < entries.len() {
        let (before, rest) = entries.split_at_mut(at);
        if let Some(twin) = before.iter_mut().find(|(name, _)| *name == rest[0].0) {
            twin.1 = std::mem::take(&mut rest[0].1);
            entries.remove(at);
        } else {
            at += 1;
        }
    }
    entries
}

fn unique_many(mut entries: Vec<(Text, Value)>) -> (Vec<(Text, Value)>, Box<[u32]>) {
    let sorted = |entries: &[(Text, Value)]| {
        let mut index: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
        index.sort_by(|&left, &right| entries[left as usize].0.cmp(&entries[right as usize].0));
        index
    };
    let mut index = sorted(&entries);
    if index.windows(2).all(|pair| entries[pair[0] as usize].0 != entries[pair[1] as usize].0) {
        return (entries, index.into());
    }
    // The sort is stable, so of equal names the first place comes first and the last value last.
    let mut dropped = vec![false; entries.len()];
    for pair in index.chunk_by(|&left, &right| entries[left as usize].0 == entries[right as usize].0) {
        for &at in &pair[1..] {
            dropped[at as usize] = true;
        }
    }
    let groups: Vec<(u32, u32)> = index
        .chunk_by(|&left, &right| entries[left as usize].0 == entries[right as usize].0)
        .filter(|group| group.len() > 1)
        .map(|group| (group[0], group[group.len() - 1]))
        .collect();
    for (first, last) in groups {
        entries[first as usize].1 = std::mem::take(&mut entries[last as usize].1);
    }
    let mut at = 0;
    entries.retain(|_| {
        at += 1;
        !dropped[at - 1]
    });
    index = sorted(&entries);
    (entries, index.into())
}
