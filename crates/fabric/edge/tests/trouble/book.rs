//! What upstreams have seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Shared by all upstreams of a run.
#[derive(Clone, Default)]
pub(crate) struct Book(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    acted: BTreeMap<u64, u32>,
    wrong: Vec<String>,
}

impl Book {
    /// A request on which something may have been done.
    pub(crate) fn acted(&self, id: u64) {
        *self.0.lock().unwrap().acted.entry(id).or_default() += 1;
    }

    /// Something came that nobody sent.
    pub(crate) fn wrong(&self, what: String) {
        self.0.lock().unwrap().wrong.push(what);
    }

    /// How often each was acted on, and what was wrong.
    pub(crate) fn read(&self) -> (BTreeMap<u64, u32>, Vec<String>) {
        let seen = self.0.lock().unwrap();
        (seen.acted.clone(), seen.wrong.clone())
    }
}

/// The number of a request, from its path: `/one/17`.
pub(crate) fn id(path: &str) -> u64 {
    path.rsplit('/').next().and_then(|id| id.parse().ok()).unwrap()
}
