//! The program, running as a server for a suite.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

/// How long a server may take until it says that it is ready.
const READY: Duration = Duration::from_secs(30);

/// A server on free ports, stopped when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) grpc: String,
    pub(crate) management: String,
    /// Where its catalog is; empty when that is off.
    pub(crate) catalog: String,
    /// What it wrote to its standard error.
    pub(crate) log: PathBuf,
}

impl Server {
    /// Starts `coreto dev` with further arguments, and waits for the line that names its addresses.
    pub(crate) fn start(workspace: &Workspace, suite: &str, arguments: &[&str]) -> anyhow::Result<Server> {
        let program = workspace.program("coreto");
        let log = workspace.scratch("log")?.join(format!("{suite}.log"));
        let errors = File::create(&log).with_context(|| format!("cannot create `{}`", log.display()))?;
        let mut child = Command::new(&program)
            .args(["dev", "--grpc", "127.0.0.1:0", "--management", "127.0.0.1:0", "--json"])
            .args(arguments)
            // Its usual port belongs to one server at a time; a suite that wants a catalog names another.
            .env("CORETO_CATALOG_ADDRESS", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| {
                format!("cannot run `{}`; build it: cargo build --release -p coreto", program.display())
            })?;
        match ready(&mut child, &log) {
            Ok([grpc, management, catalog]) => Ok(Server { child, grpc, management, catalog, log }),
            Err(error) => {
                process::stop(&mut child, Duration::from_secs(1))?;
                Err(error)
            }
        }
    }

    /// Whether it is still there.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = process::stop(&mut self.child, Duration::from_secs(10)) {
            eprintln!("cannot stop the server: {error:#}");
        }
    }
}

/// The addresses of the gateway, of management, and of the catalog if there is one.
fn ready(child: &mut Child, log: &Path) -> anyhow::Result<[String; 3]> {
    let stdout = child.stdout.take().context("the server's standard output is not piped")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next().and_then(Result::ok);
        // Nobody may listen any more, when the server took too long.
        let _ = sender.send(first);
        // What follows is read to the end, so that the server never waits for a reader.
        lines.map_while(Result::ok).for_each(drop);
    });
    let Ok(Some(line)) = receiver.recv_timeout(READY) else {
        bail!("the server did not get ready within {} s; see `{}`", READY.as_secs(), log.display());
    };
    let line: Value = serde_json::from_str(&line)
        .with_context(|| format!("the server's first line is no JSON: `{line}`"))?;
    let address = |name: &str| -> anyhow::Result<String> {
        let address =
            line[name].as_str().with_context(|| format!("the server's first line has no `{name}`"))?;
        Ok(address.to_owned())
    };
    Ok([address("grpc")?, address("management")?, line["catalog"].as_str().unwrap_or_default().to_owned()])
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port is free on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}
