//! `coreto.v1.Inspect/Watch`: durable records as they come, from whoever reads the log.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use coreto_protocol::inspect as pb;
use coreto_record::{Key, ProcessInstanceKey};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tonic::Status;

use crate::gateway::Shared;
use crate::status::Failure;

/// Reads durable records for watchers, and renders them.
pub trait Watcher: Send + Sync + 'static {
    /// Begins to feed records to one watcher, on a thread of its own; it ends when [`Feed::put`] says so.
    /// Called on a runtime thread: must not block.
    ///
    /// # Errors
    /// When that cannot be watched, and why.
    fn watch(&self, wish: Wish, feed: Feed) -> Result<(), WatchError>;
}

/// What to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Records of this process instance only.
    pub instance: Option<ProcessInstanceKey>,
    /// What happened.
    pub events: bool,
    /// What was wished for.
    pub commands: bool,
    /// What was wished for and refused.
    pub rejections: bool,
    /// Begin behind this position; from now on, if none.
    pub after: Option<u64>,
}

/// Why something cannot be watched.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WatchError {
    /// The records behind the position are no longer, or not yet, in the log; or it has several partitions.
    #[error("cannot watch from there: {reason}")]
    Position {
        /// Why.
        reason: String,
    },
    /// The log cannot be read.
    #[error("cannot read the log: {reason}")]
    Log {
        /// Why.
        reason: String,
    },
}

/// Records that became durable together, or a part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// The partition that they are from.
    pub partition: u32,
    /// The position of the last one.
    pub position: u64,
    /// Each one a JSON object, in order of position. Not more than about a megabyte together.
    pub records: Vec<String>,
}

/// Where records for one watcher go.
pub struct Feed {
    sender: mpsc::Sender<Watched>,
    end: Arc<OnceLock<Failure>>,
    /// Its place among those that watch; free again once the reader has ended.
    _place: OwnedSemaphorePermit,
}

/// Nothing more shall be fed: the watcher is gone, reads too slowly, or the server drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

/// How many messages may wait for a watcher.
const WAITING_MAX: usize = 16;

/// How long a watcher may leave them waiting.
const PATIENCE: Duration = Duration::from_secs(10);

impl Feed {
    /// Hands records over. Blocks while too much waits for the watcher, for a bounded time.
    ///
    /// # Errors
    /// When nothing more shall be fed.
    pub fn put(&self, mut watched: Watched) -> Result<(), Ended> {
        const PAUSE: Duration = Duration::from_millis(2);
        let since = Instant::now();
        loop {
            if self.end.get().is_some() {
                return Err(Ended);
            }
            match self.sender.try_send(watched) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(Ended),
                Err(mpsc::error::TrySendError::Full(back)) => watched = back,
            }
            if since.elapsed() >= PATIENCE {
                self.end(Failure::SlowWatcher { after: PATIENCE });
                return Err(Ended);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether nothing more shall be fed; to be asked while there is nothing to feed.
    pub fn is_closed(&self) -> bool {
        self.end.get().is_some() || self.sender.is_closed()
    }

    /// Ends the watch with an error, for all that feed it.
    pub fn fail(&self, error: WatchError) {
        self.end(error.into());
    }

    fn end(&self, failure: Failure) {
        // Only the first reason counts.
        let _ = self.end.set(failure);
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Position { reason } => Self::invalid("afterPosition", reason),
            WatchError::Log { .. } => Self::Lost { reason: error.to_string().into() },
        }
    }
}

/// The messages of one watch.
pub(crate) struct Events {
    receiver: mpsc::Receiver<Watched>,
    end: Option<Arc<OnceLock<Failure>>>,
    drained: Pin<Box<dyn Future<Output = ()> + Send>>,
}

pub(crate) fn open(shared: &Shared, request: &pb::WatchRequest) -> Result<Events, Failure> {
    let wish = wish(request)?;
    let place = Arc::clone(&shared.watches)
        .try_acquire_owned()
        .map_err(|_| Failure::TooManyWatch { watches_max: shared.config.watches_max })?;
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let end = Arc::new(OnceLock::new());
    let mut drained: watch::Receiver<bool> = shared.drain.subscribe();
    shared.watcher.watch(wish, Feed { sender, end: Arc::clone(&end), _place: place })?;
    let drained = Box::pin(async move { drop(drained.wait_for(|drained| *drained).await) });
    Ok(Events { receiver, end: Some(end), drained })
}

fn wish(request: &pb::WatchRequest) -> Result<Wish, Failure> {
    let mut wish = Wish {
        instance: match request.process_instance_key {
            0 => None,
            key => Some(ProcessInstanceKey::from_raw(u64::try_from(key).map_err(|_| {
                Failure::invalid("process_instance_key", format!("{key} is no key; keys are positive"))
            })?)),
        },
        events: request.record_types.is_empty(),
        commands: request.record_types.is_empty(),
        rejections: request.record_types.is_empty(),
        after: request
            .after_position
            .map(u64::try_from)
            .transpose()
            .map_err(|_| Failure::invalid("after_position", "it must not be negative"))?,
    };
    for kind in &request.record_types {
        match pb::RecordType::try_from(*kind) {
            Ok(pb::RecordType::Event) => wish.events = true,
            Ok(pb::RecordType::Command) => wish.commands = true,
            Ok(pb::RecordType::Rejection) => wish.rejections = true,
            Ok(pb::RecordType::Unspecified) | Err(_) => {
                return Err(Failure::invalid("record_types", format!("{kind} is no kind of record")));
            }
        }
    }
    Ok(wish)
}

impl tokio_stream::Stream for Events {
    type Item = Result<pb::WatchEvent, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.end.is_none() {
            return Poll::Ready(None);
        }
        if self.drained.as_mut().poll(context).is_ready() {
            self.end = None;
            return Poll::Ready(None);
        }
        if let Some(Watched { partition, position, records }) =
            std::task::ready!(self.receiver.poll_recv(context))
        {
            let position = position.cast_signed();
            return Poll::Ready(Some(Ok(pb::WatchEvent { records, partition, position })));
        }
        let end = self.end.take().and_then(Arc::into_inner).and_then(OnceLock::into_inner);
        Poll::Ready(end.map(|failure| Err(failure.into())))
    }
}
