//! A registration that comes back whenever it is lost.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::FORGOTTEN_IN;
use crate::catalog::{Catalog, Lease};
use crate::error::CliError;
use crate::output::Format;

/// How long to wait before the next try: at first, and at most. A catalog that starts again keeps instances for longer.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How what happens is said, on standard error.
#[derive(Clone, Copy)]
pub(super) struct Voice(pub(super) Format);

impl Voice {
    /// Says that something has happened, with more about it; or the sentence.
    pub(super) fn say(self, event: &str, more: &Value, sentence: &str) {
        match self.0 {
            Format::Json => {
                let mut told = json!({ "event": event });
                for (name, value) in more.as_object().into_iter().flatten() {
                    told[name] = value.clone();
                }
                eprintln!("{told}");
            }
            Format::Text => eprintln!("coreto: {sentence}"),
        }
    }
}

/// What is registered, and where.
pub(super) struct Keeper {
    pub(super) catalog: Catalog,
    pub(super) service: Value,
    pub(super) timeout: Duration,
    pub(super) voice: Voice,
}

impl Keeper {
    /// Registers, and registers again whenever that is lost, until it is to stop. Ends with an error when the catalog
    /// refuses from the beginning.
    pub(super) async fn keep(self, mut stopped: oneshot::Receiver<()>) -> Result<(), CliError> {
        let (mut known, mut pause, mut told) = (false, PAUSE_MIN, String::new());
        // Bound: until it is to stop.
        loop {
            let held = tokio::select! {
                held = self.catalog.hold(&self.service, self.timeout) => held,
                _ = &mut stopped => return Ok(()),
            };
            let reason = match held {
                Ok(lease) => {
                    (known, pause) = (true, PAUSE_MIN);
                    match self.guard(lease, &mut stopped).await {
                        Some(reason) => reason,
                        None => return Ok(()),
                    }
                }
                Err(error @ CliError::CatalogRefused { status: 400 | 403 | 413, .. }) if !known => {
                    return Err(error);
                }
                Err(error) => error.to_string(),
            };
            // Tries that fail alike are told of once.
            if reason != told {
                self.voice.say(
                    "unregistered",
                    &json!({ "reason": reason }),
                    &format!("not registered, trying again: {reason}"),
                );
                told = reason;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
                _ = &mut stopped => return Ok(()),
            }
        }
    }

    /// Holds a registration until it is lost, which gives why, or ends it when it is to stop.
    async fn guard(&self, mut lease: Lease, stopped: &mut oneshot::Receiver<()>) -> Option<String> {
        let more = json!({ "id": lease.id, "node": lease.node });
        self.voice.say(
            "registered",
            &more,
            &format!("registered as `{}` on node `{}`", lease.id, lease.node),
        );
        tokio::select! {
            reason = lease.lost() => Some(reason),
            _ = stopped => {
                if lease.end(FORGOTTEN_IN).await {
                    self.voice.say("deregistered", &json!({}), "not found any more");
                }
                None
            }
        }
    }
}
