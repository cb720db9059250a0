//! Process instances that move to another definition.

use coreto_machine::Tenant;
use coreto_record::Key;
use coreto_record::command::MigrateInstance;

use super::json::{Object, name};
use super::model;

/// A migration, or the wish for one.
pub(super) fn migration(migrate: &MigrateInstance, value: &mut Object<'_>) {
    value.key(name!("processInstanceKey"), migrate.instance.raw());
    value.key(name!("targetProcessDefinitionKey"), migrate.target.raw());
    value.list(name!("mappingInstructions"), &migrate.mappings, |mapping, object| {
        object.text(name!("sourceElementId"), &mapping.source);
        object.text(name!("targetElementId"), &mapping.target);
    });
    model::tenant(value, Tenant::DEFAULT);
}
