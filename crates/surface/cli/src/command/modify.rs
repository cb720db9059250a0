//! `coreto modify`

use clap::Args;
use coreto_protocol::gateway::ModifyProcessInstanceRequest;
use coreto_protocol::gateway::modify_process_instance_request::{
    ActivateInstruction, TerminateInstruction, VariableInstruction,
};
use serde_json::json;

use super::document;
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// What to change in which process instance. Elements are started before others are ended.
#[derive(Args, Clone, Debug)]
pub struct ModifyArgs {
    /// The key of the process instance.
    pub instance: i64,

    /// Start this element; may be given several times.
    #[arg(long, value_name = "ELEMENT")]
    pub activate: Vec<String>,

    /// Start them in the element instance with this key, where more than one scope fits.
    #[arg(long, value_name = "KEY", requires = "activate")]
    pub ancestor: Option<i64>,

    /// Variables for what is started: a JSON object, or @FILE.
    #[arg(long, value_name = "JSON", requires = "activate")]
    pub variables: Option<String>,

    /// Where the variables go: the id of the element that is started, or of one around it; the process instance when it
    /// is left out.
    #[arg(long, value_name = "ELEMENT", requires = "variables")]
    pub scope: Option<String>,

    /// End this element instance, by its key; may be given several times.
    #[arg(long, value_name = "KEY")]
    pub terminate: Vec<i64>,
}

pub(super) async fn run(args: ModifyArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    if args.activate.is_empty() && args.terminate.is_empty() {
        return Err(CliError::Usage("say what to change: --activate ELEMENT or --terminate KEY".to_owned()));
    }
    let request = request(&args)?;
    connection.gateway().await?.modify_process_instance(request).await?;
    output::answer(
        format,
        &json!({ "processInstanceKey": args.instance }),
        &format!("process instance {} is modified", args.instance),
    )
}

fn request(args: &ModifyArgs) -> Result<ModifyProcessInstanceRequest, CliError> {
    let variables = args.variables.as_deref().map(document).transpose()?;
    let scope_id = args.scope.clone().unwrap_or_default();
    let given = variables.map(|variables| VariableInstruction { variables, scope_id });
    let activate = |element: &String| ActivateInstruction {
        element_id: element.clone(),
        ancestor_element_instance_key: args.ancestor.unwrap_or(-1),
        variable_instructions: given.iter().cloned().collect(),
    };
    let terminate =
        |key: &i64| TerminateInstruction { element_instance_key: *key, ..TerminateInstruction::default() };
    Ok(ModifyProcessInstanceRequest {
        process_instance_key: args.instance,
        activate_instructions: args.activate.iter().map(activate).collect(),
        terminate_instructions: args.terminate.iter().map(terminate).collect(),
        ..ModifyProcessInstanceRequest::default()
    })
}
