//! What those share who watch the same: one reader, and what it has read last.
//!
//! A feed waits for changes as one client would, so that a state is read and serialised once for all who watch it. It
//! keeps the latest state alone: who is slow misses states in between, and costs nothing.

use std::collections::BTreeMap;
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
}

/// The feeds that are read, by what they are about.
#[derive(Default)]
pub(crate) struct Feeds(Mutex<BTreeMap<Arc<str>, watch::Sender<Told>>>);

impl Feeds {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, watch::Sender<Told>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        if feeds.len() >= FEEDS_MAX {
            return None;
        }
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
                sender.send_replace(told);
            }
            Err(fault) => {
                known = 0;
                let trouble = Told::Trouble(fault.sentence().into());
                sender.send_if_modified(|told| std::mem::replace(told, trouble.clone()) != trouble);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
