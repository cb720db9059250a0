//! Starts, runs and stops the partitions of a group.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use coreto_log::{Backlog, LogWriter, NodeId, PartitionLog, PartitionName};
use coreto_machine::{Machine, Place, Tables, Timestamp, Topic};

use super::checkpoint::{CheckpointWriter, Progress};
use super::journal::{Ended, Journal, Slot, describe};
use super::lane::{CHECKPOINTS_WAITING_MAX, Lane, Round};
use super::recovery::{RecoverError, Recovered, recover};
use super::schedule::{Schedule, SnapshotPolicy};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::door::{Acknowledgement, Effects, Frame};
use crate::handle::Handle;
use crate::limits::Limits;
use crate::partition::{Partition, said};
use crate::replica::{Feed, Replica};
use crate::shared::{Health, Shared};
use crate::store::{Store, StoreError};

/// How far a partition's time may be ahead of the clock at a start before somebody is told; clocks are set back a little.
const AHEAD_MS: i64 = 60_000;

/// Opens the store of a partition.
pub type OpenStore = dyn Fn(&PartitionName) -> Result<Box<dyn Store>, StoreError> + Send + Sync;

/// Hears which topics were touched.
pub type Watcher = dyn Fn(&[Topic]) + Send + Sync;

/// What the partitions of a group run on.
pub struct Config<M: Machine, L> {
    /// The group's name, which heads directories and log headers.
    pub group: Arc<str>,
    /// How many partitions the group has; fixed when its data directory is made.
    pub partitions: u32,
    /// Threads that handle commands; a partition has one of them for good.
    pub executors: usize,
    /// Where batches become durable.
    pub log: Arc<L>,
    /// Who writes.
    pub node: NodeId,
    /// Opens the store of a partition.
    pub stores: Box<OpenStore>,
    /// Makes what the shell lends to the handlers of a partition.
    pub env: Box<dyn Fn(Place) -> M::Env + Send + Sync>,
    /// Does what is to be done once a batch is durable.
    pub effects: Arc<dyn Effects<M>>,
    /// Second states of the partitions, by number from 1, for those that have one.
    pub replicas: Vec<Arc<Replica<M>>>,
    /// Hears which topics were touched, if anybody does.
    pub watcher: Option<Arc<Watcher>>,
    /// The wall clock.
    pub clock: Arc<Clock>,
    /// Bounds of each partition.
    pub limits: Limits,
    /// When snapshots are made.
    pub snapshots: SnapshotPolicy,
}

/// Why a group cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A partition cannot be recovered.
    #[error("partition `{partition}` cannot be recovered")]
    Recover {
        /// Which.
        partition: PartitionName,
        /// What is wrong.
        source: RecoverError,
    },
    /// A store cannot be opened.
    #[error("the store of partition `{partition}` cannot be opened")]
    Store {
        /// Whose.
        partition: PartitionName,
        /// What is wrong.
        source: StoreError,
    },
    /// The operating system gives no threads or random numbers.
    #[error("the operating system does not give what is needed")]
    System(#[source] io::Error),
}

/// The running partitions of a group.
pub struct Service<M: Machine> {
    handles: Vec<Handle<M>>,
    shared: Vec<Arc<Shared<M>>>,
    stopping: Arc<AtomicBool>,
    executors: Vec<JoinHandle<()>>,
    feeds: Vec<JoinHandle<()>>,
}

/// Carries frames between the partitions of this process.
pub(super) struct Links<M: Machine> {
    handles: OnceLock<Vec<Handle<M>>>,
    watcher: Option<Arc<Watcher>>,
}

impl<M: Machine> Links<M> {
    fn handle(&self, number: u32) -> Option<&Handle<M>> {
        self.handles.get()?.get(number.checked_sub(1)? as usize)
    }

    /// Brings a frame to its receiver. One that does not arrive is sent again later.
    pub(super) fn send(&self, frame: Frame) {
        if let Some(handle) = self.handle(frame.to) {
            let _ = handle.frame(frame);
        }
    }

    /// Brings an acknowledgement to the sender of the frames.
    pub(super) fn acknowledge(&self, acknowledgement: Acknowledgement) {
        if let Some(handle) = self.handle(acknowledgement.to) {
            let _ = handle.acknowledged(acknowledgement);
        }
    }

    pub(super) fn touched(&self, topics: &[Topic]) {
        if let Some(watcher) = &self.watcher {
            watcher(topics);
        }
    }
}

/// What a partition needs to be recovered, at the start and after its log was lost.
struct Ground<M: Machine, L> {
    config: Arc<Config<M, L>>,
    name: PartitionName,
    place: Place,
    shared: Arc<Shared<M>>,
    links: Arc<Links<M>>,
    stopping: Arc<AtomicBool>,
}

/// A partition on its executor.
type Seat<M, L> = (Ground<M, L>, Running<M, <L as PartitionLog>::Writer>);

/// A partition with its threads.
struct Running<M: Machine, W> {
    lane: Lane<M>,
    journal: JoinHandle<W>,
    checkpoints: JoinHandle<Box<dyn Store>>,
}

impl<M: Machine> Service<M> {
    /// Recovers all partitions and starts their threads. Returns when they take requests.
    ///
    /// # Errors
    /// When a partition cannot be recovered; none runs then.
    pub fn start<L: PartitionLog>(config: Config<M, L>) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let links = Arc::new(Links { handles: OnceLock::new(), watcher: config.watcher.clone() });
        let shared: Vec<_> =
            (0..config.partitions).map(|_| Arc::new(Shared::new(config.limits.clone()))).collect();
        let handles: Vec<_> = shared.iter().map(|shared| Handle::new(Arc::clone(shared))).collect();
        let _ = links.handles.set(handles.clone());
        let stopping = Arc::new(AtomicBool::new(false));

        let count = config.executors.clamp(1, shared.len().max(1));
        let mut executors: Vec<Vec<_>> = (0..count).map(|_| Vec::new()).collect();
        let begin = |ground: &Ground<M, L>| {
            let store = (config.stores)(&ground.name)
                .map_err(|source| StartError::Store { partition: ground.name.clone(), source })?;
            ground.start(store)
        };
        for (index, number) in (1..=config.partitions).enumerate() {
            let ground = Ground {
                config: Arc::clone(&config),
                name: PartitionName { group: Arc::clone(&config.group), number },
                place: Place { number, count: config.partitions },
                shared: Arc::clone(&shared[index]),
                links: Arc::clone(&links),
                stopping: Arc::clone(&stopping),
            };
            match begin(&ground) {
                Ok(running) => executors[index % count].push((ground, running)),
                Err(error) => {
                    for (ground, running) in executors.into_iter().flatten() {
                        finish(&ground, running);
                    }
                    return Err(error);
                }
            }
        }
        let executors = executors
            .into_iter()
            .enumerate()
            .map(|(number, lanes)| {
                thread::Builder::new()
                    .name(format!("{}-executor-{}", config.group, number + 1))
                    .spawn(move || execute(lanes))
                    .map_err(StartError::System)
            })
            .collect::<Result<_, _>>()?;
        let feeds = feeds(&config, &shared, &stopping).map_err(StartError::System)?;
        Ok(Self { handles, shared, stopping, executors, feeds })
    }

    /// The doors of the partitions, by number from 1.
    pub fn handles(&self) -> &[Handle<M>] {
        &self.handles
    }

    /// Takes no more requests, finishes what was taken, writes a last checkpoint, and marks the logs as closed.
    pub fn stop(self) {
        for shared in &self.shared {
            shared.close("the server shuts down");
        }
        self.stopping.store(true, Ordering::Release);
        for shared in &self.shared {
            shared.wake();
        }
        for executor in self.executors {
            // A panic of an executor was reported when it happened.
            let _ = executor.join();
        }
        for shared in &self.shared {
            shared.wake_waiters();
        }
        for feed in self.feeds {
            let _ = feed.join();
        }
    }
}

/// Starts the threads that feed the replicas.
fn feeds<M: Machine, L: PartitionLog>(
    config: &Arc<Config<M, L>>,
    shared: &[Arc<Shared<M>>],
    stopping: &Arc<AtomicBool>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let mut feeds = Vec::new();
    for (number, (shared, replica)) in (1..).zip(shared.iter().zip(&config.replicas)) {
        let feed = Feed {
            log: Arc::clone(&config.log),
            name: PartitionName { group: Arc::clone(&config.group), number },
            place: Place { number, count: config.partitions },
            shared: Arc::clone(shared),
            replica: Arc::clone(replica),
            stopping: Arc::clone(stopping),
        };
        let named = thread::Builder::new().name(format!("{}-replica", feed.name));
        feeds.push(named.spawn(move || feed.run())?);
    }
    Ok(feeds)
}

impl<M: Machine, L: PartitionLog> Ground<M, L> {
    /// Recovers the partition and starts its log and checkpoint threads.
    fn start(&self, mut store: Box<dyn Store>) -> Result<Running<M, L::Writer>, StartError> {
        let config = &self.config;
        self.shared.set_health(Health::Recovering);
        let mut seeds = Chance::from_system().map_err(StartError::System)?;
        let mut fresh = || {
            let env = (config.env)(self.place);
            let mut chance = seeds.fork();
            Partition::create(self.place, env, config.limits.clone(), Box::new(move || chance.bits()))
        };
        let recovered = recover(&*config.log, &self.name, config.node, &mut *store, &mut fresh)
            .map_err(|source| StartError::Recover { partition: self.name.clone(), source })?;
        let Recovered { mut partition, writer, store_is_new } = recovered;
        if store_is_new {
            partition.rewrite();
        }
        partition.start(writer.epoch());
        partition.watch(config.watcher.is_some());
        if let Some(at) = M::pinned(partition.state()).filter(|_| config.clock.is_controlled()) {
            config.clock.restore(at);
            partition.reset_clock(config.clock.now());
        }
        let wall = config.clock.now();
        if is_ahead(partition.now(), wall) {
            tracing::warn!(
                partition = %self.name,
                partition_time = %partition.now(),
                wall_time = %wall,
                "the partition's time is ahead of the clock and stands still until the clock reaches it; was its clock controlled before?"
            );
        }
        let sequence = writer.next_sequence() - 1;
        if let Some(replica) = config.replicas.get(self.place.number as usize - 1) {
            let state: &M::State = partition.state();
            replica.seed(state.copy(), sequence);
        }
        self.shared.set_durable(sequence);
        self.shared.position.store(partition.position(), Ordering::Relaxed);
        if let Ok(free_bytes) = writer.free_bytes() {
            self.shared.free_bytes.store(free_bytes, Ordering::Relaxed);
        }
        self.spawn(partition, writer, store, sequence)
    }

    fn spawn(
        &self,
        partition: Partition<M>,
        writer: L::Writer,
        store: Box<dyn Store>,
        sequence: u64,
    ) -> Result<Running<M, L::Writer>, StartError> {
        let config = &self.config;
        // A store that cannot say it will fail with the first checkpoint, too.
        let applied = store.applied().ok().flatten();
        let slot = Arc::new(Slot::new());
        let progress = Arc::new(Progress::default());
        let (sender, receiver) = sync_channel(CHECKPOINTS_WAITING_MAX);
        let named = |role: &str| thread::Builder::new().name(format!("{}-{role}", self.name));
        let journal = Journal {
            writer,
            slot: Arc::clone(&slot),
            shared: Arc::clone(&self.shared),
            effects: Arc::clone(&config.effects),
            links: Arc::clone(&self.links),
            space_checked: None,
            stopping: Arc::clone(&self.stopping),
        };
        let checkpoint_writer = CheckpointWriter {
            log: Arc::clone(&config.log),
            name: self.name.clone(),
            store,
            shared: Arc::clone(&self.shared),
            progress: Arc::clone(&progress),
            applied,
            retention: config.snapshots.retention,
            schedule: self.schedule(),
        };
        let journal = named("log").spawn(move || journal.run()).map_err(StartError::System)?;
        let checkpoints = named("checkpoint")
            .spawn(move || checkpoint_writer.run(&receiver))
            .map_err(StartError::System)?;
        let (_, clock_turns) = config.clock.read();
        let lane = Lane {
            name: self.name.clone(),
            partition,
            shared: Arc::clone(&self.shared),
            slot,
            clock: Arc::clone(&config.clock),
            checkpoints: Some(sender),
            progress,
            sequence,
            clock_turns,
            resent: Instant::now(),
            checkpointed: Instant::now(),
            rewritten: None,
            last_rewrite: false,
            queue: VecDeque::new(),
            stopping: false,
        };
        self.shared.reopen();
        self.shared.set_health(Health::Healthy);
        Ok(Running { lane, journal, checkpoints })
    }

    /// The executor failed outside of any command, which recovery would only repeat: the partition stops and says so.
    fn give_up(&self, mut running: Running<M, L::Writer>, panic: &str) {
        let reason: Arc<str> = format!("the partition failed: {panic}").into();
        tracing::error!(partition = %self.name, panic, "the partition failed outside of a command and stops");
        self.shared.close(&reason);
        running.lane.progress.abandoned.store(true, Ordering::Release);
        // It may fail again: then those who wait are not told.
        let _ = catch_unwind(AssertUnwindSafe(|| running.lane.lose(&reason)));
        self.shared.set_health(Health::Stopped { reason });
    }

    fn schedule(&self) -> Schedule {
        let config = &self.config;
        let backlog = config.log.backlog(&self.name).unwrap_or_else(|error| {
            tracing::warn!(partition = %self.name, error = describe(&error), "snapshots cannot be looked for");
            Backlog::default()
        });
        let counted = self.shared.counters.bytes.load(Ordering::Relaxed);
        Schedule::new(config.snapshots, backlog, counted, Instant::now())
    }

    /// The log was lost: nothing of the open batch counts, and what is durable is read back.
    fn restart(&self, running: Running<M, L::Writer>, reason: &Arc<str>) -> Option<Running<M, L::Writer>> {
        tracing::error!(partition = %self.name, reason = &**reason, "the log was lost");
        let stopping = running.lane.stopping;
        let Running { mut lane, journal, checkpoints } = running;
        lane.progress.abandoned.store(true, Ordering::Release);
        lane.lose(reason);
        lane.checkpoints = None;
        drop(journal.join());
        let Ok(store) = checkpoints.join() else {
            return self.cannot_go_on("its checkpoint thread panicked".into());
        };
        if stopping {
            return None;
        }
        self.start(store).map_or_else(|error| self.cannot_go_on(describe(&error).into()), Some)
    }

    fn cannot_go_on<T>(&self, reason: Arc<str>) -> Option<T> {
        tracing::error!(partition = %self.name, reason = &*reason, "the partition stops");
        self.shared.set_health(Health::Stopped { reason });
        None
    }
}

/// Whether a partition's time stands still for so long that it is to be told.
const fn is_ahead(partition: Timestamp, wall: Timestamp) -> bool {
    partition.as_millis().saturating_sub(wall.as_millis()) >= AHEAD_MS
}

/// Runs the lanes of one executor until all have ended.
fn execute<M: Machine, L: PartitionLog>(lanes: Vec<Seat<M, L>>) {
    let mut lanes: Vec<_> = lanes.into_iter().map(Some).collect();
    for (ground, _) in lanes.iter().flatten() {
        ground.shared.attach(thread::current());
    }
    while lanes.iter().any(Option::is_some) {
        let mut nap = Some(Duration::from_secs(1));
        for entry in &mut lanes {
            let Some((ground, mut running)) = entry.take() else { continue };
            running.lane.stopping = ground.stopping.load(Ordering::Acquire);
            let round = catch_unwind(AssertUnwindSafe(|| running.lane.round()));
            let round = match round {
                Ok(round) => round,
                Err(panic) => {
                    ground.give_up(running, &said(&*panic));
                    continue;
                }
            };
            match round {
                Round::Worked => nap = None,
                Round::Idle(time) => nap = nap.map(|nap| nap.min(time)),
                Round::Ended(Ended::Stopped) => {
                    finish(&ground, running);
                    continue;
                }
                Round::Ended(Ended::Lost { reason }) => {
                    nap = None;
                    *entry = ground.restart(running, &reason).map(|running| (ground, running));
                    continue;
                }
            }
            *entry = Some((ground, running));
        }
        if let Some(nap) = nap
            && lanes.iter().any(Option::is_some)
        {
            thread::park_timeout(nap);
        }
    }
}

/// The partition was told to stop and is idle, or never began: closes store and log.
fn finish<M: Machine, L: PartitionLog>(ground: &Ground<M, L>, running: Running<M, L::Writer>) {
    let Running { mut lane, journal, checkpoints } = running;
    let reason: Arc<str> = "the server has shut down".into();
    ground.shared.close(&reason);
    lane.lose(&reason);
    drop(lane);
    if checkpoints.join().is_err() {
        tracing::error!(partition = %ground.name, "the checkpoint thread panicked");
    }
    ground.shared.set_health(Health::Stopped { reason });
    let Ok(writer) = journal.join() else { return };
    if let Err(error) = writer.close() {
        tracing::warn!(partition = %ground.name, error = describe(&error), "the log could not be marked as closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_of_a_time_that_stands_still_for_long() {
        for (partition, wall, told) in
            [(0, 100_000, false), (159_999, 100_000, false), (160_000, 100_000, true)]
        {
            let (partition, wall) = (Timestamp::from_millis(partition), Timestamp::from_millis(wall));
            assert_eq!(is_ahead(partition, wall), told, "{partition} and {wall}");
        }
    }
}
