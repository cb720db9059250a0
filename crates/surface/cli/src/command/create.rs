//! `coreto create` and `coreto cancel`

use clap::Args;
use coreto_protocol::gateway::process_instance_creation_runtime_instruction::Instruction;
use coreto_protocol::gateway::{
    CancelProcessInstanceRequest, CreateProcessInstanceRequest, CreateProcessInstanceWithResultRequest,
    ProcessInstanceCreationRuntimeInstruction, ProcessInstanceCreationStartInstruction,
    TerminateProcessInstanceInstruction,
};
use serde_json::json;

use super::{document, json as as_json};
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which process to start, and with what.
#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// The process id in the BPMN, or the key of a definition.
    pub process: String,

    /// The version; the latest without it.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub version: Option<i32>,

    /// How it begins.
    #[command(flatten)]
    pub start: StartArgs,
}

/// What a new instance gets, and whether its end is waited for.
#[derive(Args, Clone, Debug)]
pub struct StartArgs {
    /// The variables: a JSON object, or @FILE.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub variables: String,

    /// Start before this element instead of at the start event; may be given several times.
    #[arg(long, value_name = "ELEMENT")]
    pub before: Vec<String>,

    /// End the instance once this element has ended; may be given several times.
    #[arg(long, value_name = "ELEMENT")]
    pub until: Vec<String>,

    /// Wait until the instance has completed, and show its variables.
    #[arg(long = "await")]
    pub await_result: bool,

    /// With --await: the variables to show; all without it.
    #[arg(long, requires = "await_result", value_name = "NAME", value_delimiter = ',')]
    pub fetch: Vec<String>,
}

/// Which instance to end.
#[derive(Args, Clone, Debug)]
pub struct CancelArgs {
    /// The instance's key.
    pub instance: i64,
}

pub(super) async fn create(
    args: CreateArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let key = args.process.parse::<i64>().ok();
    if key.is_some() && args.version.is_some() {
        return Err(CliError::Usage(
            "a definition key already says which version it is; leave --version out".to_owned(),
        ));
    }
    let request = CreateProcessInstanceRequest {
        process_definition_key: key.unwrap_or(0),
        bpmn_process_id: if key.is_some() { String::new() } else { args.process },
        version: args.version.unwrap_or(-1),
        variables: document(&args.start.variables)?,
        start_instructions: args.start.before.into_iter().map(start_before).collect(),
        runtime_instructions: args.start.until.into_iter().map(end_after).collect(),
        ..CreateProcessInstanceRequest::default()
    };
    let mut gateway = connection.gateway().await?;
    if !args.start.await_result {
        let created = gateway.create_process_instance(request).await?.into_inner();
        return output::answer(
            format,
            &json!({
                "processInstanceKey": created.process_instance_key,
                "processDefinitionKey": created.process_definition_key,
                "bpmnProcessId": created.bpmn_process_id,
                "version": created.version,
                "tenantId": created.tenant_id,
            }),
            &format!(
                "created instance {} of {} version {}",
                created.process_instance_key, created.bpmn_process_id, created.version
            ),
        );
    }
    let request = CreateProcessInstanceWithResultRequest {
        request: Some(request),
        request_timeout: i64::try_from(connection.request_timeout).unwrap_or(i64::MAX),
        fetch_variables: args.start.fetch,
    };
    let result = gateway.create_process_instance_with_result(request).await?.into_inner();
    output::answer(
        format,
        &json!({
            "processInstanceKey": result.process_instance_key,
            "processDefinitionKey": result.process_definition_key,
            "bpmnProcessId": result.bpmn_process_id,
            "version": result.version,
            "tenantId": result.tenant_id,
            "variables": as_json(&result.variables),
        }),
        &format!(
            "instance {} of {} version {} has completed with {}",
            result.process_instance_key, result.bpmn_process_id, result.version, result.variables
        ),
    )
}

const fn start_before(element_id: String) -> ProcessInstanceCreationStartInstruction {
    ProcessInstanceCreationStartInstruction { element_id }
}

const fn end_after(after_element_id: String) -> ProcessInstanceCreationRuntimeInstruction {
    let terminate = TerminateProcessInstanceInstruction { after_element_id };
    ProcessInstanceCreationRuntimeInstruction { instruction: Some(Instruction::Terminate(terminate)) }
}

pub(super) async fn cancel(
    args: CancelArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let mut gateway = connection.gateway().await?;
    let request =
        CancelProcessInstanceRequest { process_instance_key: args.instance, operation_reference: None };
    gateway.cancel_process_instance(request).await?;
    output::answer(
        format,
        &json!({ "processInstanceKey": args.instance }),
        &format!("instance {} is cancelled", args.instance),
    )
}
