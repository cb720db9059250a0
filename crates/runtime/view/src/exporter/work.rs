//! The exporter's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use coreto_engine::Engine;
use coreto_log::{Batch, Cursor, Error, LogReader, PartitionLog};
use coreto_partition::{BatchError, Record, records};

use super::Config;
use super::progress::Progress;
use super::sequences::Sequences;
use crate::failure::{PAUSE_MAX, Pause, told};
use crate::render::Renderer;
use crate::sink::{Document, Sink, SinkError};

/// How often the cursor is written at most.
const CURSOR_INTERVAL: Duration = Duration::from_millis(500);

/// How long it waits for more before it looks whether it shall stop.
const NAP: Duration = Duration::from_millis(200);

/// How long it goes on to read after it was told to stop.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// The end of a batch: what a cursor says.
#[derive(Default)]
struct Mark {
    sequence: u64,
    sequences: Sequences,
}

pub(super) struct Work<L: PartitionLog, S> {
    config: Config<L>,
    sink: S,
    renderer: Renderer,
    reader: Option<L::Reader>,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
    /// When it was found to be told to stop.
    stopping: Option<Instant>,
    /// It was told to stop while something could not be done: what is left waits for the next start.
    gave_up: bool,
    /// The numbers of the last record that was added.
    sequences: Sequences,
    /// The last batch that was added whole.
    added: Mark,
    /// The last batch that has arrived whole.
    arrived: Mark,
    /// The last record that was read, its time, and how many were added since the last that arrived.
    position: u64,
    timestamp: i64,
    waiting: u64,
    /// Since when the oldest document waits.
    oldest: Option<Instant>,
    /// The batch that the stored cursor names.
    stored: u64,
    stored_at: Instant,
    json: Vec<u8>,
}

impl<L: PartitionLog, S: Sink> Work<L, S> {
    pub(super) fn new(config: Config<L>, sink: S, progress: Arc<Progress>, stop: Arc<AtomicBool>) -> Self {
        Self {
            renderer: Renderer::new(config.partition.number, config.handle.clone()),
            config,
            sink,
            reader: None,
            progress,
            stop,
            stopping: None,
            gave_up: false,
            sequences: Sequences::default(),
            added: Mark::default(),
            arrived: Mark::default(),
            position: 0,
            timestamp: 0,
            waiting: 0,
            oldest: None,
            stored: 0,
            stored_at: Instant::now(),
            json: Vec::new(),
        }
    }

    pub(super) fn thread_name(&self) -> String {
        format!("export-{}", self.config.name)
    }

    pub(super) fn run(mut self) {
        if self.begin() {
            // Bound: until it is told to stop.
            while self.advance() {}
            if self.waiting > 0 && !self.gave_up {
                self.send();
            }
            self.store_cursor();
        }
    }

    /// Goes on where the cursor is; says whether it is known where that is. Beginning anew would repeat everything under
    /// other numbers.
    fn begin(&mut self) -> bool {
        let mut pause = Pause::default();
        let cursor = loop {
            match self.config.log.cursor(&self.config.partition, &self.config.name) {
                Ok(cursor) => break cursor,
                Err(error @ Error::Corrupt { .. }) => {
                    self.report(&error, "the cursor is damaged; nothing is exported any more");
                    self.progress.halt(format!(
                        "nothing is exported: {}; restore that file, or remove it to export all of the log anew",
                        told(&error)
                    ));
                    return false;
                }
                Err(error) => self.report(&error, "the cursor cannot be read"),
            }
            if self.is_stopping() {
                return false;
            }
            pause.take();
        };
        if let Some(cursor) = cursor {
            self.sequences = Sequences::decode(&cursor.data);
            for mark in [&mut self.added, &mut self.arrived] {
                mark.sequence = cursor.sequence;
                mark.sequences.copy(&self.sequences);
            }
            self.stored = cursor.sequence;
            self.progress.sequence.store(cursor.sequence, Ordering::Relaxed);
        }
        true
    }

    /// Takes what comes next; says whether to go on.
    fn advance(&mut self) -> bool {
        let overdue = self.is_stopping() && self.stopping.is_some_and(|since| since.elapsed() >= DRAIN_MAX);
        if self.gave_up || overdue {
            return false;
        }
        let next = self.open().and_then(LogReader::next);
        let batch = match next {
            Ok(Some(batch)) => batch,
            Ok(None) => return self.stopping.is_none() && self.wait(),
            Err(error) => {
                self.reader = None;
                if let Error::Trimmed { wanted, first } = error {
                    self.jump(wanted, first);
                    return true;
                }
                self.report(&error, "the log cannot be read");
                thread::park_timeout(PAUSE_MAX);
                return self.stopping.is_none();
            }
        };
        if let Err(error) = self.take_batch(&batch) {
            tracing::error!(
                exporter = &*self.config.name,
                sequence = batch.sequence,
                error = told(&error),
                "a batch cannot be decoded; nothing is exported any more, until a program starts that can"
            );
            self.progress.halt(format!(
                "batch {} cannot be decoded; nothing is exported until a program starts that can: {}",
                batch.sequence,
                told(&error)
            ));
            return false;
        }
        true
    }

    fn open(&mut self) -> Result<&mut L::Reader, Error> {
        match &mut self.reader {
            Some(reader) => Ok(reader),
            empty => Ok(empty.insert(self.config.log.read(&self.config.partition, self.added.sequence + 1)?)),
        }
    }

    /// Goes on behind a gap: what was trimmed cannot be exported any more.
    fn jump(&mut self, wanted: u64, first: u64) {
        tracing::warn!(
            exporter = &*self.config.name,
            wanted,
            first,
            "batches were trimmed before they were exported; going on behind the gap"
        );
        self.progress.skipped.fetch_add(first.saturating_sub(wanted), Ordering::Relaxed);
        self.added.sequence = first.saturating_sub(1).max(self.added.sequence);
    }

    fn take_batch(&mut self, batch: &Batch) -> Result<(), BatchError> {
        if !batch.payload.is_empty() {
            records::<Engine>(&batch.payload, |record| self.take(&record))?;
        }
        if self.gave_up {
            return Ok(());
        }
        self.added.sequence = batch.sequence;
        self.added.sequences.copy(&self.sequences);
        if self.waiting == 0 {
            self.note_arrival();
        } else if self.sink.is_full() || self.oldest.is_some_and(|since| since.elapsed() >= self.config.delay)
        {
            self.send();
        }
        Ok(())
    }

    fn take(&mut self, record: &Record<Engine>) {
        if self.gave_up {
            return;
        }
        self.position = record.position;
        self.timestamp = record.timestamp.as_millis();
        if !self.config.filter.passes(record) {
            return;
        }
        let Some(subject) = Renderer::subject(record) else { return };
        let partition = self.config.partition.number;
        let sequence = self
            .sink
            .wants_sequence()
            .then(|| (u64::from(partition) << 51) + self.sequences.next(subject.value_type));
        if !self.render(record, sequence) {
            return;
        }
        self.sink.add(&Document {
            partition,
            position: record.position,
            value_type: subject.value_type,
            timestamp: record.timestamp,
            json: &self.json,
        });
        if self.waiting == 0 {
            self.progress.note_oldest(Some(record.timestamp));
        }
        self.waiting += 1;
        self.oldest.get_or_insert_with(Instant::now);
        if self.sink.is_full() {
            self.send();
        }
    }

    /// Renders a record, however long the partition takes to tell what it speaks of.
    fn render(&mut self, record: &Record<Engine>, sequence: Option<u64>) -> bool {
        let mut pause = Pause::default();
        loop {
            self.json.clear();
            match self.renderer.render(record, sequence, &mut self.json) {
                Ok(()) => return true,
                Err(_) if self.is_stopping() => {
                    self.gave_up = true;
                    return false;
                }
                Err(error) if pause.is_long() => self.report(&error, "a record cannot be rendered yet"),
                Err(_) => (),
            }
            pause.take();
        }
    }

    /// Nothing more is there: sends what has waited long enough, or waits for more.
    fn wait(&mut self) -> bool {
        let left = match self.oldest {
            Some(since) => self.config.delay.saturating_sub(since.elapsed()),
            None => NAP,
        };
        if left.is_zero() {
            self.send();
        } else {
            self.store_cursor_if_due();
            self.config.handle.wait_durable(self.added.sequence, left.min(NAP));
        }
        true
    }

    /// Sends until it has arrived, or the exporter is told to stop.
    fn send(&mut self) {
        let mut pause = Pause::default();
        let mut attempts = 0_u64;
        while let Err(error) = self.sink.flush() {
            self.progress.failures.fetch_add(1, Ordering::Relaxed);
            attempts += 1;
            self.note_refusals(&error);
            if attempts.is_power_of_two() {
                tracing::warn!(
                    exporter = &*self.config.name,
                    attempts,
                    error = told(&error),
                    "cannot export; trying again"
                );
            }
            if self.is_stopping() {
                self.gave_up = true;
                return;
            }
            pause.take();
        }
        self.note_arrival();
    }

    /// Tells how many documents hold up the others for what is in them.
    fn note_refusals(&self, error: &SinkError) {
        let refused = match error {
            SinkError::Documents { refused, .. } => *refused as u64,
            SinkError::Address(_)
            | SinkError::Connection { .. }
            | SinkError::Refused { .. }
            | SinkError::File { .. } => 0,
        };
        self.progress.refused.store(refused, Ordering::Relaxed);
        self.progress.left_out.store(self.sink.left_out(), Ordering::Relaxed);
    }

    /// Everything that was added has arrived, or was left out.
    fn note_arrival(&mut self) {
        self.oldest = None;
        self.progress.note_oldest(None);
        self.progress.refused.store(0, Ordering::Relaxed);
        self.progress.left_out.store(self.sink.left_out(), Ordering::Relaxed);
        self.arrived.sequence = self.added.sequence;
        self.arrived.sequences.copy(&self.added.sequences);
        self.progress.records.fetch_add(std::mem::take(&mut self.waiting), Ordering::Relaxed);
        self.progress.position.store(self.position, Ordering::Relaxed);
        self.progress.timestamp.store(self.timestamp, Ordering::Relaxed);
        self.progress.sequence.store(self.arrived.sequence, Ordering::Relaxed);
        self.store_cursor_if_due();
    }

    fn store_cursor_if_due(&mut self) {
        if self.stored_at.elapsed() >= CURSOR_INTERVAL {
            self.store_cursor();
        }
    }

    fn store_cursor(&mut self) {
        if self.arrived.sequence == self.stored {
            return;
        }
        self.stored_at = Instant::now();
        if let Err(error) = self.sink.settle() {
            self.progress.failures.fetch_add(1, Ordering::Relaxed);
            return self.report(&error, "what was exported may not be durable");
        }
        let cursor = Cursor {
            name: Arc::clone(&self.config.name),
            sequence: self.arrived.sequence,
            data: self.arrived.sequences.encode(),
        };
        match self.config.log.put_cursor(&self.config.partition, &cursor) {
            Ok(()) => self.stored = cursor.sequence,
            Err(error) => self.report(&error, "the cursor cannot be written"),
        }
    }

    fn is_stopping(&mut self) -> bool {
        if self.stopping.is_none() && self.stop.load(Ordering::Acquire) {
            self.stopping = Some(Instant::now());
        }
        self.stopping.is_some()
    }

    fn report(&self, error: &dyn std::error::Error, what: &str) {
        tracing::error!(exporter = &*self.config.name, error = told(error), "{what}");
    }
}
