//! Watching: records as they become durable, rendered for whoever looks.

use std::sync::Arc;
use std::time::Duration;

use coreto_engine::Engine;
use coreto_log::{Batch, LogReader, PartitionLog, PartitionName};
use coreto_partition::{Body, Handle, Record, header, records};
use coreto_record::ProcessInstanceKey;

use crate::failure::{Pause, told};
use crate::render::Renderer;

/// What to watch.
pub struct Tail<L> {
    /// Whose log.
    pub partition: PartitionName,
    /// The log.
    pub log: Arc<L>,
    /// The partition's door.
    pub handle: Handle<Engine>,
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

/// Records that became durable together, or a part of them.
#[derive(Debug, Default)]
pub struct Tailed {
    /// The position of the last one.
    pub position: u64,
    /// JSON objects, in order of position.
    pub records: Vec<String>,
}

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be read: {reason}")]
pub struct TailError {
    /// What is wrong.
    pub reason: String,
}

impl TailError {
    fn of(error: &dyn std::error::Error) -> Self {
        Self { reason: told(error) }
    }
}

/// How long it waits for more before it asks whether anybody still looks.
const NAP: Duration = Duration::from_millis(200);

/// Bytes of records that are handed over together.
const CHUNK: usize = 256 << 10;

impl<L: PartitionLog> Tail<L> {
    /// Settles where watching begins: everything that becomes durable after this call is seen.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn begin(self) -> Result<Begun<L>, TailError> {
        let next = if self.after.is_some() { self.first()? } else { self.handle.durable() + 1 };
        let reader = self.log.read(&self.partition, next).map_err(|error| TailError::of(&error))?;
        Ok(Begun { tail: self, reader, next })
    }

    /// The first batch that the log still holds.
    fn first(&self) -> Result<u64, TailError> {
        match self.log.read(&self.partition, 1) {
            Ok(_) => Ok(1),
            Err(coreto_log::Error::Trimmed { first, .. }) => Ok(first),
            Err(error) => Err(TailError::of(&error)),
        }
    }

    fn wants(&self, record: &Record<Engine>) -> bool {
        let kind = match record.body {
            Body::Command(_) => self.commands,
            Body::Event(_) => self.events,
            Body::Rejection { .. } => self.rejections,
        };
        kind && self.after.is_none_or(|after| record.position > after)
            && self.instance.is_none_or(|instance| {
                Renderer::subject(record).is_some_and(|subject| subject.instance == Some(instance))
            })
    }
}

/// Watching that knows where it begins.
pub struct Begun<L: PartitionLog> {
    tail: Tail<L>,
    reader: L::Reader,
    next: u64,
}

impl<L: PartitionLog> Begun<L> {
    /// Hands records to `put` until that says no, asking `closed` while there are none. Blocks.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn run(
        self,
        mut put: impl FnMut(Tailed) -> bool,
        closed: impl Fn() -> bool,
    ) -> Result<(), TailError> {
        let Self { tail, mut reader, mut next } = self;
        let mut chunks = Chunks {
            renderer: Renderer::new(tail.partition.number, tail.handle.clone()),
            tailed: Tailed::default(),
            bytes: 0,
            json: Vec::new(),
        };
        let mut first = match tail.after {
            Some(after) => pass_over(&mut reader, after, &mut next)?.into_iter(),
            None => Vec::new().into_iter(),
        };
        // Bound: until nobody looks any more.
        loop {
            let batch = match first.next() {
                Some(batch) => Some(batch),
                None => reader.next().map_err(|error| TailError::of(&error))?,
            };
            let Some(batch) = batch else {
                if closed() {
                    return Ok(());
                }
                tail.handle.wait_durable(next - 1, NAP);
                continue;
            };
            next = next.max(batch.sequence + 1);
            if batch.payload.is_empty() {
                continue;
            }
            let mut state = Ok(true);
            let read = records::<Engine>(&batch.payload, |record| {
                if matches!(state, Ok(true)) && tail.wants(&record) {
                    state = chunks.add(&record, &mut put, &closed);
                }
            });
            read.map_err(|error| TailError::of(&error))?;
            if !state? || !chunks.hand_over(&mut put) {
                return Ok(());
            }
        }
    }
}

/// Passes over batches that end at a position or before it, by their headers alone; gives those that were read too far.
fn pass_over(reader: &mut impl LogReader, after: u64, next: &mut u64) -> Result<Vec<Batch>, TailError> {
    let mut last = None;
    // Bound: each round takes a batch, of which there are those that are durable.
    while let Some(batch) = reader.next().map_err(|error| TailError::of(&error))? {
        *next = batch.sequence + 1;
        if batch.payload.is_empty() {
            continue;
        }
        let begins = header(&batch.payload).map_err(|error| TailError::of(&error))?.first_position;
        if begins > after {
            return Ok(last.into_iter().chain([batch]).collect());
        }
        last = Some(batch);
    }
    Ok(last.into_iter().collect())
}

/// Records on their way to whoever looks.
struct Chunks {
    renderer: Renderer,
    tailed: Tailed,
    bytes: usize,
    json: Vec<u8>,
}

impl Chunks {
    /// Adds a record; says whether anybody still looks.
    fn add(
        &mut self,
        record: &Record<Engine>,
        put: &mut impl FnMut(Tailed) -> bool,
        closed: &impl Fn() -> bool,
    ) -> Result<bool, TailError> {
        let mut pause = Pause::default();
        self.json.clear();
        while let Err(error) = self.renderer.render(record, None, &mut self.json) {
            if closed() {
                return Ok(false);
            }
            if pause.is_long() {
                return Err(TailError::of(&error));
            }
            pause.take();
        }
        if self.json.is_empty() {
            return Ok(true);
        }
        let json = std::str::from_utf8(&self.json).map_err(|error| TailError::of(&error))?;
        self.tailed.position = record.position;
        self.bytes += json.len();
        self.tailed.records.push(json.to_owned());
        Ok(self.bytes < CHUNK || self.hand_over(put))
    }

    /// Hands over what there is; says whether anybody still looks.
    fn hand_over(&mut self, put: &mut impl FnMut(Tailed) -> bool) -> bool {
        self.bytes = 0;
        self.tailed.records.is_empty() || put(std::mem::take(&mut self.tailed))
    }
}
