//! Being asked to end.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a program that SIGINT ended, as shells count it.
const INTERRUPTED: i32 = 130;

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
    /// Waits until the program is asked to end, or something happens first that it gives then.
    pub(crate) fn wait_or<T>(&mut self, happens: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => None,
                _ = self.interrupt.recv() => None,
                happened = happens => Some(happened),
            }
        })
    }

    /// Ends the program at SIGINT, whatever is under way: who types Ctrl-C again does not want to wait.
    ///
    /// SIGTERM is not taken for impatience, since supervisors may send it more than once.
    pub(crate) fn end_at_next_interrupt(mut self) -> anyhow::Result<()> {
        let wait = move || {
            if self.runtime.block_on(self.interrupt.recv()).is_some() {
                tracing::warn!("ended before everything was answered; what was acknowledged is on disk");
                std::process::exit(INTERRUPTED);
            }
        };
        let thread = std::thread::Builder::new().name("interrupt".to_owned()).spawn(wait);
        thread.map(drop).context("cannot start the thread that waits for Ctrl-C")
    }
}
