//! The paths of one host as a tree of segments, so that many routes cost no more than few.

use std::collections::HashMap;

use super::pattern::{Pattern, Segment, segments};

/// What is below one segment. The lists hold routes by number, the more precise first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    literal: HashMap<String, Node>,
    variable: Option<Box<Node>>,
    whole: Vec<usize>,
    tail: Vec<usize>,
    prefix: Vec<usize>,
}

impl Node {
    /// Puts a route in. Those that came before it at the same place go first.
    ///
    /// # Panics
    /// For an expression, which has no place in a tree.
    pub(crate) fn insert(&mut self, pattern: &Pattern, route: usize) {
        match pattern {
            Pattern::Whole(parts) => {
                let mut node = self;
                for part in parts {
                    node = match part {
                        Segment::Literal(text) => node.literal.entry(text.clone()).or_default(),
                        Segment::Variable(_) => node.variable.get_or_insert_default(),
                        Segment::Tail(_) => return node.tail.push(route),
                    };
                }
                node.whole.push(route);
            }
            Pattern::Prefix(parts) => {
                let mut node = self;
                for part in parts {
                    node = node.literal.entry(part.clone()).or_default();
                }
                node.prefix.push(route);
            }
            Pattern::Regex(_) => unreachable!("expressions are kept in a list"),
        }
    }

    /// Offers the lists of routes that fit a path, the most precise first, until one is taken.
    pub(crate) fn search<T>(&self, path: &str, take: &mut impl FnMut(&[usize]) -> Option<T>) -> Option<T> {
        let mut parts = segments(path);
        let rest = path.strip_prefix('/').unwrap_or(path);
        self.search_whole(Some(rest), take).or_else(|| self.search_prefix(&mut parts, take))
    }

    /// A node is visited at most once, since it has one place: the work is bounded by the tree, whatever the path.
    fn search_whole<T>(&self, rest: Option<&str>, take: &mut impl FnMut(&[usize]) -> Option<T>) -> Option<T> {
        let Some(rest) = rest else {
            return offer(&self.whole, take).or_else(|| offer(&self.tail, take));
        };
        let (segment, behind) = match rest.split_once('/') {
            Some((segment, behind)) => (segment, Some(behind)),
            None => (rest, None),
        };
        if let Some(found) = self.literal.get(segment).and_then(|node| node.search_whole(behind, take)) {
            return Some(found);
        }
        let variable = self.variable.as_ref().filter(|_| !segment.is_empty());
        variable.and_then(|node| node.search_whole(behind, take)).or_else(|| offer(&self.tail, take))
    }

    fn search_prefix<'p, T>(
        &self,
        parts: &mut impl Iterator<Item = &'p str>,
        take: &mut impl FnMut(&[usize]) -> Option<T>,
    ) -> Option<T> {
        let below = parts.next().and_then(|part| self.literal.get(part));
        below.and_then(|node| node.search_prefix(parts, take)).or_else(|| offer(&self.prefix, take))
    }
}

fn offer<T>(routes: &[usize], take: &mut impl FnMut(&[usize]) -> Option<T>) -> Option<T> {
    if routes.is_empty() { None } else { take(routes) }
}
