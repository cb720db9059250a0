//! Being asked to end.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that ask the program to end.
pub(crate) struct Termination {
    runtime: tokio::runtime::Runtime,
    terminate: Signal,
    interrupt: Signal,
}

/// Listens from now on for SIGTERM and SIGINT.
pub(crate) fn termination() -> anyhow::Result<Termination> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    let terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    drop(inside);
    Ok(Termination { runtime, terminate, interrupt })
}

impl Termination {
    /// Waits until the program is asked to end.
    pub(crate) fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => (),
                _ = self.interrupt.recv() => (),
            }
        });
    }
}
