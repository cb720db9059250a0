//! Bodies of answers, made once per change for all who ask the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::answer::Fault;

/// Questions whose bodies are kept.
const QUESTIONS_MAX: usize = 4096;

/// Bytes of bodies that are kept.
const BYTES_MAX: usize = 16 << 20;

/// Bodies that were sent lately, by what was asked.
#[derive(Default)]
pub(crate) struct Bodies {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_question: HashMap<Box<str>, Place>,
    bytes: usize,
}

/// Where the body for a question stands; whoever makes it lets others wait here.
type Place = Arc<Mutex<Option<Body>>>;

/// A body, and when what it tells changed last.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) index: u64,
    pub(crate) bytes: Bytes,
}

impl Bodies {
    /// The body that answers a question as things are since `index`; made, if it was not sent yet.
    pub(crate) fn get(
        &self,
        question: String,
        index: u64,
        render: impl FnOnce() -> Result<Body, Fault>,
    ) -> Result<Body, Fault> {
        let place = self.place(question);
        let mut body = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = body.as_ref().filter(|body| body.index == index) {
            return Ok(body.clone());
        }
        let made = render()?;
        let before = body.replace(made.clone()).map_or(0, |before| before.bytes.len());
        drop(body);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes = (kept.bytes + made.bytes.len()).saturating_sub(before);
        if kept.bytes > BYTES_MAX {
            *kept = Kept::default();
        }
        Ok(made)
    }

    fn place(&self, question: String) -> Place {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = kept.by_question.get(&*question) {
            return Arc::clone(place);
        }
        if kept.by_question.len() >= QUESTIONS_MAX {
            *kept = Kept::default();
        }
        Arc::clone(kept.by_question.entry(question.into()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(index: u64, bytes: usize) -> Body {
        Body { index, bytes: vec![b'x'; bytes].into() }
    }

    #[test]
    fn a_body_is_made_once_per_change() {
        let bodies = Bodies::default();
        let mut made = Vec::new();
        for (question, index) in [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("a", 2), ("a", 1)] {
            let render = || {
                made.push((question, index));
                Ok(body(index, 3))
            };
            assert_eq!(bodies.get(question.to_owned(), index, render).unwrap().index, index);
        }
        assert_eq!(made, [("a", 1), ("b", 1), ("a", 2), ("a", 1)]);
        let failed = bodies.get("c".to_owned(), 1, || Err(Fault::Wrong("no".to_owned())));
        assert!(failed.is_err());
        bodies.get("c".to_owned(), 1, || Ok(body(1, 3))).unwrap();
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let bodies = Bodies::default();
        let kept = || {
            let kept = bodies.kept.lock().unwrap();
            (kept.by_question.len(), kept.bytes)
        };
        for number in 0..=QUESTIONS_MAX {
            bodies.get(number.to_string(), 1, || Ok(body(1, 1))).unwrap();
        }
        assert_eq!(kept(), (1, 1));
        for index in 1..20 {
            bodies.get("large".to_owned(), index, || Ok(body(index, 1 << 20))).unwrap();
        }
        assert_eq!(kept(), (2, 1 + (1 << 20)), "what is replaced does not count");
        for number in 0..20 {
            bodies.get(format!("large {number}"), 1, || Ok(body(1, 1 << 20))).unwrap();
            assert!(kept().1 <= BYTES_MAX);
        }
    }
}
