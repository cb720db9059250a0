//! `coreto dev` and `coreto start`

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use crate::args::{ServerArgs, StartArgs};
use crate::config::{ConfigError, ServerConfig, Settings};
use crate::server::{Server, termination};

/// Runs a server in a temporary directory that is removed at the end.
pub(crate) fn dev(args: &ServerArgs, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::start();
    let started = Instant::now();
    let settings = Settings::gather(args.config.as_deref(), std::env::vars(), args.settings())?;
    let config = ServerConfig::check(&settings)?;
    serve(Server::start_ephemeral(&config)?, started, json)
}

/// Runs a server on a data directory.
pub(crate) fn start(args: &StartArgs, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::start();
    let started = Instant::now();
    let data = args.data.clone().map(|data| ("data.dir", data));
    let settings = Settings::gather(
        args.server.config.as_deref(),
        std::env::vars(),
        args.server.settings().chain(data),
    )?;
    let config = ServerConfig::check(&settings)?;
    let Some(data) = config.data.clone() else {
        let hint = "say where the data is: --data DIR, or data.dir in coreto.toml; `coreto dev` needs none";
        return Err(ConfigError::Together(hint.to_owned()).into());
    };
    serve(Server::start(&config, Path::new(&data))?, started, json)
}

fn serve(server: Server, started: Instant, json: bool) -> anyhow::Result<ExitCode> {
    let termination = termination()?;
    let addresses = server.addresses();
    let millis = started.elapsed().as_millis();
    let mut out = std::io::stdout().lock();
    if json {
        let line = json!({
            "readyInMs": u64::try_from(millis).unwrap_or(u64::MAX),
            "grpc": addresses.grpc.to_string(),
            "management": addresses.management.to_string(),
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "ready in {millis} ms, gRPC on {}, management on {}",
            addresses.grpc, addresses.management
        )?;
    }
    out.flush()?;
    drop(out);
    termination.wait();
    server.stop();
    Ok(ExitCode::SUCCESS)
}
