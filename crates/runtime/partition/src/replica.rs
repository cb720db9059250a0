//! A second state of a partition, for reading threads: fed with what has become durable.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use coreto_log::{LogReader, PartitionLog, PartitionName, SnapshotMeta};
use coreto_machine::{Changes, Machine, Place, Tables, Topic};

use crate::batch::{BatchError, Body, records};
use crate::driver::describe;
use crate::partition::LEDGER_BIT;
use crate::shared::Shared;
use crate::store::{StoreError, read_snapshot};

/// Hears which topics were touched once the replica shows it, and up to which batch it does; no list when any may have
/// been, since the state was put in as a whole.
pub type Observer = dyn Fn(Option<&[Topic]>, u64) + Send + Sync;

/// A second state of a partition. Readers share it, and wait for no more than a batch to be applied.
pub struct Replica<M: Machine> {
    state: RwLock<Option<M::State>>,
    /// All batches up to this one are applied. Changes with the state, under its lock.
    applied: AtomicU64,
    /// Counts how often the state was put in from outside, after which the log is read anew.
    seeded: AtomicU64,
    /// Since when it is known to lag, if it does.
    behind: Mutex<Option<Instant>>,
    /// Nothing is applied; for tests.
    held: AtomicBool,
    observer: Box<Observer>,
}

/// How long the feed sleeps at most when nobody wakes it.
const NAP: Duration = Duration::from_secs(30);

/// How long the feed rests when the log cannot be read.
const PAUSE: Duration = Duration::from_secs(1);

impl<M: Machine> Replica<M> {
    /// A replica that is empty until its partition has started.
    pub fn new(observer: Box<Observer>) -> Self {
        Self {
            state: RwLock::new(None),
            applied: AtomicU64::new(0),
            seeded: AtomicU64::new(0),
            behind: Mutex::new(None),
            held: AtomicBool::new(false),
            observer,
        }
    }

    /// Looks at the state. What it gives away should be handles, so that the next batch does not wait for long.
    ///
    /// Nothing when the partition has not started yet.
    pub fn read<T>(&self, look: impl FnOnce(&M::State) -> T) -> Option<T> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// All batches up to this one can be seen.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// How far it is behind the last durable batch, `durable`, in time: since when it has not shown all that was there.
    pub fn lag(&self, durable: u64) -> Duration {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        if self.applied() >= durable {
            *behind = None;
            return Duration::ZERO;
        }
        behind.get_or_insert_with(Instant::now).elapsed()
    }

    /// Holds the feed back, or lets it go on; for tests of what readers are told meanwhile.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
    }

    /// Puts in the state as it is up to a batch.
    pub(crate) fn seed(&self, state: M::State, upto: u64) {
        self.put(state, upto, |_| true);
    }

    /// Puts a state in, if this many have been until now, or however many: who recovers the partition knows better than
    /// who reads a snapshot meanwhile.
    fn put(&self, state: M::State, upto: u64, is_wanted: impl FnOnce(u64) -> bool) {
        let mut held = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !is_wanted(self.seeded.load(Ordering::Acquire)) {
            return;
        }
        let before = held.replace(state);
        self.applied.store(upto, Ordering::Release);
        self.seeded.fetch_add(1, Ordering::AcqRel);
        drop(held);
        // Nobody waits for what was there before to be given back.
        drop(before);
        (self.observer)(None, upto);
    }

    /// Applies the batch that comes next; another one is of no use to the state that was put in meanwhile.
    fn apply(&self, sequence: u64, payload: &[u8]) -> Result<(), BatchError> {
        let mut touched = Vec::new();
        let mut held = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = held.as_mut().filter(|_| sequence == self.applied() + 1) else { return Ok(()) };
        if !payload.is_empty() {
            let read = records::<M>(payload, |record| {
                if let Body::Event(event) = record.body {
                    M::apply(state, &event);
                    M::touched(&event, &mut |topic| touched.push(topic));
                }
            });
            match read {
                Ok(header) => state.set_counter(header.counter),
                // It is read again, from its beginning.
                Err(error) => {
                    state.undo();
                    return Err(error);
                }
            }
            state.commit();
            // Nobody writes a store of it.
            state.take_changes(&mut Changes::default());
        }
        self.applied.store(sequence, Ordering::Release);
        drop(held);
        *self.behind.lock().unwrap_or_else(PoisonError::into_inner) = None;
        (self.observer)(Some(&touched), sequence);
        Ok(())
    }
}

/// Feeds a replica from the log of its partition.
pub(crate) struct Feed<M: Machine, L> {
    pub(crate) log: Arc<L>,
    pub(crate) name: PartitionName,
    pub(crate) place: Place,
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) replica: Arc<Replica<M>>,
    pub(crate) stopping: Arc<AtomicBool>,
}

/// Why a replica is not fed.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error("the log cannot be read")]
    Log(#[source] coreto_log::Error),
    #[error("batch {sequence} cannot be applied")]
    Batch { sequence: u64, source: BatchError },
    #[error("what is missing in the log is in no snapshot that can be read")]
    NoSnapshot,
}

impl<M: Machine, L: PartitionLog> Feed<M, L> {
    /// Works until the group stops. What cannot be read is told and tried again: readers see that it lags.
    pub(crate) fn run(self) {
        // Bound: until the group stops.
        while !self.stopping.load(Ordering::Acquire) {
            let fed = match self.follow() {
                Err(FeedError::Log(coreto_log::Error::Trimmed { wanted, .. })) => self.leap(wanted),
                fed => fed,
            };
            if let Err(error) = fed {
                let error = describe(&error);
                tracing::error!(partition = %self.name, error, "the replica is not fed; the log is read anew");
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Reads from where the replica is, until another state is put in.
    fn follow(&self) -> Result<(), FeedError> {
        let seeded = self.replica.seeded.load(Ordering::Acquire);
        let mut reader = self.log.read(&self.name, self.replica.applied() + 1).map_err(FeedError::Log)?;
        let mut read = None;
        let goes_on = || {
            !self.stopping.load(Ordering::Acquire) && self.replica.seeded.load(Ordering::Acquire) == seeded
        };
        while goes_on() {
            let applied = self.replica.applied();
            if self.shared.wait_durable_while(applied, NAP, goes_on) <= applied {
                continue;
            }
            // From now on it lags, however long what follows takes.
            self.replica.lag(self.shared.durable());
            if self.replica.held.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            if read.is_none() {
                read = reader.next().map_err(FeedError::Log)?;
            }
            // A batch can be read before it is durable.
            if let Some(batch) = read.take_if(|batch| batch.sequence <= self.shared.durable()) {
                let sequence = batch.sequence;
                let applied = self.replica.apply(sequence, &batch.payload);
                applied.map_err(|source| FeedError::Batch { sequence, source })?;
            }
        }
        Ok(())
    }

    /// The log was trimmed up to behind where the replica is: it goes on from the newest snapshot that has what is
    /// missing.
    fn leap(&self, wanted: u64) -> Result<(), FeedError> {
        let seeded = self.replica.seeded.load(Ordering::Acquire);
        let snapshots = self.log.snapshots(&self.name).map_err(FeedError::Log)?;
        for snapshot in snapshots.iter().filter(|snapshot| snapshot.sequence >= wanted) {
            let sequence = snapshot.sequence;
            match self.load(snapshot) {
                Ok(state) => {
                    tracing::warn!(partition = %self.name, wanted, sequence, "the log was trimmed before the replica had read it; it goes on from a snapshot");
                    self.replica.put(state, sequence, |now| now == seeded);
                    return Ok(());
                }
                Err(error) => {
                    tracing::error!(partition = %self.name, sequence, error, "a snapshot cannot be read; trying the one before");
                }
            }
        }
        Err(FeedError::NoSnapshot)
    }

    /// The state as a snapshot has it. What the partition keeps beside its machine's state is passed over.
    fn load(&self, snapshot: &SnapshotMeta) -> Result<M::State, String> {
        let mut input = self.log.get_snapshot(&self.name, snapshot).map_err(|error| describe(&error))?;
        let mut state = M::State::create(self.place);
        let mut load = |table: u32, key: &[u8], value: &[u8]| match table & LEDGER_BIT {
            0 => state.load(table, key, value).map_err(|error| StoreError::of_entry(table, &error)),
            _ => Ok(()),
        };
        read_snapshot(&mut input, &mut load).map_err(|error: StoreError| describe(&error))?;
        state.loaded();
        Ok(state)
    }
}
