//! The program's own log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

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
    let log = fmt().with_max_level(level).with_target(false);
    // Fails only when somebody else has started logging, and then it is started.
    let _ = log.with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).try_init();
    Ok(())
}
