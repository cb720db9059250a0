//! The program's own log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::ConfigError;

/// The variable that gives the level: off, error, warn, info, debug or trace.
const VARIABLE: &str = "CORETO_LOG";

/// Starts logging, at this level unless the environment says otherwise. Colours are for terminals only.
pub(crate) fn start(usual: LevelFilter) -> Result<(), ConfigError> {
    let level = match std::env::var(VARIABLE) {
        Err(_) => usual,
        Ok(text) => text.parse().map_err(|_| {
            let expected = "expected `off`, `error`, `warn`, `info`, `debug` or `trace`";
            ConfigError::Together(format!("{VARIABLE} is `{text}`, {expected}"))
        })?,
    };
    let log = fmt::layer().with_target(false).with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    // What the library of HTTP/2 warns of is about one peer, which it does not name; who owns the connection tells.
    let heard = Targets::new().with_default(level).with_target("h2", level.min(LevelFilter::ERROR));
    // Fails only when somebody else has started logging, and then it is started.
    let _ = tracing_subscriber::registry().with(log.with_filter(heard)).try_init();
    Ok(())
}
