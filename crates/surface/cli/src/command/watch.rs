//! `coreto watch`

use clap::Args;
use coreto_protocol::inspect::{RecordType, WatchRequest};
use serde_json::Value;
use tokio_stream::StreamExt;

use super::services::{self, WatchedArgs};
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// What to watch.
#[derive(Args, Clone, Debug)]
pub struct WatchArgs {
    /// `records` of the engine, or `services` of the catalog.
    #[arg(default_value = "records", value_parser = ["records", "services"])]
    pub what: String,

    /// Of services, the instances of this one.
    #[arg(value_name = "SERVICE")]
    pub name: Option<String>,

    /// Only records of this process instance.
    #[arg(long, value_name = "KEY")]
    pub instance: Option<i64>,

    /// Begin behind this position instead of with what comes from now on.
    #[arg(long, value_name = "POSITION")]
    pub after: Option<i64>,

    /// Commands, too, not only events and rejections.
    #[arg(long)]
    pub commands: bool,

    #[command(flatten)]
    watched: WatchedArgs,
}

pub(super) async fn run(args: WatchArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let of_records = args.instance.is_some() || args.after.is_some() || args.commands;
    match (&*args.what, of_records, &args.name) {
        ("services", false, _) => services::watch(args.name, args.watched, connection, format).await,
        ("services", true, _) => Err(CliError::Usage(
            "--instance, --after and --commands are about records, and not about services".to_owned(),
        )),
        (_, _, None) => records(args, connection, format).await,
        (_, _, Some(name)) => Err(CliError::Usage(format!("`{name}` is too much: records have no service"))),
    }
}

async fn records(args: WatchArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let mut record_types = vec![RecordType::Event.into(), RecordType::Rejection.into()];
    if args.commands {
        record_types.push(RecordType::Command.into());
    }
    let request = WatchRequest {
        process_instance_key: args.instance.unwrap_or(0),
        record_types,
        after_position: args.after,
    };
    let mut inspect = connection.inspect().await?;
    let mut events = inspect.watch(request).await?.into_inner();
    while let Some(event) = events.next().await {
        for record in event?.records {
            match format {
                Format::Json => output::line(&record)?,
                Format::Text => output::line(&sentence(&record))?,
            }
        }
    }
    Err(CliError::Ended)
}

/// Fields of a record's value that a person wants to see.
const FIELDS: [&str; 8] = [
    "elementId",
    "type",
    "name",
    "value",
    "errorType",
    "errorMessage",
    "bpmnProcessId",
    "processInstanceKey",
];

/// A record on one line for people: time, what it is about, what happened, and to what.
fn sentence(record: &str) -> String {
    let Ok(record) = serde_json::from_str::<Value>(record) else { return record.to_owned() };
    let text = |field: &str| record[field].as_str().unwrap_or("").to_owned();
    let value = &record["value"];
    let mut parts = vec![format!("{}  {:<28} {:<24}", time(&record), text("valueType"), text("intent"))];
    for field in FIELDS {
        match &value[field] {
            Value::String(text) if !text.is_empty() => parts.push(format!("{field}={text}")),
            Value::Number(number) if number.as_i64() != Some(-1) => parts.push(format!("{field}={number}")),
            _ => (),
        }
    }
    if text("recordType") == "COMMAND_REJECTION" {
        parts.push(format!("rejected {}: {}", text("rejectionType"), text("rejectionReason")));
    }
    parts.join(" ")
}

/// The record's time of day in UTC, to the millisecond.
fn time(record: &Value) -> String {
    let millis = record["timestamp"].as_i64().unwrap_or(0).rem_euclid(86_400_000);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_a_record_on_one_line() {
        let record = r#"{"timestamp":3661001,"valueType":"JOB","intent":"CREATED","recordType":"EVENT",
            "value":{"type":"pack","elementId":"box","processInstanceKey":7,"deadline":-1}}"#;
        let line = sentence(record);
        assert!(line.starts_with("01:01:01.001  JOB "), "{line}");
        assert!(line.ends_with("elementId=box type=pack processInstanceKey=7"), "{line}");
    }
}
