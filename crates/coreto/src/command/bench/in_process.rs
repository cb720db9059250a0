//! Partition and disk log alone: every step durable, no gateway, no second process.

mod one_task;
mod stage;
mod timers;

use std::path::Path;

use anyhow::bail;
use coreto_cli::bench::{Options, Scenario};

/// What a run has shown, for programs and for people.
pub(super) struct Shown {
    pub(super) json: serde_json::Value,
    pub(super) text: String,
}

pub(super) fn run(data: Option<&Path>, options: &Options) -> anyhow::Result<Shown> {
    match options.scenario {
        Scenario::OneTask => {
            let seen = one_task::run(data, options)?;
            Ok(Shown { json: seen.to_json(), text: seen.to_string() })
        }
        Scenario::Timers => {
            let seen = timers::run(data, options)?;
            Ok(Shown { json: seen.to_json(), text: seen.to_string() })
        }
        other => bail!("not implemented: the scenario `{}` with --in-process", other.name()),
    }
}
