//! Frames of HTTP/2 that cost work and carry nothing: they may come, and not without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::limit::{Rate, Tally, Verdict};
use crate::moment::Moment;

/// Counts such frames as they are read. The library bounds streams that are reset and heads that do not end.
#[derive(Debug)]
pub(super) struct Guard {
    /// What is left of the client's first words, or of a frame's payload.
    skip: usize,
    /// The head of a frame, as far as it has come.
    head: [u8; HEAD_BYTES],
    known: usize,
    rate: Rate,
    tally: Tally,
    /// Bytes that were sent, for which the client may still say that it has taken them.
    untold: usize,
    started: Instant,
    /// What is known of the head of a message that has begun.
    block: Block,
    /// Whether a head has begun and waits for the rest, since bytes were last looked at.
    waits: bool,
    seen: Arc<Seen>,
}

/// The head of a message, which may be in several frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    None,
    /// Its last frame is coming.
    Last,
    /// Another frame follows.
    Open,
}

/// What was seen of a connection, for those who own it.
#[derive(Clone, Debug)]
pub struct Watched {
    seen: Arc<Seen>,
    started: Instant,
}

#[derive(Debug, Default)]
struct Seen {
    /// More came than may.
    flooded: AtomicBool,
    /// When the head began that waits for the rest, in milliseconds from the start; [`NONE`] without one.
    waits_since: AtomicU64,
}

/// No time.
const NONE: u64 = u64::MAX;

const HEAD_BYTES: usize = 9;
const PREFACE_BYTES: usize = 24;
/// As many at once, and a tenth of them in each second: far more than clients that measure the way by PING send.
const BURST: u32 = 10_000;
const PER_SECOND: u32 = 1_000;
/// So many bytes are sent for each `WINDOW_UPDATE` that is to be expected: a client that says so of each small frame, for
/// the stream and for the connection, does not come up to it.
const UPDATE_BYTES: usize = 16;
/// No more of what was sent is remembered.
const UNTOLD_BYTES_MAX: usize = 16 << 20;

impl Watched {
    /// Whether more came than may of what carries nothing.
    pub fn is_flooded(&self) -> bool {
        self.seen.flooded.load(Ordering::Relaxed)
    }

    /// Since when the head of a message has been waiting for its rest.
    pub fn head_since(&self) -> Option<Instant> {
        let since = self.seen.waits_since.load(Ordering::Relaxed);
        (since != NONE).then(|| self.started + Duration::from_millis(since))
    }
}

impl Guard {
    /// For a connection whose first words are still to be read.
    pub(super) fn new() -> (Self, Watched) {
        let seen = Arc::new(Seen { waits_since: AtomicU64::new(NONE), ..Seen::default() });
        let started = Instant::now();
        let guard = Self {
            skip: PREFACE_BYTES,
            head: [0; HEAD_BYTES],
            known: 0,
            rate: Rate::new(PER_SECOND, Duration::from_secs(1), BURST),
            tally: Tally::default(),
            untold: 0,
            started,
            block: Block::None,
            waits: false,
            seen: Arc::clone(&seen),
        };
        (guard, Watched { seen, started })
    }

    pub(super) fn is_flooded(&self) -> bool {
        self.seen.flooded.load(Ordering::Relaxed)
    }

    /// Whether a head that was looked at last waits for its rest, and did not before.
    pub(super) fn begins_to_wait(&mut self) -> bool {
        let waits = match self.block {
            Block::None => self.known > 0,
            Block::Last | Block::Open => true,
        };
        let begins = waits && !self.waits;
        if waits != self.waits {
            let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NONE);
            self.seen.waits_since.store(if waits { now } else { NONE }, Ordering::Relaxed);
        }
        self.waits = waits;
        begins
    }

    /// Looks at bytes that were read.
    pub(super) fn look(&mut self, mut bytes: &[u8]) {
        let mut idle = 0_u32;
        // Bound: each turn takes some of the bytes.
        while !bytes.is_empty() {
            if self.skip > 0 {
                let take = self.skip.min(bytes.len());
                self.skip -= take;
                bytes = &bytes[take..];
                if self.skip == 0 && self.block == Block::Last {
                    self.block = Block::None;
                }
                continue;
            }
            let take = (HEAD_BYTES - self.known).min(bytes.len());
            self.head[self.known..self.known + take].copy_from_slice(&bytes[..take]);
            self.known += take;
            bytes = &bytes[take..];
            if self.known == HEAD_BYTES {
                self.known = 0;
                let [high, middle, low, kind, flags, ..] = self.head;
                let length = u32::from_be_bytes([0, high, middle, low]);
                self.skip = usize::try_from(length).unwrap_or(usize::MAX);
                if matches!(kind, HEADERS | CONTINUATION) {
                    self.block = match (flags & END_HEADERS, self.skip) {
                        (0, _) => Block::Open,
                        (_, 0) => Block::None,
                        (_, _) => Block::Last,
                    };
                }
                idle += u32::from(is_idle(kind, flags, length) || (kind == UPDATE && !self.is_expected()));
            }
        }
        if idle > 0 {
            self.count(idle);
        }
    }

    /// Takes note of bytes that were sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.untold = self.untold.saturating_add(bytes).min(UNTOLD_BYTES_MAX);
    }

    /// Whether another `WINDOW_UPDATE` can be about something that was sent.
    fn is_expected(&mut self) -> bool {
        let left = self.untold.checked_sub(UPDATE_BYTES);
        self.untold = left.unwrap_or(self.untold);
        left.is_some()
    }

    fn count(&mut self, frames: u32) {
        let now = Moment::after_start(self.started.elapsed());
        let over = (0..frames).any(|_| matches!(self.tally.ask(now, &self.rate), Verdict::Limited { .. }));
        if over {
            self.seen.flooded.store(true, Ordering::Relaxed);
        }
    }
}

/// Kinds of frames, and what says that no CONTINUATION follows.
const HEADERS: u8 = 1;
const UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// DATA with nothing in it that ends nothing, PRIORITY, SETTINGS, PING, and what no version has.
fn is_idle(kind: u8, flags: u8, length: u32) -> bool {
    const END: u8 = 1;
    match kind {
        0 => length == 0 && flags & END == 0,
        HEADERS | 3 | 7 | UPDATE | CONTINUATION => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        [&[0, 0, length, kind, flags, 0, 0, 0, 1][..], &vec![6; usize::from(length)]].concat()
    }

    fn flooded(frames: impl IntoIterator<Item = Vec<u8>>, piece: usize, sent: usize) -> bool {
        let (mut guard, flooded) = Guard::new();
        guard.sent(sent);
        let bytes: Vec<u8> =
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".iter().copied().chain(frames.into_iter().flatten()).collect();
        bytes.chunks(piece).for_each(|piece| guard.look(piece));
        flooded.is_flooded()
    }

    #[test]
    fn knows_when_a_head_waits_for_its_rest() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let part = |bytes: Vec<u8>, count: usize| bytes[..count].to_vec();
        for (frames, waits) in [
            (vec![], false),
            (vec![frame(1, 4, 5)], false),
            (vec![frame(1, 0, 5)], true),
            (vec![frame(1, 0, 5), frame(9, 0, 3)], true),
            (vec![frame(1, 0, 5), frame(9, 4, 3)], false),
            (vec![frame(1, 0, 5), frame(9, 4, 0)], false),
            (vec![part(frame(1, 4, 5), 12)], true),
            (vec![part(frame(1, 4, 5), 3)], true),
            (vec![part(frame(0, 0, 5), 12)], false),
        ] {
            let bytes: Vec<u8> = preface.iter().copied().chain(frames.into_iter().flatten()).collect();
            for piece in [1, 4, 100] {
                let (mut guard, watched) = Guard::new();
                for piece in bytes.chunks(piece) {
                    guard.look(piece);
                    guard.begins_to_wait();
                }
                assert_eq!(watched.head_since().is_some(), waits, "{:?} {piece}", &bytes[24..]);
                assert!(!guard.begins_to_wait(), "that is told once");
            }
        }
    }

    #[test]
    fn counts_what_carries_nothing_however_it_comes() {
        let many = |frame: Vec<u8>| std::iter::repeat_n(frame, 30_000);
        for (kind, flags, length, expected) in [
            (6, 0, 8, true),
            (4, 0, 6, true),
            (4, 1, 0, true),
            (2, 0, 5, true),
            (0x20, 0, 3, true),
            (0, 0, 0, true),
            (0, 1, 0, false),
            (0, 0, 1, false),
            (1, 4, 10, false),
            (8, 0, 4, true),
        ] {
            for piece in [7, 16_384] {
                assert_eq!(
                    flooded(many(frame(kind, flags, length)), piece, 0),
                    expected,
                    "{kind} {flags} {length}"
                );
            }
        }
        assert!(!flooded(std::iter::repeat_n(frame(6, 0, 8), 9_000), 16_384, 0));
        assert!(!flooded(many(frame(8, 0, 4)), 16_384, 30_000 * UPDATE_BYTES), "it was sent so much");
        assert!(flooded(many(frame(6, 0, 8)), 16_384, 30_000 * UPDATE_BYTES));
    }
}
