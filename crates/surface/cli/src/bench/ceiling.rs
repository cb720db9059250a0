//! A gRPC server without an engine: what this machine gives at best.
//!
//! Two durable answers and one push per task: a command is answered when the batch it fell into has been written
//! (one block of 4 KiB of zeros into a preallocated file) and synced. Transport and settings are those of the real
//! server; there is nothing behind them but a map of jobs in memory.

mod commit;
mod service;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use coreto_protocol::gateway::gateway_server::GatewayServer;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::commit::Committer;
use self::service::Bare;
use super::error::Error;
use super::options::Options;

const FILE_SIZE: usize = 64 << 20;
const READY: &str = "listening ";

/// The bare server in a process of its own, so that its CPU can be told from ours.
pub(crate) struct Ceiling {
    child: Child,
    address: String,
}

impl Ceiling {
    /// Starts this program again as the bare server.
    pub(crate) fn start(options: &Options) -> Result<Self, Error> {
        let failed = |source| Error::CeilingStart { source };
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["bench", "--serve-ceiling", "--ceiling-file"])
            .arg(&options.ceiling_file)
            // The child ends when this pipe does, so it cannot outlive us.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let stdout = child.stdout.take().expect("it is piped");
        let mut ceiling = Self { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(failed)?;
        let address = line.trim_end().strip_prefix(READY);
        let address = address.ok_or_else(|| failed(io::Error::other("it ended before it listened")))?;
        ceiling.address = format!("http://{address}");
        Ok(ceiling)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Ceiling {
    fn drop(&mut self) {
        // Either it has ended already or it is killed now; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the bare server until standard input ends.
pub(crate) fn serve_until_stdin_ends(file: &Path) -> Result<(), Error> {
    let (stop, stopped) = oneshot::channel();
    thread::spawn(move || {
        // Whatever ends it, an error included, is the end.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        drop(stop);
    });
    let ready = |address: SocketAddr| writeln!(io::stdout(), "{READY}{address}");
    // A thread of its own has no runtime around it, whoever calls.
    thread::scope(|scope| {
        let server = scope.spawn(|| serve(file, ready, stopped));
        server.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn serve(
    path: &Path,
    ready: impl FnOnce(SocketAddr) -> io::Result<()>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), Error> {
    let file = preallocated(path).map_err(|source| Error::CeilingFile { path: path.to_owned(), source })?;
    // One thread: on a small machine more of them cost more than they give.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::CeilingStart { source })?;
    runtime
        .block_on(async {
            let committer = Committer::start(file, FILE_SIZE);
            let service = GatewayServer::new(Bare::new(Arc::new(committer)));
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            ready(listener.local_addr()?)?;
            tokio::select! {
                result = accept(listener, service) => result,
                _ = stopped => Ok(()),
            }
        })
        .map_err(|source| Error::CeilingStart { source })
}

async fn accept(listener: TcpListener, service: GatewayServer<Bare>) -> io::Result<()> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .initial_connection_window_size(8 << 20)
        .initial_stream_window_size(1 << 20)
        .max_concurrent_streams(100_000)
        .auto_date_header(false);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let connection =
            http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(service.clone()));
        tokio::spawn(async move {
            // A client that goes away is the usual end.
            let _ = connection.await;
        });
    }
}

/// A file whose blocks are really there: extents that are only reserved would make each sync slower.
fn preallocated(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.len() != FILE_SIZE as u64 {
        file.set_len(0)?;
        let zeros = vec![0; 1 << 20];
        for _ in 0..FILE_SIZE / zeros.len() {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
    }
    Ok(file)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The bare server on a thread of this process.
    pub(crate) fn started(file: &Path) -> (String, oneshot::Sender<()>) {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let file = file.to_owned();
        thread::spawn(move || serve(&file, |address| ready.send(address).map_err(io::Error::other), stopped));
        (format!("http://{}", address.recv().unwrap()), stop)
    }
}
