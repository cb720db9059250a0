//! Documents as they were rendered last, so that a state is rendered once for all who ask for it, and not once for each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Bytes of documents that are kept. Beyond, all are forgotten: each is there again with the next who asks for it.
const BYTES_MAX: usize = 4 << 20;

/// Documents, each with the index at which it changed last.
#[derive(Default)]
pub(crate) struct Memo(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    documents: HashMap<Box<str>, (u64, Bytes)>,
    bytes: usize,
}

impl Memo {
    /// The document of a question as it is at an index, if it is known.
    pub(crate) fn get(&self, question: &str, index: u64) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, document) = kept.documents.get(question)?;
        (*known == index).then(|| document.clone())
    }

    /// Keeps a document, unless a later one is known.
    pub(crate) fn put(&self, question: &str, index: u64, document: Bytes) {
        let size = question.len() + document.len();
        if size > BYTES_MAX {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.documents.get(question).is_some_and(|(known, _)| *known > index) {
            return;
        }
        if kept.bytes + size > BYTES_MAX {
            *kept = Kept::default();
        }
        kept.bytes += size;
        if let Some((_, before)) = kept.documents.insert(question.into(), (index, document)) {
            kept.bytes -= question.len() + before.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_known_at_their_index_alone() {
        let memo = Memo::default();
        memo.put("a", 3, "three".into());
        memo.put("a", 2, "two".into());
        assert_eq!(memo.get("a", 3), Some("three".into()));
        assert_eq!((memo.get("a", 2), memo.get("a", 4), memo.get("b", 3)), (None, None, None));
        memo.put("a", 5, "five".into());
        assert_eq!((memo.get("a", 3), memo.get("a", 5)), (None, Some("five".into())));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let memo = Memo::default();
        let kept = || memo.0.lock().unwrap().bytes;
        for number in 0..100 {
            memo.put(&format!("{number:02}"), 1, vec![0; 100_000].into());
            memo.put(&format!("{number:02}"), 2, vec![0; 90_000].into());
            assert!(kept() <= BYTES_MAX && kept() % 90_002 == 0, "{}", kept());
        }
        assert!(memo.get("99", 2).is_some());
        memo.put("large", 1, vec![0; BYTES_MAX].into());
        assert!(memo.get("large", 1).is_none() && memo.get("99", 2).is_some());
    }
}
