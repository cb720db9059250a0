//! `coreto migrate`

use clap::Args;
use coreto_protocol::gateway::MigrateProcessInstanceRequest;
use coreto_protocol::gateway::migrate_process_instance_request::{MappingInstruction, MigrationPlan};
use serde_json::json;

use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which process instance moves, where to, and what becomes of what is active in it.
#[derive(Args, Clone, Debug)]
pub struct MigrateArgs {
    /// The key of the process instance.
    pub instance: i64,

    /// The key of the process definition that it moves to.
    #[arg(long, value_name = "KEY")]
    pub to: i64,

    /// What an element or event becomes, as SOURCE=TARGET, or one id when it stays the same; may be given several times.
    #[arg(long, value_name = "SOURCE=TARGET")]
    pub map: Vec<String>,
}

pub(super) async fn run(args: MigrateArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let request = request(&args);
    connection.gateway().await?.migrate_process_instance(request).await?;
    output::answer(
        format,
        &json!({ "processInstanceKey": args.instance, "processDefinitionKey": args.to }),
        &format!("process instance {} is of process definition {} now", args.instance, args.to),
    )
}

fn request(args: &MigrateArgs) -> MigrateProcessInstanceRequest {
    let mapping = |text: &String| {
        let (source, target) = text.split_once('=').unwrap_or((text, text));
        MappingInstruction { source_element_id: source.to_owned(), target_element_id: target.to_owned() }
    };
    MigrateProcessInstanceRequest {
        process_instance_key: args.instance,
        migration_plan: Some(MigrationPlan {
            target_process_definition_key: args.to,
            mapping_instructions: args.map.iter().map(mapping).collect(),
        }),
        ..MigrateProcessInstanceRequest::default()
    }
}
