//! `coreto set`

use clap::Args;
use coreto_protocol::gateway::SetVariablesRequest;
use serde_json::json;

use super::document;
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which variables to set, and where.
#[derive(Args, Clone, Debug)]
pub struct SetArgs {
    /// The key of a process instance, or of one of its element instances.
    pub scope: i64,

    /// The variables: a JSON object, or @FILE.
    #[arg(long, value_name = "JSON")]
    pub variables: String,

    /// Set them in this very scope, instead of where each name is defined.
    #[arg(long)]
    pub local: bool,
}

pub(super) async fn run(args: SetArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let request = SetVariablesRequest {
        element_instance_key: args.scope,
        variables: document(&args.variables)?,
        local: args.local,
        operation_reference: None,
    };
    connection.gateway().await?.set_variables(request).await?;
    output::answer(
        format,
        &json!({ "elementInstanceKey": args.scope }),
        &format!("variables of {} are set", args.scope),
    )
}
