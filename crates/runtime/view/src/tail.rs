//! Watching: records as they become durable, rendered for whoever looks.

use std::sync::Arc;
use std::time::Duration;

use coreto_engine::Engine;
use coreto_log::{LogReader, PartitionLog, PartitionName};
use coreto_partition::{Body, Handle, Record, records};
use coreto_record::ProcessInstanceKey;

use crate::definitions::Definitions;
use crate::exporter::told;
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

/// How long it waits for more before it asks whether anybody still looks.
const NAP: Duration = Duration::from_millis(200);

/// Bytes of records that are handed over together.
const CHUNK: usize = 256 << 10;

impl<L: PartitionLog> Tail<L> {
    /// Hands records to `put` until that says no, asking `closed` while there are none. Blocks.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn run(
        self,
        mut put: impl FnMut(Tailed) -> bool,
        closed: impl Fn() -> bool,
    ) -> Result<(), TailError> {
        let failed = |error: &dyn std::error::Error| TailError { reason: told(error) };
        let from = if self.after.is_some() { self.first()? } else { self.handle.durable() + 1 };
        let mut reader = self.log.read(&self.partition, from).map_err(|error| failed(&error))?;
        let mut renderer = Renderer::new(self.partition.number, Definitions::new(self.handle.clone()));
        let mut next = from;
        loop {
            let Some(batch) = reader.next().map_err(|error| failed(&error))? else {
                if closed() {
                    return Ok(());
                }
                self.handle.wait_durable(next - 1, NAP);
                continue;
            };
            next = batch.sequence + 1;
            if batch.payload.is_empty() {
                continue;
            }
            let mut open = true;
            let mut tailed = Tailed::default();
            let mut bytes = 0;
            let read = records::<Engine>(&batch.payload, |record| {
                if !open || !self.wants(&record) {
                    return;
                }
                let mut json = Vec::new();
                renderer.render(&record, None, &mut json);
                if let Ok(json) = String::from_utf8(json)
                    && !json.is_empty()
                {
                    tailed.position = record.position;
                    bytes += json.len();
                    tailed.records.push(json);
                }
                if bytes >= CHUNK {
                    bytes = 0;
                    open = put(std::mem::take(&mut tailed));
                }
            });
            read.map_err(|error| failed(&error))?;
            if !open || (!tailed.records.is_empty() && !put(tailed)) {
                return Ok(());
            }
        }
    }

    /// The first batch that the log still holds.
    fn first(&self) -> Result<u64, TailError> {
        match self.log.read(&self.partition, 1) {
            Ok(_) => Ok(1),
            Err(coreto_log::Error::Trimmed { first, .. }) => Ok(first),
            Err(error) => Err(TailError { reason: told(&error) }),
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
