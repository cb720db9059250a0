//! The program that is run, and the signals for it.

use std::ffi::OsString;
use std::future::{pending, poll_fn};
use std::io::IsTerminal;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::task::Poll;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::oneshot;

use crate::error::CliError;

/// A program that runs.
pub(super) struct Program {
    pid: Pid,
    ended: oneshot::Receiver<std::io::Result<ExitStatus>>,
    over: bool,
}

fn failed(line: &[OsString], source: std::io::Error) -> CliError {
    let program = line.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    CliError::Program { program, source }
}

/// How a program has ended.
pub(super) struct Ended(Option<ExitStatus>);

impl Program {
    /// Runs it in a process group of its own, so that what a terminal sends comes by us alone.
    pub(super) fn start(line: &[OsString]) -> Result<Self, CliError> {
        let (name, arguments) = line.split_first().expect("the command line requires one");
        let mut command = Command::new(name);
        command.args(arguments).process_group(0);
        if std::io::stdin().is_terminal() {
            // Who reads a terminal from behind is stopped.
            command.stdin(Stdio::null());
        }
        let mut child = command.spawn().map_err(|source| failed(line, source))?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process has a number");
        let (sender, ended) = oneshot::channel();
        let wait = move || drop(sender.send(child.wait()));
        let waiting = std::thread::Builder::new().name("program".to_owned()).spawn(wait);
        waiting.map_err(|source| failed(line, source))?;
        Ok(Self { pid, ended, over: false })
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Ready once it has ended, and then once.
    pub(super) async fn ended(&mut self) -> Ended {
        if self.over {
            return pending().await;
        }
        let ended = (&mut self.ended).await;
        self.over = true;
        Ended(ended.ok().and_then(Result::ok))
    }

    /// Passes a signal on: those of a terminal to all that the program has started, too, as a terminal does.
    pub(super) fn signal(&self, signal: Signal) {
        if self.over {
            return;
        }
        // It may have ended just now.
        let _ = if signal == Signal::INT || signal == Signal::QUIT {
            kill_process_group(self.pid, signal)
        } else {
            kill_process(self.pid, signal)
        };
    }
}

impl Ended {
    /// The exit code, as shells count it.
    pub(super) fn code(&self) -> u8 {
        let code = self.0.and_then(|status| status.code().or_else(|| Some(128 + status.signal()?)));
        code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
    }
}

/// The signals that are passed on.
const PASSED: [(Signal, SignalKind); 6] = [
    (Signal::TERM, SignalKind::terminate()),
    (Signal::INT, SignalKind::interrupt()),
    (Signal::HUP, SignalKind::hangup()),
    (Signal::QUIT, SignalKind::quit()),
    (Signal::USR1, SignalKind::user_defined1()),
    (Signal::USR2, SignalKind::user_defined2()),
];

/// Signals that come.
pub(super) struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// Listens from now on.
    pub(super) fn listen(line: &[OsString]) -> Result<Self, CliError> {
        let listened: std::io::Result<Vec<_>> =
            PASSED.into_iter().map(|(name, kind)| Ok((name, signal(kind)?))).collect();
        listened.map(Self).map_err(|source| failed(line, source))
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        poll_fn(|cx| {
            for (name, signal) in &mut self.0 {
                if signal.poll_recv(cx).is_ready() {
                    return Poll::Ready(*name);
                }
            }
            Poll::Pending
        })
        .await
    }
}
