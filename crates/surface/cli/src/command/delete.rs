//! `coreto delete`

use clap::Args;
use coreto_protocol::gateway::DeleteResourceRequest;
use serde_json::json;

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which resource to delete.
#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    /// The key of a process definition or of a decision requirements graph, as `coreto deploy` tells it.
    pub key: i64,
}

pub(super) async fn run(args: DeleteArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let key = args.key;
    let request = DeleteResourceRequest { resource_key: key, ..DeleteResourceRequest::default() };
    connection.gateway().await?.delete_resource(request).await?;
    output::answer(
        format,
        &json!({ "resourceKey": key }),
        &format!("resource {key} is deleted; what runs goes on to its end"),
    )
}
