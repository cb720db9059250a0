//! Moving a process instance to another definition.

use coreto_protocol::gateway as pb;
use coreto_record::Command;
use coreto_record::command::{ElementMapping, MigrateInstance};
use tonic::Request;

use crate::convert;
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

/// Mapping instructions of one request.
const MAPPINGS_MAX: usize = 10_000;

pub(crate) async fn migrate(
    gateway: &Gateway,
    request: Request<pb::MigrateProcessInstanceRequest>,
) -> Result<pb::MigrateProcessInstanceResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let instance = convert::key(request.process_instance_key, "MIGRATE", "process instance")?;
    let plan = request.migration_plan.ok_or_else(|| Failure::invalid("migrationPlan", "it must be set"))?;
    let count = plan.mapping_instructions.len();
    if count > MAPPINGS_MAX {
        let reason = format!("{count} are given, at most {MAPPINGS_MAX} are possible");
        return Err(Failure::invalid("mappingInstructions", reason));
    }
    let mappings = plan.mapping_instructions.into_iter().map(|mapping| ElementMapping {
        source: mapping.source_element_id.into(),
        target: mapping.target_element_id.into(),
    });
    let target = convert::key(plan.target_process_definition_key, "MIGRATE", "process definition")?;
    let command =
        Command::MigrateInstance(MigrateInstance { instance, target, mappings: mappings.collect() });
    gateway.command(Call { metadata: &metadata, operation_reference, command }).await?;
    Ok(pb::MigrateProcessInstanceResponse {})
}
