//! What is deleted.

use coreto_machine::Tenant;
use coreto_record::event::{ProcessDeletion, RequirementsDeletion};

use super::json::{Object, name};
use super::model::{self, Models};
use super::{decision, event};
use crate::definitions::Unanswered;

/// A resource, as an event and as a wish.
pub(super) fn resource(key: u64, tenant: Tenant, value: &mut Object<'_>) {
    value.key(name!("resourceKey"), key);
    model::tenant(value, tenant);
}

/// A definition, as it was created.
pub(super) fn process(
    deletion: &ProcessDeletion,
    models: &mut Models,
    value: &mut Object<'_>,
) -> Result<(), Unanswered> {
    if let Some(definition) = models.definition(deletion.definition)? {
        event::process(&definition.record, value);
    }
    Ok(())
}

/// A decision requirements graph, as it was created.
pub(super) fn requirements(
    deletion: &RequirementsDeletion,
    models: &mut Models,
    value: &mut Object<'_>,
) -> Result<(), Unanswered> {
    if let Some(graph) = models.requirements(deletion.requirements)? {
        decision::requirements(&graph.record, value);
    }
    Ok(())
}
