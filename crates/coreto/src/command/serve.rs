//! `coreto dev` and `coreto start`

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Map, json};
use tracing_subscriber::filter::LevelFilter;

use crate::args::{ServerArgs, StartArgs};
use crate::config::{ConfigError, Flag, ServerConfig, Settings};
use crate::server::{Addresses, Server, termination};

/// Runs a server in a temporary directory that is removed at the end.
pub(crate) fn dev(args: &ServerArgs, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::start(LevelFilter::INFO)?;
    let started = Instant::now();
    let settings = Settings::gather(args.config.as_deref(), std::env::vars(), args.settings())?;
    let config = ServerConfig::check(&settings)?;
    serve(Server::start_ephemeral(&config)?, &config, started, json)
}

/// Runs a server on a data directory.
pub(crate) fn start(args: &StartArgs, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::start(LevelFilter::INFO)?;
    let started = Instant::now();
    let data = args.data.clone().map(|value| Flag { name: "--data", key: "data.dir", value });
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
    serve(Server::start(&config, Path::new(&data))?, &config, started, json)
}

fn serve(
    mut server: Server,
    config: &ServerConfig,
    started: Instant,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let mut termination = termination()?;
    let ready = ready(&server, config, started, json);
    // Standard output belongs to the records when they go there.
    if config.ndjson.as_deref() == Some("-") {
        writeln!(std::io::stderr().lock(), "{ready}")?;
    } else {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{ready}").and_then(|()| out.flush())?;
    }
    if let Some(door) = termination.wait_or(server.door_ended()) {
        tracing::error!(door, "it does not serve any more; the server ends, so that it can be started again");
    }
    tracing::info!(
        "ending: calls under way are answered, connections closed, for {} s at most; Ctrl-C again ends at once",
        server.drain_max().as_secs()
    );
    termination.end_at_next_interrupt()?;
    server.stop()?;
    Ok(ExitCode::SUCCESS)
}

/// What is said once the server can be talked to.
fn ready(server: &Server, config: &ServerConfig, started: Instant, json: bool) -> String {
    let Addresses { grpc, management, catalog, dns, edge } = server.addresses();
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let tls = config.tls.is_some();
    if json {
        return json!({
            "readyInMs": millis,
            "grpc": grpc.to_string(),
            "tls": tls,
            "management": management.to_string(),
            "catalog": catalog.map(|address| address.to_string()),
            "dns": dns.map(|address| address.to_string()),
            "edge": edge.iter().map(|(name, address)| (name.clone(), json!(address.to_string()))).collect::<Map<_, _>>(),
        })
        .to_string();
    }
    let with = if tls { " with TLS" } else { "" };
    let catalog = catalog.map(|address| format!(", catalog on {address}")).unwrap_or_default();
    let dns = dns.map(|address| format!(", DNS on {address}")).unwrap_or_default();
    let edge =
        edge.iter().fold(String::new(), |list, (name, address)| format!("{list}, {name} on {address}"));
    format!("ready in {millis} ms, gRPC on {grpc}{with}, management on {management}{catalog}{dns}{edge}")
}
