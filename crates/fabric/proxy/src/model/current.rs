//! The plan that is in force, and how all workers change to the next one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is in force. Workers hold a [`Reader`] each, which costs one atomic load while nothing changes.
#[derive(Debug)]
pub struct Current<T> {
    version: AtomicU64,
    held: Mutex<Arc<T>>,
}

impl<T> Current<T> {
    /// The first to be in force.
    pub fn new(first: T) -> Arc<Self> {
        Arc::new(Self { version: AtomicU64::new(1), held: Mutex::new(Arc::new(first)) })
    }

    /// Puts another in force. What began with the one before keeps that one.
    pub fn replace(&self, next: T) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(next);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// What is in force.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A worker's view.
    pub fn reader(self: &Arc<Self>) -> Reader<T> {
        let version = self.version.load(Ordering::Acquire);
        Reader { current: Arc::clone(self), version, seen: self.get() }
    }
}

/// One worker's view of what is in force.
#[derive(Debug)]
pub struct Reader<T> {
    current: Arc<Current<T>>,
    version: u64,
    seen: Arc<T>,
}

impl<T> Reader<T> {
    /// What is in force now.
    pub fn get(&mut self) -> &Arc<T> {
        let version = self.current.version.load(Ordering::Acquire);
        if version != self.version {
            self.seen = self.current.get();
            self.version = version;
        }
        &self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_what_is_replaced_and_keep_what_they_hold() {
        let current = Current::new(1);
        let (mut one, mut other) = (current.reader(), current.reader());
        let kept = Arc::clone(one.get());
        current.replace(2);
        assert_eq!((**one.get(), **other.get(), *kept, *current.get()), (2, 2, 1, 2));
        current.replace(3);
        assert_eq!((**other.get(), **one.get(), **current.reader().get()), (3, 3, 3));
    }
}
