//! `coreto publish` and `coreto signal`

use clap::Args;
use coreto_protocol::gateway::{BroadcastSignalRequest, PublishMessageRequest};
use serde_json::json;

use super::document;
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which message to publish.
#[derive(Args, Clone, Debug)]
pub struct PublishArgs {
    /// The name of the message.
    pub name: String,

    /// What it is about: who waits for it says so by the same key.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub key: String,

    /// How long it is kept for those who are not waiting yet, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub ttl: i64,

    /// Refuse it while one with the same name, key and id is kept.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub id: String,

    /// The variables: a JSON object, or @FILE.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub variables: String,
}

/// Which signal to broadcast.
#[derive(Args, Clone, Debug)]
pub struct SignalArgs {
    /// The name of the signal.
    pub name: String,

    /// The variables: a JSON object, or @FILE.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub variables: String,
}

pub(super) async fn publish(
    args: PublishArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let request = PublishMessageRequest {
        name: args.name.clone(),
        correlation_key: args.key,
        time_to_live: args.ttl,
        message_id: args.id,
        variables: document(&args.variables)?,
        ..PublishMessageRequest::default()
    };
    let key = connection.gateway().await?.publish_message(request).await?.into_inner().key;
    output::answer(
        format,
        &json!({ "messageKey": key }),
        &format!("message {} is published as {key}", args.name),
    )
}

pub(super) async fn signal(
    args: SignalArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let request = BroadcastSignalRequest {
        signal_name: args.name.clone(),
        variables: document(&args.variables)?,
        tenant_id: String::new(),
    };
    let key = connection.gateway().await?.broadcast_signal(request).await?.into_inner().key;
    output::answer(
        format,
        &json!({ "signalKey": key }),
        &format!("signal {} is broadcast as {key}", args.name),
    )
}
