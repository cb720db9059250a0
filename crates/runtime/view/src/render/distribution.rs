//! What is brought to all partitions.

use coreto_record::event::{DistributionStarted, DistributionStep};
use coreto_record::protocol::{ValueType, intent};

use super::json::{Object, name};

/// The partition that decides what all of them have.
const FIRST: u32 = 1;

pub(super) fn started(event: &DistributionStarted, value: &mut Object<'_>) {
    about(FIRST, event.value_type, event.intent, value);
}

pub(super) fn step(event: &DistributionStep, value: &mut Object<'_>) {
    about(event.partition, event.value_type, event.intent, value);
}

pub(super) fn wished(partition: u32, value: &mut Object<'_>) {
    about(partition, ValueType::Deployment as u32, intent::deployment::CREATE, value);
}

fn about(partition: u32, value_type: u32, intent: u32, value: &mut Object<'_>) {
    let value_type = ValueType::from_number(value_type);
    value.number(name!("partitionId"), i64::from(partition));
    value.text(name!("valueType"), value_type.map_or("UNKNOWN", ValueType::name));
    value.text(name!("intent"), value_type.and_then(|it| it.intent_name(intent)).unwrap_or("UNKNOWN"));
    value.members(r#","commandValue":null"#);
}
