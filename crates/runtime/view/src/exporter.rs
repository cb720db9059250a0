//! A reader of the log that feeds a sink, on a thread of its own.

mod progress;
mod sequences;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use coreto_engine::Engine;
use coreto_log::{PartitionLog, PartitionName};
use coreto_partition::Handle;

use crate::filter::Filter;
use crate::sink::Sink;
use work::Work;

pub use progress::Progress;

/// What an exporter reads, and how.
pub struct Config<L> {
    /// Its name, which its cursor has, too: letters, digits and hyphens.
    pub name: Arc<str>,
    /// Whose log.
    pub partition: PartitionName,
    /// The log.
    pub log: Arc<L>,
    /// The partition's door.
    pub handle: Handle<Engine>,
    /// Which records.
    pub filter: Filter,
    /// How long records wait at most for a fuller request: longer means fewer requests, and records that arrive later.
    pub delay: Duration,
}

/// An exporter that was not started yet.
pub struct Exporter<L, S> {
    config: Config<L>,
    sink: S,
}

/// A running exporter.
pub struct Running {
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// How long [`Running::stop`] waits for a sink that is in the middle of something.
const GRACE: Duration = Duration::from_secs(10);
/// How far an exporter stands back behind the rest of the program.
const NICENESS: i32 = 5;

impl<L: PartitionLog, S: Sink> Exporter<L, S> {
    /// An exporter that feeds `sink`.
    pub const fn new(config: Config<L>, sink: S) -> Self {
        Self { config, sink }
    }

    /// Starts the exporter on a thread of its own, where its cursor stands.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self) -> std::io::Result<Running> {
        let progress = Arc::new(Progress::default());
        let stop = Arc::new(AtomicBool::new(false));
        let work = Work::new(self.config, self.sink, Arc::clone(&progress), Arc::clone(&stop));
        let thread = thread::Builder::new().name(work.thread_name()).spawn(|| {
            stand_back();
            work.run();
        })?;
        Ok(Running { progress, stop, thread })
    }
}

/// Lets the partition's threads go first when processors are scarce: an exporter may lag, a client waits.
fn stand_back() {
    // On Linux this is of the calling thread, elsewhere of the whole process.
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICENESS)
    {
        tracing::debug!(%error, "an exporter runs with the priority of the partition");
    }
}

impl Running {
    /// How far it is.
    pub const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Ends it once it has tried to send all that is durable, or ten seconds later. What did not arrive is sent after
    /// the next start.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let deadline = Instant::now() + GRACE;
        while !self.thread.is_finished() {
            if Instant::now() >= deadline {
                tracing::warn!(
                    "an exporter is still sending and is left behind; it goes on after the next start"
                );
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        if self.thread.join().is_err() {
            tracing::error!("an exporter ended by a panic");
        }
    }
}
