//! Records as the JSON that Zeebe's exporters write (contract: exported records).

mod command;
mod decision;
mod deletion;
mod deployment;
mod distribution;
mod event;
mod json;
mod lineage;
mod message;
mod migration;
mod model;
mod signal;

use coreto_engine::Engine;
use coreto_partition::{Body, Record};
use coreto_record::ProcessInstanceKey;
use coreto_record::protocol::ValueType;

use crate::definitions::{Definitions, Unanswered};
use json::{Object, name};
use model::Models;

pub(crate) use json::integer;

/// The version that readers switch features by; index names carry it too.
pub(crate) const BROKER_VERSION: &str = "8.8.0";

/// Renders records of one partition.
pub struct Renderer {
    partition: u32,
    models: Models,
}

/// What a record is about, beside its rendered text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) value_type: ValueType,
    pub(crate) instance: Option<ProcessInstanceKey>,
}

impl Renderer {
    /// A renderer for records of a partition.
    pub fn new(partition: u32, definitions: impl Definitions + 'static) -> Self {
        Self { partition, models: Models::new(Box::new(definitions)) }
    }

    /// What a record is about; `None` for what has no place in the record protocol.
    pub(crate) fn subject(record: &Record<Engine>) -> Option<Subject> {
        match &record.body {
            Body::Command(handled) => {
                let value_type = ValueType::from_number(handled.value_type)?;
                Some(Subject { value_type, instance: None })
            }
            Body::Event(event) => event::subject(event),
            Body::Rejection { command, .. } => {
                Some(Subject { value_type: command.describe().0, instance: command::instance(command) })
            }
        }
    }

    /// Appends a record as one JSON object; `sequence` stands in it when it is given.
    /// Appends nothing for what has no place in the record protocol.
    ///
    /// # Errors
    /// When a definition that the record speaks of cannot be asked for now; nothing is appended then.
    pub fn render(
        &mut self,
        record: &Record<Engine>,
        sequence: Option<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unanswered> {
        let Some(Subject { value_type, .. }) = Self::subject(record) else { return Ok(()) };
        let length = out.len();
        let written = self.write(record, value_type, sequence, out);
        if written.is_err() {
            out.truncate(length);
        }
        written
    }

    fn write(
        &mut self,
        record: &Record<Engine>,
        value_type: ValueType,
        sequence: Option<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unanswered> {
        let mut object = Object::begin(out);
        object.number(name!("position"), record.position.cast_signed());
        object.number(name!("sourceRecordPosition"), record.source_position.map_or(-1, u64::cast_signed));
        object.number(name!("timestamp"), record.timestamp.as_millis());
        object.number(name!("partitionId"), i64::from(self.partition));
        object.word(name!("valueType"), value_type.name());
        object.word(name!("brokerVersion"), BROKER_VERSION);
        object.members(r#","recordVersion":1,"authorizations":{},"batchOperationReference":-1"#);
        object.number(name!("operationReference"), record.operation_reference.map_or(-1, u64::cast_signed));
        if let Some(sequence) = sequence {
            object.number(name!("sequence"), sequence.cast_signed());
        }
        match &record.body {
            Body::Command(handled) => {
                accepted(&mut object);
                head(&mut object, "COMMAND", value_type, handled.intent, handled.key);
                object.raw(name!("value"), "{}");
            }
            Body::Event(event) => {
                accepted(&mut object);
                let (intent, key) = event::intent_and_key(event);
                head(&mut object, "EVENT", value_type, intent, key);
                event::value(event, &mut self.models, &mut object)?;
            }
            Body::Rejection { command, rejection } => {
                object.word(name!("rejectionType"), rejection.kind.name());
                object.text(name!("rejectionReason"), &rejection.reason);
                let (_, intent, key) = command.describe();
                head(&mut object, "COMMAND_REJECTION", value_type, intent, key);
                command::value(command, &mut object);
            }
        }
        object.end();
        Ok(())
    }
}

fn accepted(object: &mut Object<'_>) {
    object.members(r#","rejectionType":"NULL_VAL","rejectionReason":"""#);
}

fn head(object: &mut Object<'_>, record_type: &'static str, value_type: ValueType, intent: u32, key: u64) {
    object.word(name!("recordType"), record_type);
    object.word(name!("intent"), value_type.intent_name(intent).unwrap_or("UNKNOWN"));
    object.key(name!("key"), key);
}
