//! The program's own log, on standard error.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

/// Starts logging. `CORETO_LOG` gives the level: error, warn, info, debug or trace.
pub(crate) fn start() {
    let level =
        std::env::var("CORETO_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    // Fails only when somebody else has started logging, and then it is started.
    let _ = fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false).try_init();
}
