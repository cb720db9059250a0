//! Creating, cancelling and changing process instances.

use std::time::Duration;

use coreto_protocol::gateway as pb;
use coreto_record::command::{AwaitResult, CancelInstance, CreateInstance, EndsAfter, SetVariables};
use coreto_record::{Command, Reply};
use tonic::Request;

use crate::convert::{self, unbuilt};
use crate::desk::Outcome;
use crate::gateway::{self, Call, Gateway};
use crate::status::Failure;

/// Instructions of a kind in one request; what they enter is entered in one transaction.
const INSTRUCTIONS_MAX: usize = 1000;

pub(crate) async fn create(
    gateway: &Gateway,
    request: Request<pb::CreateProcessInstanceRequest>,
) -> Result<pb::CreateProcessInstanceResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let command = Command::CreateInstance(creation(request, None)?);
    let Reply::InstanceCreated(created) =
        gateway.command(Call { metadata: &metadata, operation_reference, command }).await?
    else {
        return Err(Failure::Mismatch { call: "a creation" });
    };
    Ok(convert::instance_created(&created))
}

/// Waits for the instance's end, with a timer of its own.
pub(crate) async fn create_with_result(
    gateway: &Gateway,
    request: Request<pb::CreateProcessInstanceWithResultRequest>,
) -> Result<pb::CreateProcessInstanceWithResultResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let after = match request.request_timeout {
        ..0 => return Err(Failure::invalid("requestTimeout", "it must not be negative")),
        0 => gateway.shared.config.request_timeout,
        ms => Duration::from_millis(ms.unsigned_abs()),
    };
    let Some(create) = request.request else {
        return Err(Failure::invalid("request", "it must be set"));
    };
    let operation_reference = convert::operation_reference(create.operation_reference)?;
    let limits = &gateway.shared.config.limits;
    let fetch = convert::fetch(limits, "fetchVariables", request.fetch_variables)?;
    let command = Command::CreateInstance(creation(create, Some(AwaitResult { fetch }))?);
    let intent = gateway::intent(&command);
    let call = Call { metadata: &metadata, operation_reference, command };
    let partition = gateway.partition_for(&call);
    let pending = gateway.desk.expect_answer(true);
    gateway.submit(partition, call, pending.ticket())?;
    let mut drain = gateway.shared.drain.subscribe();
    let answer = tokio::select! {
        biased;
        outcome = pending => match outcome {
            Outcome::Answer(answer) => answer,
            Outcome::TimedOut => return Err(Failure::NotCompleted { after }),
        },
        () = tokio::time::sleep(after) => return Err(Failure::NotCompleted { after }),
        _ = drain.wait_for(|drains| *drains) => return Err(Failure::Draining),
    };
    let Reply::InstanceCompleted(completed) = gateway::reply(answer, intent)? else {
        return Err(Failure::Mismatch { call: "a creation with result" });
    };
    Ok(convert::instance_completed(&completed))
}

fn creation(
    request: pb::CreateProcessInstanceRequest,
    await_result: Option<AwaitResult>,
) -> Result<CreateInstance, Failure> {
    unbuilt(!request.tags.is_empty(), "tags")?;
    unbuilt(request.business_id.as_ref().is_some_and(|id| !id.is_empty()), "businessId")?;
    check_count("startInstructions", request.start_instructions.len())?;
    check_count("runtimeInstructions", request.runtime_instructions.len())?;
    Ok(CreateInstance {
        tenant: convert::tenant("tenantId", &request.tenant_id)?,
        definition: convert::optional_key("processDefinitionKey", request.process_definition_key)?,
        process: request.bpmn_process_id.into(),
        version: match request.version {
            -1 => None,
            version => Some(u32::try_from(version).map_err(|_| {
                Failure::invalid("version", format!("{version} is no version; −1 is the latest"))
            })?),
        },
        variables: convert::document("variables", &request.variables)?,
        await_result,
        starts: request.start_instructions.into_iter().map(|start| start.element_id.into()).collect(),
        ends_after: ends_after(request.runtime_instructions)?,
    })
}

fn check_count(field: &'static str, count: usize) -> Result<(), Failure> {
    if count > INSTRUCTIONS_MAX {
        let reason = format!("{count} are given, at most {INSTRUCTIONS_MAX} are possible");
        return Err(Failure::invalid(field, reason));
    }
    Ok(())
}

fn ends_after(
    instructions: Vec<pb::ProcessInstanceCreationRuntimeInstruction>,
) -> Result<Option<Box<EndsAfter>>, Failure> {
    use pb::process_instance_creation_runtime_instruction::Instruction;
    let element = |it: pb::ProcessInstanceCreationRuntimeInstruction| match it.instruction {
        Some(Instruction::Terminate(terminate)) => Ok(terminate.after_element_id.into()),
        None => Err(Failure::invalid("runtimeInstructions", "one of them does not say what to do")),
    };
    let elements: Vec<_> = instructions.into_iter().map(element).collect::<Result<_, _>>()?;
    Ok((!elements.is_empty()).then(|| Box::new(EndsAfter { elements })))
}

pub(crate) async fn cancel(
    gateway: &Gateway,
    request: Request<pb::CancelProcessInstanceRequest>,
) -> Result<pb::CancelProcessInstanceResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let instance = convert::key(request.process_instance_key, "CANCEL", "process instance")?;
    let command = Command::CancelInstance(CancelInstance { instance });
    gateway.command(Call { metadata: &metadata, operation_reference, command }).await?;
    Ok(pb::CancelProcessInstanceResponse {})
}

pub(crate) async fn set_variables(
    gateway: &Gateway,
    request: Request<pb::SetVariablesRequest>,
) -> Result<pb::SetVariablesResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let variables = convert::document("variables", &request.variables)?;
    let scope = convert::key(request.element_instance_key, "UPDATE", "element instance")?;
    let command = Command::SetVariables(SetVariables { scope, variables, local: request.local });
    let Reply::VariablesSet(set) =
        gateway.command(Call { metadata: &metadata, operation_reference, command }).await?
    else {
        return Err(Failure::Mismatch { call: "a change of variables" });
    };
    Ok(pb::SetVariablesResponse { key: set.key.cast_signed() })
}
