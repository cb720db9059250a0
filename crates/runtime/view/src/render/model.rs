//! What definitions add to records.

use coreto_machine::Tenant;
use coreto_record::{ElementNumber, Key, ProcessDefinitionKey};

use super::json::Object;
use crate::definitions::Definitions;

/// Process id and version, by the names that most value types give them.
pub(super) fn process(object: &mut Object<'_>, definitions: &mut Definitions, key: ProcessDefinitionKey) {
    with_process(object, definitions, key, "version");
}

/// Process id and version, by the name that jobs give the version.
pub(super) fn process_of_job(
    object: &mut Object<'_>,
    definitions: &mut Definitions,
    key: ProcessDefinitionKey,
) {
    with_process(object, definitions, key, "processDefinitionVersion");
}

fn with_process(
    object: &mut Object<'_>,
    definitions: &mut Definitions,
    key: ProcessDefinitionKey,
    version: &str,
) {
    let record = definitions.get(key).map(|definition| &definition.record);
    object.text("bpmnProcessId", record.map_or("", |record| &record.id));
    object.number(version, record.map_or(-1, |record| i64::from(record.version)));
    object.key("processDefinitionKey", key.raw());
}

/// The id of an element.
pub(super) fn element_id(
    object: &mut Object<'_>,
    name: &str,
    definitions: &mut Definitions,
    key: ProcessDefinitionKey,
    element: ElementNumber,
) {
    let found = definitions.get(key).and_then(|definition| definition.element(element));
    object.text(name, found.map_or("", |element| &element.id));
}

/// Id, type and event type of an element.
pub(super) fn element(
    object: &mut Object<'_>,
    definitions: &mut Definitions,
    key: ProcessDefinitionKey,
    element: ElementNumber,
) {
    let found = definitions.get(key).and_then(|definition| definition.element(element));
    object.text("elementId", found.map_or("", |element| &element.id));
    object.text("bpmnElementType", found.map_or("UNSPECIFIED", |element| element.kind.element_type()));
    object.text("bpmnEventType", found.map_or("UNSPECIFIED", |element| element.kind.event_type()));
}

/// The owner.
pub(super) fn tenant(object: &mut Object<'_>, tenant: Tenant) {
    if tenant == Tenant::DEFAULT {
        object.text("tenantId", "<default>");
    } else {
        object.text("tenantId", &tenant.raw().to_string());
    }
}
