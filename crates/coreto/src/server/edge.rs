//! A gateway in the process of a server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use coreto_edge::{Beside, Gateway, Output, Shared};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::door::Drained;
use crate::config::EdgeConfig;

/// Binds the addresses of a gateway beside what else the server serves.
pub(super) fn open(config: &EdgeConfig, beside: Beside) -> anyhow::Result<Gateway> {
    let output = match &config.access_log {
        None => Output::Off,
        Some(path) => {
            Output::file(path).with_context(|| format!("cannot write the access log `{}`", path.display()))?
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let catalog_is_ours = beside.catalog.is_some();
    let gateway = Gateway::build_beside(beside, &config.file, workers, output);
    let gateway = gateway.context("the gateway (--edge) cannot be opened")?;
    Ok(if catalog_is_ours { gateway } else { with_catalog_token(gateway) })
}

/// Shows the token of Consul's tools to the catalog, if the surroundings have one.
pub(crate) fn with_catalog_token(gateway: Gateway) -> Gateway {
    match std::env::var("CONSUL_HTTP_TOKEN") {
        Ok(token) => gateway.with_catalog_token(token),
        Err(_) => gateway,
    }
}

/// Serves until it is drained.
pub(super) fn run(gateway: Gateway, drained: Drained) -> anyhow::Result<()> {
    let shared = Arc::clone(gateway.shared());
    let serving = gateway.start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        Told::new()?.follow(&shared, drained).await;
        anyhow::Ok(())
    })?;
    shared.drain();
    Ok(serving.wait()?)
}

/// What a gateway is told by signals, and goes on.
pub(crate) struct Told {
    hang_up: Signal,
    /// Asks other programs to open their logs again.
    user_1: Signal,
    /// Asks other programs for what is `--hand-over` here; it is heard so that it does not end this one.
    _user_2: Signal,
}

impl Told {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?,
            user_1: signal(SignalKind::user_defined1()).context("cannot listen for SIGUSR1")?,
            _user_2: signal(SignalKind::user_defined2()).context("cannot listen for SIGUSR2")?,
        })
    }

    /// Does what it is told until the gateway is asked to end, and has said for as long as it is to that it does; or
    /// until it has handed over.
    pub(crate) async fn follow(mut self, shared: &Shared, asked: impl Future<Output = ()>) {
        let (drained, said) = (shared.plane().until_drained(), tokio::time::sleep(Duration::ZERO));
        tokio::pin!(drained, said, asked);
        let mut says = false;
        // Bound: until the gateway is asked to end, and so long after.
        loop {
            tokio::select! {
                () = &mut asked, if !says => {
                    let time = shared.announce_drain();
                    says = true;
                    said.as_mut().reset(tokio::time::Instant::now() + time);
                }
                () = &mut said, if says => return,
                () = &mut drained => return,
                _ = self.hang_up.recv() => reload(shared),
                _ = self.user_1.recv() => shared.reopen_log(),
            }
        }
    }
}

/// Reads the configuration of a gateway again.
fn reload(shared: &Shared) {
    match shared.reload() {
        Ok(changes) => tracing::info!(changes = changes.len(), "another configuration is in force"),
        Err(error) => {
            tracing::error!(error = format!("{:#}", anyhow!(error)), "the configuration stays as it was");
        }
    }
}
