//! Records as the JSON that Zeebe's exporters write.

mod command;
mod event;
mod json;
mod model;

use coreto_engine::Engine;
use coreto_partition::{Body, Record};
use coreto_record::ProcessInstanceKey;
use coreto_record::protocol::ValueType;

use crate::definitions::Definitions;
use json::Object;

/// The version that readers switch features by.
const BROKER_VERSION: &str = "8.8.0";

/// Renders records of one partition.
pub struct Renderer {
    partition: u32,
    definitions: Definitions,
}

/// What a record is about, beside its rendered text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) value_type: ValueType,
    pub(crate) instance: Option<ProcessInstanceKey>,
}

impl Renderer {
    /// A renderer for records of a partition.
    pub const fn new(partition: u32, definitions: Definitions) -> Self {
        Self { partition, definitions }
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
    pub fn render(&mut self, record: &Record<Engine>, sequence: Option<u64>, out: &mut Vec<u8>) {
        let Some(Subject { value_type, .. }) = Self::subject(record) else { return };
        let mut object = Object::begin(out);
        object.number("position", record.position.cast_signed());
        object.number("sourceRecordPosition", record.source_position.map_or(-1, u64::cast_signed));
        object.number("timestamp", record.timestamp.as_millis());
        object.number("partitionId", i64::from(self.partition));
        object.text("valueType", value_type.name());
        object.text("brokerVersion", BROKER_VERSION);
        object.number("recordVersion", 1);
        object.raw("authorizations", "{}");
        object.number("operationReference", record.operation_reference.map_or(-1, u64::cast_signed));
        object.number("batchOperationReference", -1);
        if let Some(sequence) = sequence {
            object.number("sequence", sequence.cast_signed());
        }
        let rejected = match &record.body {
            Body::Rejection { rejection, .. } => (rejection.kind.name(), rejection.reason.as_str()),
            Body::Command(_) | Body::Event(_) => ("NULL_VAL", ""),
        };
        object.text("rejectionType", rejected.0);
        object.text("rejectionReason", rejected.1);
        match &record.body {
            Body::Command(handled) => {
                head(&mut object, "COMMAND", value_type, handled.intent, handled.key);
                object.raw("value", "{}");
            }
            Body::Event(event) => {
                let (intent, key) = event::intent_and_key(event);
                head(&mut object, "EVENT", value_type, intent, key);
                event::value(event, &mut self.definitions, &mut object);
            }
            Body::Rejection { command, .. } => {
                let (_, intent, key) = command.describe();
                head(&mut object, "COMMAND_REJECTION", value_type, intent, key);
                command::value(command, &mut object);
            }
        }
        object.end();
    }
}

fn head(object: &mut Object<'_>, record_type: &str, value_type: ValueType, intent: u32, key: u64) {
    object.text("recordType", record_type);
    object.text("intent", value_type.intent_name(intent).unwrap_or("UNKNOWN"));
    object.key("key", key);
}
