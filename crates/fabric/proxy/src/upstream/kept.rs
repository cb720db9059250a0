//! What one worker keeps of connections to one endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::member::Room;
use crate::wire::Connection;

/// The connections of one worker to one endpoint.
#[derive(Debug)]
pub(super) struct Kept {
    room: Arc<Room>,
    /// Connections of HTTP/1, the latest last.
    idle: Vec<Idle>,
    shared: Vec<Shared>,
    /// How long an unused one of HTTP/2 is kept.
    idle_max: Duration,
    /// Requests of this worker that wait for a connection.
    pub(super) waiting: u32,
    /// Whether a connection that may be one of HTTP/2 is being made, for which others wait.
    pub(super) opening: bool,
    /// Whether the endpoint has chosen HTTP/1.
    pub(super) speaks_one: bool,
    /// Told when a connection or a stream is free, or one of HTTP/2 is made or cannot be.
    pub(super) free: Arc<Notify>,
    /// When one was last left to another worker.
    left_at: Option<Instant>,
}

/// An unused connection of HTTP/1.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) connection: Box<Connection>,
    pub(super) permit: OwnedSemaphorePermit,
    until: Instant,
}

/// A connection of HTTP/2.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) sender: SendRequest<Bytes>,
    streams: Arc<AtomicUsize>,
    line: Arc<Line>,
    pub(super) secure: bool,
    /// Since when it has been seen without a stream.
    idle_since: Option<Instant>,
    free: Arc<Notify>,
}

/// What is known of the way to an endpoint by a shared connection.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Bytes that have come.
    pub(super) heard: Arc<AtomicU64>,
    /// Whether a request has waited for its whole time and nothing at all has come: the endpoint may be gone without a
    /// word. No other request is put there.
    dead: AtomicBool,
}

/// A stream of a shared connection is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    streams: Arc<AtomicUsize>,
    line: Arc<Line>,
    /// What had come when it was opened.
    heard: u64,
    free: Arc<Notify>,
}

/// More idle connections to one endpoint are closed.
const IDLE_MAX: usize = 256;
/// A connection of HTTP/2 with so many streams gets a second one beside it.
const STREAMS_MAX: usize = 100;
/// A worker that needs its connections itself leaves one to others this often, if they wait.
const LEAVE_EVERY: Duration = Duration::from_millis(100);

impl Kept {
    pub(super) fn new(room: Arc<Room>) -> Self {
        Self {
            room,
            idle: Vec::new(),
            shared: Vec::new(),
            idle_max: Duration::ZERO,
            waiting: 0,
            opening: false,
            speaks_one: false,
            free: Arc::default(),
            left_at: None,
        }
    }

    /// Keeps a connection of HTTP/1 for this long, unless another worker needs its place more.
    pub(super) fn put(&mut self, connection: Box<Connection>, permit: OwnedSemaphorePermit, idle: Duration) {
        let now = Instant::now();
        if self.idle.len() >= IDLE_MAX || self.leaves_one(now) {
            return;
        }
        self.idle.push(Idle { connection, permit, until: now + idle });
        if self.waiting > 0 {
            self.free.notify_one();
        }
    }

    /// An unused connection of HTTP/1 that can take another request.
    pub(super) fn take(&mut self) -> Option<Idle> {
        let now = Instant::now();
        // Bound: each turn takes one away.
        while let Some(mut idle) = self.idle.pop() {
            if now < idle.until && idle.connection.is_reusable() {
                return Some(idle);
            }
        }
        None
    }

    /// Keeps a connection of HTTP/2, unused for this long at most.
    pub(super) fn share(
        &mut self,
        sender: SendRequest<Bytes>,
        line: Arc<Line>,
        secure: bool,
        idle_max: Duration,
    ) -> Shared {
        self.idle_max = idle_max;
        let free = Arc::clone(&self.free);
        let shared = Shared { sender, streams: Arc::default(), line, secure, idle_since: None, free };
        self.shared.push(shared.clone());
        shared
    }

    /// A connection of HTTP/2 on which another stream may be opened now.
    pub(super) fn sharing(&mut self) -> Option<Shared> {
        let shared = self.shared.iter_mut().find(|shared| shared.has_room())?;
        shared.idle_since = None;
        Some(shared.clone())
    }

    /// Forgets a connection of HTTP/2 that has ended.
    pub(super) fn forget(&mut self, shared: &Shared) {
        self.shared.retain(|other| !Arc::ptr_eq(&other.streams, &shared.streams));
    }

    /// Gives up as many connections as others wait for; one that has streams ends with them.
    pub(super) fn let_go(&mut self) {
        let mut wanted = self.wanted_by_others();
        let idle = wanted.min(self.idle.len());
        self.idle.drain(..idle);
        wanted -= idle;
        if self.waiting == 0 {
            let shared = wanted.min(self.shared.len());
            self.shared.drain(..shared);
        }
    }

    /// Closes what nobody has used for too long. Whether anything is left.
    pub(super) fn sweep(&mut self, now: Instant) -> bool {
        let is_recent = |since: Instant| now.duration_since(since) < self.idle_max;
        self.idle.retain(|idle| now < idle.until);
        self.shared.retain_mut(|shared| {
            let unused = shared.streams.load(Ordering::Relaxed) == 0;
            shared.idle_since = unused.then(|| shared.idle_since.unwrap_or(now));
            let dead = unused && shared.line.dead.load(Ordering::Relaxed);
            shared.idle_since.is_none_or(is_recent) && !dead
        });
        !self.idle.is_empty() || !self.shared.is_empty() || self.waiting > 0 || self.opening
    }

    /// Whether a connection that is free now is to be another worker's: at once if nobody waits here, else by turns.
    fn leaves_one(&mut self, now: Instant) -> bool {
        let recently = self.left_at.is_some_and(|at| now.duration_since(at) < LEAVE_EVERY);
        let leaves = self.wanted_by_others() > 0 && (self.waiting == 0 || !recently);
        if leaves {
            self.left_at = Some(now);
        }
        leaves
    }

    fn wanted_by_others(&self) -> usize {
        let others = self.room.wanted.load(Ordering::Relaxed).saturating_sub(self.waiting);
        usize::try_from(others).unwrap_or(usize::MAX)
    }
}

impl Shared {
    /// Opens a stream as far as the count goes.
    pub(super) fn enter(&self) -> Counted {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Counted {
            streams: Arc::clone(&self.streams),
            line: Arc::clone(&self.line),
            heard: self.line.heard.load(Ordering::Relaxed),
            free: Arc::clone(&self.free),
        }
    }

    fn has_room(&self) -> bool {
        let max = self.sender.current_max_send_streams().min(STREAMS_MAX);
        self.streams.load(Ordering::Relaxed) < max && !self.line.dead.load(Ordering::Relaxed)
    }
}

impl Counted {
    /// The time of its request is over.
    pub(super) fn note_time_over(&self) {
        if self.line.heard.load(Ordering::Relaxed) == self.heard {
            self.line.dead.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
        self.free.notify_one();
    }
}
