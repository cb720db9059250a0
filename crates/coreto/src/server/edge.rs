//! A gateway in the process of a server.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use coreto_edge::{Gateway, Output, Shared};
use tokio::signal::unix::{SignalKind, signal};

use super::door::Drained;
use crate::config::EdgeConfig;

/// Binds the addresses of a gateway. `catalog`: where the server's own is served.
pub(super) fn open(config: &EdgeConfig, catalog: Option<SocketAddr>) -> anyhow::Result<Gateway> {
    let output = match &config.access_log {
        None => Output::Off,
        Some(path) => {
            Output::file(path).with_context(|| format!("cannot write the access log `{}`", path.display()))?
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let gateway = match catalog {
        Some(catalog) => Gateway::build_beside(catalog, &config.file, workers, output),
        None => Gateway::build(&config.file, workers, output).map(with_catalog_token),
    };
    gateway.context("the gateway (--edge) cannot be opened")
}

/// Shows the token of Consul's tools to the catalog, if the surroundings have one.
pub(crate) fn with_catalog_token(gateway: Gateway) -> Gateway {
    match std::env::var("CONSUL_HTTP_TOKEN") {
        Ok(token) => gateway.with_catalog_token(token),
        Err(_) => gateway,
    }
}

/// Serves until it is drained. SIGHUP reads its configuration again.
pub(super) fn run(gateway: Gateway, drained: Drained) -> anyhow::Result<()> {
    let shared = Arc::clone(gateway.shared());
    let serving = gateway.start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut hang_up = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let (mut drained, ended) = (drained, shared.plane().until_drained());
        tokio::pin!(ended);
        // Bound: until it is drained.
        loop {
            tokio::select! {
                () = &mut drained => return anyhow::Ok(()),
                () = &mut ended => return anyhow::Ok(()),
                _ = hang_up.recv() => reload(&shared),
            }
        }
    })?;
    shared.drain();
    Ok(serving.wait()?)
}

/// Reads the configuration of a gateway again.
pub(crate) fn reload(shared: &Shared) {
    match shared.reload() {
        Ok(changes) => tracing::info!(changes = changes.len(), "another configuration is in force"),
        Err(error) => {
            tracing::error!(error = format!("{:#}", anyhow!(error)), "the configuration stays as it was");
        }
    }
}
