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
    let request = request(&args)?;
    connection.gateway().await?.migrate_process_instance(request).await?;
    output::answer(
        format,
        &json!({ "processInstanceKey": args.instance, "processDefinitionKey": args.to }),
        &format!("process instance {} is of process definition {} now", args.instance, args.to),
    )
}

fn request(args: &MigrateArgs) -> Result<MigrateProcessInstanceRequest, CliError> {
    Ok(MigrateProcessInstanceRequest {
        process_instance_key: args.instance,
        migration_plan: Some(MigrationPlan {
            target_process_definition_key: args.to,
            mapping_instructions: args.map.iter().map(|text| mapping(text)).collect::<Result<_, _>>()?,
        }),
        ..MigrateProcessInstanceRequest::default()
    })
}

fn mapping(text: &str) -> Result<MappingInstruction, CliError> {
    let (source, target) = text.split_once('=').unwrap_or((text, text));
    if source.is_empty() || target.is_empty() || target.contains('=') {
        return Err(CliError::Usage(format!("--map `{text}`: say SOURCE=TARGET, or one id")));
    }
    Ok(MappingInstruction { source_element_id: source.to_owned(), target_element_id: target.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_id_for_both() {
        for (text, found) in [("a=b", Some(("a", "b"))), ("a", Some(("a", "a"))), ("", None), ("=b", None)] {
            let mapping = mapping(text).ok();
            let found = found.map(|(source, target)| (source.to_owned(), target.to_owned()));
            assert_eq!(mapping.map(|it| (it.source_element_id, it.target_element_id)), found, "{text}");
        }
        assert!(mapping("a=b=c").is_err());
        assert!(mapping("a=").is_err());
    }
}
