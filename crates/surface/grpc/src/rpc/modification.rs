//! Changing what runs in a process instance by hand.

use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::modify_process_instance_request as part;
use coreto_record::Command;
use coreto_record::command::{Activation, ModifyInstance, ScopedVariables};
use tonic::Request;

use crate::convert::{self, unbuilt};
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

/// Instructions of one request; what they do is done in one transaction.
const INSTRUCTIONS_MAX: usize = 1000;

pub(crate) async fn modify(
    gateway: &Gateway,
    request: Request<pb::ModifyProcessInstanceRequest>,
) -> Result<pb::ModifyProcessInstanceResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    unbuilt(!request.move_instructions.is_empty(), "moveInstructions")?;
    let count = request.activate_instructions.len() + request.terminate_instructions.len();
    if count > INSTRUCTIONS_MAX {
        let reason = format!("{count} instructions are given, at most {INSTRUCTIONS_MAX} are possible");
        return Err(Failure::invalid("activateInstructions", reason));
    }
    let command = Command::ModifyInstance(ModifyInstance {
        instance: convert::key(request.process_instance_key, "MODIFY", "process instance")?,
        activate: request.activate_instructions.into_iter().map(activation).collect::<Result<_, _>>()?,
        terminate: request.terminate_instructions.iter().map(termination).collect::<Result<_, _>>()?,
    });
    gateway.command(Call { metadata: &metadata, operation_reference, command }).await?;
    Ok(pb::ModifyProcessInstanceResponse {})
}

fn activation(instruction: part::ActivateInstruction) -> Result<Activation, Failure> {
    let variables = instruction.variable_instructions.into_iter().map(|given| {
        let variables = convert::document("variables", &given.variables)?;
        Ok(ScopedVariables { scope: given.scope_id.into(), variables })
    });
    Ok(Activation {
        element: instruction.element_id.into(),
        ancestor: convert::optional_key(
            "ancestorElementInstanceKey",
            instruction.ancestor_element_instance_key,
        )?,
        variables: variables.collect::<Result<_, Failure>>()?,
    })
}

fn termination(
    instruction: &part::TerminateInstruction,
) -> Result<coreto_record::ElementInstanceKey, Failure> {
    unbuilt(!instruction.element_id.is_empty(), "terminateInstructions.elementId")?;
    let key = convert::optional_key("elementInstanceKey", instruction.element_instance_key)?;
    key.ok_or_else(|| Failure::invalid("elementInstanceKey", "it must be set"))
}
