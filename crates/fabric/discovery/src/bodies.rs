//! Bodies of answers, made once per change for all who ask the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::answer::Fault;

/// Questions whose bodies are kept.
const QUESTIONS_MAX: usize = 4096;

/// Bytes of bodies and questions that are kept.
const BYTES_MAX: usize = 16 << 20;

/// Bodies that were sent lately, by what was asked.
#[derive(Default)]
pub(crate) struct Bodies(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    by_question: HashMap<Box<str>, Place>,
    bytes: usize,
}

/// Where the body for a question stands; whoever makes it lets others wait here, and nobody else.
type Place = Arc<tokio::sync::Mutex<Option<Body>>>;

/// A body, and when what it tells changed last.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) index: u64,
    pub(crate) bytes: Bytes,
}

impl Bodies {
    /// The body that answers a question as things are since `index`; made, if it was not sent yet.
    pub(crate) async fn get(
        &self,
        question: &str,
        index: u64,
        render: impl FnOnce() -> Result<Body, Fault>,
    ) -> Result<Body, Fault> {
        let place = self.kept().place(question);
        let mut body = place.lock().await;
        if let Some(body) = body.as_ref().filter(|body| body.index == index) {
            return Ok(body.clone());
        }
        let made = render()?;
        let before = body.as_ref().map_or(0, |before| before.bytes.len());
        // One alone may not push out all others.
        *body = Some(made.clone()).filter(|made| made.bytes.len() <= BYTES_MAX / 2);
        let now = body.as_ref().map_or(0, |now| now.bytes.len());
        drop(body);
        self.kept().replaced(before, now);
        Ok(made)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn place(&mut self, question: &str) -> Place {
        if let Some(place) = self.by_question.get(question) {
            return Arc::clone(place);
        }
        if self.by_question.len() >= QUESTIONS_MAX {
            *self = Self::default();
        }
        // A question takes room, too.
        self.replaced(0, question.len());
        Arc::clone(self.by_question.entry(question.into()).or_default())
    }

    fn replaced(&mut self, before: usize, now: usize) {
        self.bytes = (self.bytes + now).saturating_sub(before);
        if self.bytes > BYTES_MAX {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(index: u64, bytes: usize) -> Body {
        Body { index, bytes: vec![b'x'; bytes].into() }
    }

    #[tokio::test]
    async fn a_body_is_made_once_per_change() {
        let bodies = Bodies::default();
        let mut made = Vec::new();
        for (question, index) in [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("a", 2), ("a", 1)] {
            let render = || {
                made.push((question, index));
                Ok(body(index, 3))
            };
            assert_eq!(bodies.get(question, index, render).await.unwrap().index, index);
        }
        assert_eq!(made, [("a", 1), ("b", 1), ("a", 2), ("a", 1)]);
        let failed = bodies.get("c", 1, || Err(Fault::Wrong("no".to_owned()))).await;
        assert!(failed.is_err());
        bodies.get("c", 1, || Ok(body(1, 3))).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let bodies = Bodies::default();
        let kept = || {
            let kept = bodies.kept();
            (kept.by_question.len(), kept.bytes)
        };
        for number in 0..=QUESTIONS_MAX {
            bodies.get(&format!("{number:4}"), 1, || Ok(body(1, 1))).await.unwrap();
        }
        assert_eq!(kept(), (1, 5));
        for index in 1..20 {
            bodies.get("large", index, || Ok(body(index, 1 << 20))).await.unwrap();
        }
        assert_eq!(kept(), (2, 10 + (1 << 20)), "what is replaced does not count");
        bodies.get("huge", 1, || Ok(body(1, BYTES_MAX))).await.unwrap();
        assert_eq!(kept(), (3, 14 + (1 << 20)), "it is not kept");
        for number in 0..2000 {
            let question = format!("{number} {}", "x".repeat(1 << 16));
            drop(bodies.get(&question, 1, || Err(Fault::Wrong("no".to_owned()))).await);
            assert!(kept().1 <= BYTES_MAX);
        }
        for number in 0..20 {
            bodies.get(&format!("large {number}"), 1, || Ok(body(1, 1 << 20))).await.unwrap();
            assert!(kept().1 <= BYTES_MAX);
        }
    }
}
