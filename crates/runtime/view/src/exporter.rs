//! The thread that reads the log behind its writer and feeds a sink.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use coreto_engine::Engine;
use coreto_log::{Cursor, Error, LogReader, PartitionLog, PartitionName};
use coreto_partition::{Handle, Record, records};
use coreto_record::protocol::ValueType;

use crate::definitions::Definitions;
use crate::filter::Filter;
use crate::render::Renderer;
use crate::sink::{Document, Sink};

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
    /// How long records wait at most for a fuller request.
    pub delay: Duration,
}

/// How far an exporter is.
#[derive(Debug, Default)]
pub struct Progress {
    sequence: AtomicU64,
    position: AtomicU64,
    timestamp: AtomicI64,
    skipped: AtomicU64,
    failures: AtomicU64,
}

impl Progress {
    /// The last batch whose records have arrived.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// The last record that has arrived.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Batches that were trimmed before they could be exported.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Failed attempts to send.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
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

impl Running {
    /// How far it is.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Ends it after one last attempt to send what it has.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        // A panic was reported when it happened.
        let _ = self.thread.join();
    }
}

/// How often the cursor is written at most.
const CURSOR_INTERVAL: Duration = Duration::from_millis(500);

/// How long it waits for more before it looks whether it shall stop.
const NAP: Duration = Duration::from_millis(200);

/// Pauses between attempts to send.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

impl<L: PartitionLog, S: Sink> Exporter<L, S> {
    /// An exporter that feeds `sink`.
    pub const fn new(config: Config<L>, sink: S) -> Self {
        Self { config, sink }
    }

    /// Starts the exporter on a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self) -> std::io::Result<Running> {
        let progress = Arc::new(Progress::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopping) = (Arc::clone(&progress), Arc::clone(&stop));
        let thread =
            thread::Builder::new().name(format!("export-{}", self.config.name)).spawn(move || {
                let number = self.config.partition.number;
                let definitions = Definitions::new(self.config.handle.clone());
                let work = Work {
                    renderer: Renderer::new(number, definitions),
                    config: self.config,
                    sink: self.sink,
                    progress: shared,
                    stop: stopping,
                    next: 1,
                    written: 0,
                    written_at: Instant::now(),
                    sequences: Sequences::default(),
                    json: Vec::new(),
                    oldest: None,
                    pending: Pending::default(),
                    inside: false,
                };
                work.run();
            })?;
        Ok(Running { progress, stop, thread })
    }
}

/// Counts the records of each value type, for readers that page by it.
#[derive(Clone, Default)]
struct Sequences(Vec<(u32, u64)>);

/// What the documents that were added lead up to.
#[derive(Clone, Copy, Default)]
struct Pending {
    sequence: u64,
    position: u64,
    timestamp: i64,
}

struct Work<L, S> {
    config: Config<L>,
    sink: S,
    renderer: Renderer,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
    /// The batch to read next.
    next: u64,
    /// The batch that the cursor names.
    written: u64,
    written_at: Instant,
    sequences: Sequences,
    json: Vec<u8>,
    /// Since when the oldest document waits.
    oldest: Option<Instant>,
    pending: Pending,
    /// A batch is being read: a cursor must not name it yet.
    inside: bool,
}

impl<L: PartitionLog, S: Sink> Work<L, S> {
    fn run(mut self) {
        self.begin();
        let mut reader = None;
        while !self.stop.load(Ordering::Acquire) {
            if reader.is_none() {
                reader = self.open();
            }
            let Some(open) = reader.as_mut() else {
                thread::sleep(NAP);
                continue;
            };
            match self.read(open) {
                Ok(true) => (),
                Ok(false) => self.wait(),
                Err(error) => {
                    tracing::error!(
                        exporter = &*self.config.name,
                        error = told(&error),
                        "the log cannot be read"
                    );
                    reader = None;
                    thread::sleep(PAUSE_MAX);
                }
            }
        }
        if self.sink.flush().is_ok() {
            self.arrived();
        }
        self.write_cursor();
    }

    /// Goes on where the cursor is.
    fn begin(&mut self) {
        let cursors = self.config.log.cursors(&self.config.partition).unwrap_or_default();
        if let Some(cursor) = cursors.into_iter().find(|cursor| cursor.name == self.config.name) {
            self.next = cursor.sequence + 1;
            self.written = cursor.sequence;
            self.sequences = Sequences::decode(&cursor.data);
        }
        self.pending.sequence = self.written;
    }

    fn open(&mut self) -> Option<L::Reader> {
        match self.config.log.read(&self.config.partition, self.next) {
            Ok(reader) => Some(reader),
            Err(Error::Trimmed { wanted, first }) => {
                tracing::warn!(
                    exporter = &*self.config.name,
                    wanted,
                    first,
                    "batches were trimmed before they were exported; going on behind the gap"
                );
                self.progress.skipped.fetch_add(first - wanted, Ordering::Relaxed);
                self.next = first;
                None
            }
            Err(error) => {
                tracing::error!(
                    exporter = &*self.config.name,
                    error = told(&error),
                    "the log cannot be opened"
                );
                None
            }
        }
    }

    /// Takes one batch; says whether there was one.
    fn read(&mut self, reader: &mut L::Reader) -> Result<bool, Error> {
        let Some(batch) = reader.next()? else { return Ok(false) };
        self.next = batch.sequence + 1;
        if batch.payload.is_empty() {
            self.pending.sequence = batch.sequence;
            return Ok(true);
        }
        self.inside = true;
        let read = records::<Engine>(&batch.payload, |record| self.take(&record));
        self.inside = false;
        self.pending.sequence = batch.sequence;
        if let Err(error) = read {
            tracing::error!(
                exporter = &*self.config.name,
                sequence = batch.sequence,
                error = told(&error),
                "a batch cannot be decoded; its records are not exported"
            );
            self.progress.skipped.fetch_add(1, Ordering::Relaxed);
        }
        if self.sink.is_full() || self.oldest.is_some_and(|oldest| oldest.elapsed() >= self.config.delay) {
            self.send();
        }
        Ok(true)
    }

    fn take(&mut self, record: &Record<Engine>) {
        self.pending.position = record.position;
        self.pending.timestamp = record.timestamp.as_millis();
        if !self.config.filter.passes(record) {
            return;
        }
        let Some(subject) = Renderer::subject(record) else { return };
        let sequence = self.sink.wants_sequence().then(|| {
            let partition = u64::from(self.config.partition.number);
            (partition << 51) + self.sequences.next(subject.value_type)
        });
        self.json.clear();
        self.renderer.render(record, sequence, &mut self.json);
        self.sink.add(&Document {
            partition: self.config.partition.number,
            position: record.position,
            value_type: subject.value_type,
            timestamp: record.timestamp,
            json: &self.json,
        });
        self.oldest.get_or_insert_with(Instant::now);
        if self.sink.is_full() {
            self.send();
        }
    }

    /// Nothing more is there: sends what has waited long enough, or waits for more.
    fn wait(&mut self) {
        let left = match self.oldest {
            Some(oldest) => self.config.delay.saturating_sub(oldest.elapsed()),
            None => NAP,
        };
        if left.is_zero() {
            return self.send();
        }
        if self.oldest.is_none() && self.written_at.elapsed() >= CURSOR_INTERVAL {
            self.write_cursor();
        }
        self.config.handle.wait_durable(self.next - 1, left.min(NAP));
    }

    /// Sends until it has arrived, or the exporter is told to stop.
    fn send(&mut self) {
        let mut pause = PAUSE_MIN;
        while let Err(error) = self.sink.flush() {
            let failures = self.progress.failures.fetch_add(1, Ordering::Relaxed);
            if failures.is_power_of_two() {
                tracing::warn!(
                    exporter = &*self.config.name,
                    failures,
                    error = told(&error),
                    "cannot export; trying again"
                );
            }
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
        self.oldest = None;
        self.arrived();
        if self.written_at.elapsed() >= CURSOR_INTERVAL {
            self.write_cursor();
        }
    }

    /// Everything that was added has arrived.
    fn arrived(&mut self) {
        let Pending { sequence, position, timestamp } = self.pending;
        self.progress.position.store(position, Ordering::Relaxed);
        self.progress.timestamp.store(timestamp, Ordering::Relaxed);
        self.progress.sequence.store(sequence, Ordering::Relaxed);
    }

    fn write_cursor(&mut self) {
        if self.inside || self.oldest.is_some() || self.pending.sequence == self.written {
            return;
        }
        let cursor = Cursor {
            name: Arc::clone(&self.config.name),
            sequence: self.pending.sequence,
            data: self.sequences.encode(),
        };
        self.written_at = Instant::now();
        match self.config.log.put_cursor(&self.config.partition, &cursor) {
            Ok(()) => self.written = cursor.sequence,
            Err(error) => {
                tracing::warn!(
                    exporter = &*self.config.name,
                    error = told(&error),
                    "the cursor cannot be written"
                );
            }
        }
    }
}

impl Sequences {
    fn next(&mut self, value_type: ValueType) -> u64 {
        let number = value_type as u32;
        if let Some((_, count)) = self.0.iter_mut().find(|(other, _)| *other == number) {
            *count += 1;
            return *count;
        }
        self.0.push((number, 1));
        1
    }

    /// Pairs of twelve bytes: value type (4) and count (8), little endian.
    fn encode(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|(number, count)| number.to_le_bytes().into_iter().chain(count.to_le_bytes()))
            .collect()
    }

    fn decode(bytes: &[u8]) -> Self {
        let (pairs, _) = bytes.as_chunks::<12>();
        let pair = |pair: &[u8; 12]| {
            let number = u32::from_le_bytes(pair[..4].try_into().expect("four bytes"));
            (number, u64::from_le_bytes(pair[4..].try_into().expect("eight bytes")))
        };
        Self(pairs.iter().map(pair).collect())
    }
}

/// An error with its causes, on one line.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
