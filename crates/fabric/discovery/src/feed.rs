//! What those share who watch the same: one reader, and what it has read last.
//!
//! A feed waits for changes as one client would, so that a state is read and serialised once for all who watch it. It
//! keeps the latest state alone: who is slow misses states in between, and costs nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::desk::Desk;
use crate::watch::Question;

/// How long a feed waits after a read that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Feeds at once. Each has somebody who watches it.
const FEEDS_MAX: usize = 16_384;

/// Bytes of their documents. Those that are followed may grow beyond; no more are begun then.
const BYTES_MAX: usize = 256 << 20;

/// What a feed has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A document, when it changed last, and the event that tells both, of which it is a part.
    State { index: u64, document: Bytes, event: Bytes },
    /// It could not be read; the sentence says why.
    Trouble(Bytes),
}

impl Told {
    /// A state as it is told.
    pub(crate) fn state(index: u64, document: &[u8]) -> Self {
        let (head, end) = (format!("id: {index}\ndata: "), b"\n\n");
        let event = Bytes::from([head.as_bytes(), document, end].concat());
        let document = event.slice(head.len()..event.len() - end.len());
        Self::State { index, document, event }
    }

    /// Bytes that it takes to keep it.
    fn bytes(&self) -> usize {
        match self {
            Self::State { event, .. } => event.len(),
            Self::Trouble(sentence) => sentence.len(),
        }
    }
}

/// The feeds that are read.
#[derive(Default)]
pub(crate) struct Feeds {
    by_question: Mutex<ByQuestion>,
    /// Of all that they have read last.
    bytes: AtomicUsize,
}

/// Feeds by what they are about.
type ByQuestion = BTreeMap<Arc<str>, watch::Sender<Told>>;

impl Feeds {
    fn lock(&self) -> MutexGuard<'_, ByQuestion> {
        self.by_question.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A feed keeps this instead of that.
    fn replaced(&self, before: usize, now: usize) {
        self.bytes.fetch_add(now, Ordering::Relaxed);
        self.bytes.fetch_sub(before, Ordering::Relaxed);
    }

    /// Follows a feed. One that nobody follows yet begins with what was `seen`; nothing, when there are too many.
    pub(crate) fn follow(
        &self,
        desk: &Arc<Desk>,
        question: &Question,
        seen: Told,
    ) -> Option<watch::Receiver<Told>> {
        let mut feeds = self.lock();
        if let Some(sender) = feeds.get(&question.key) {
            return Some(sender.subscribe());
        }
        let bytes = seen.bytes();
        if feeds.len() >= FEEDS_MAX || self.bytes.load(Ordering::Relaxed) + bytes > BYTES_MAX {
            return None;
        }
        self.replaced(0, bytes);
        let (sender, receiver) = watch::channel(seen);
        feeds.insert(Arc::clone(&question.key), sender.clone());
        drop(feeds);
        tokio::spawn(read(Arc::clone(desk), question.clone(), sender));
        Some(receiver)
    }

    /// Ends a feed, if nobody follows it.
    fn end(&self, key: &str, sender: &watch::Sender<Told>) -> bool {
        let mut feeds = self.lock();
        let over = sender.receiver_count() == 0;
        if over {
            feeds.remove(key);
            self.replaced(sender.borrow().bytes(), 0);
        }
        over
    }
}

/// Reads for as long as somebody follows, or until the server drains.
async fn read(desk: Arc<Desk>, question: Question, sender: watch::Sender<Told>) {
    let mut drained = desk.drained.clone();
    let mut known = match &*sender.borrow() {
        Told::State { index, .. } => *index,
        Told::Trouble(_) => 0,
    };
    // Bound: as said above. Each round waits for a change.
    loop {
        let told = tokio::select! {
            told = question.ask(&desk, known) => told,
            () = sender.closed() => {
                if desk.feeds.end(&question.key, &sender) {
                    return;
                }
                continue;
            }
            _ = drained.wait_for(|drained| *drained) => {
                // Nobody is counted any more.
                desk.feeds.lock().remove(&question.key);
                return;
            }
        };
        match told {
            Ok(Told::State { index, .. }) if index == known => (),
            Ok(told) => {
                if let Told::State { index, .. } = &told {
                    known = *index;
                }
                let now = told.bytes();
                desk.feeds.replaced(sender.send_replace(told).bytes(), now);
            }
            Err(fault) => {
                known = 0;
                let trouble = Told::Trouble(fault.sentence().into());
                sender.send_if_modified(|told| {
                    let before = std::mem::replace(told, trouble.clone());
                    desk.feeds.replaced(before.bytes(), trouble.bytes());
                    before != trouble
                });
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
