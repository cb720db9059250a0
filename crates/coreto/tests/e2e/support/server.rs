//! The program as a server, in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Client, Directory, PATIENCE, until};

/// How to start a server.
pub(crate) struct Settings {
    /// What runs the program and comes before it, such as a tracer.
    before: Vec<String>,
    /// Where the data is, as the server sees it.
    data: PathBuf,
    /// What it wrote to its standard error.
    log: PathBuf,
    /// `coreto.toml`, whose settings a test needs.
    config: PathBuf,
    arguments: Vec<String>,
}

impl Settings {
    /// On `data` in a directory, and with nothing special.
    pub(crate) fn new(directory: &Directory) -> Self {
        let config = directory.join("coreto.toml");
        if !config.exists() {
            std::fs::write(&config, "").unwrap();
        }
        Self {
            before: Vec::new(),
            data: directory.join("data"),
            log: directory.join("server.log"),
            config,
            arguments: Vec::new(),
        }
    }

    /// With these lines of `coreto.toml`, from now on.
    pub(crate) fn configure(self, toml: &str) -> Self {
        std::fs::write(&self.config, toml).unwrap();
        self
    }

    /// With a data directory elsewhere.
    pub(crate) fn data(mut self, data: &Path) -> Self {
        data.clone_into(&mut self.data);
        self
    }

    /// Run by another program.
    pub(crate) fn run_by(mut self, before: impl IntoIterator<Item = String>) -> Self {
        self.before.extend(before);
        self
    }

    /// With a further argument and its value.
    pub(crate) fn argument(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.arguments.extend([name.to_owned(), value.as_ref().to_str().unwrap().to_owned()]);
        self
    }

    /// Starts the process, and does not wait for anything.
    pub(crate) fn spawn(&self) -> Child {
        let program = env!("CARGO_BIN_EXE_coreto").to_owned();
        let mut line = self.before.iter().cloned().chain([program]);
        let mut command = Command::new(line.next().unwrap());
        command.args(line).args(["start", "--json", "--grpc", "127.0.0.1:0", "--management", "127.0.0.1:0"]);
        command.arg("--data").arg(&self.data).arg("--config").arg(&self.config).args(&self.arguments);
        // Settings of whoever runs the tests are none of the server's.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CORETO_"))
        {
            command.env_remove(name);
        }
        // Its usual port belongs to one server at a time.
        command.env("CORETO_CATALOG_ADDRESS", "off");
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap()
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(&self) -> Server {
        match self.try_start() {
            Ok(server) => server,
            Err(end) => panic!("the server did not get ready: {end:?}"),
        }
    }

    /// Starts it and waits until it is ready, or has ended.
    pub(crate) fn try_start(&self) -> Result<Server, End> {
        let before = std::fs::metadata(&self.log).map_or(0, |metadata| metadata.len());
        let mut child = self.spawn();
        let Some(line) = first_line(&mut child) else {
            let code = child.wait().unwrap().code();
            return Err(End { code, log: self.log_behind(before) });
        };
        Ok(self.ready(child, &line))
    }

    /// Starts one that writes records to its standard output, which nobody reads, and waits until it is ready.
    pub(crate) fn start_with_records(&self) -> Server {
        let before = std::fs::metadata(&self.log).map_or(0, |metadata| metadata.len());
        let mut child = self.spawn();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let log = self.log_behind(before);
            if let Some(line) = log.lines().find(|line| line.contains("readyInMs") && line.ends_with('}')) {
                return self.ready(child, line);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("it did not get ready: {}", self.log_behind(before))
    }

    /// A server that has said this when it was ready.
    fn ready(&self, child: Child, line: &str) -> Server {
        let line: Value = serde_json::from_str(line).unwrap();
        let address = |name: &str| line[name].as_str().unwrap().to_owned();
        // The process that was started may be one that runs the server; the lock tells, where it can be seen.
        let lock = std::fs::read_to_string(self.data.join("lock"));
        let pid = lock.map_or(child.id(), |pid| pid.parse().unwrap());
        let (grpc, management) = (address("grpc"), address("management"));
        let optional = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let (catalog, dns) = (optional("catalog"), optional("dns"));
        let edge = line["edge"]["public"].as_str().unwrap_or_default().to_owned();
        Server { grpc, management, catalog, dns, edge, child, pid, log: self.log.clone() }
    }

    /// What was logged after the first so many bytes.
    fn log_behind(&self, bytes: u64) -> String {
        let log = std::fs::read(&self.log).unwrap();
        String::from_utf8_lossy(&log[usize::try_from(bytes).unwrap()..]).into_owned()
    }
}

/// How a server has ended that did not get ready.
#[derive(Debug)]
pub(crate) struct End {
    /// Its exit code; none after a signal.
    pub(crate) code: Option<i32>,
    /// What it wrote to its standard error.
    pub(crate) log: String,
}

/// A running server. One that is dropped is killed.
pub(crate) struct Server {
    pub(crate) grpc: String,
    pub(crate) management: String,
    catalog: String,
    dns: String,
    edge: String,
    /// What was started, which ends when the server ends, as it does.
    child: Child,
    /// The server itself.
    pid: u32,
    log: PathBuf,
}

impl Server {
    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.grpc).await.unwrap()
    }

    /// Where its catalog is, which must have been asked for.
    pub(crate) fn catalog(&self) -> &str {
        assert!(!self.catalog.is_empty(), "this server has no catalog");
        &self.catalog
    }

    /// Where its names are, which must have been asked for.
    pub(crate) fn dns(&self) -> &str {
        assert!(!self.dns.is_empty(), "this server has no names");
        &self.dns
    }

    /// Where its gateway's listener `public` is, which must have been asked for.
    pub(crate) fn edge(&self) -> &str {
        assert!(!self.edge.is_empty(), "this server has no gateway");
        &self.edge
    }

    /// Lets its gateway read its configuration again.
    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP).unwrap();
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// All that it and those before it on this directory wrote to their standard error.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Where it writes its standard error.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.log.clone()
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        kill_process(Pid::from_raw(i32::try_from(self.pid).unwrap()).unwrap(), signal)
    }

    /// Waits for its end; gives its exit code. Clients of this thread go on meanwhile.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        until("the server ends", async || self.child.try_wait().unwrap()).await.code()
    }

    /// Asks it to end and waits for that, which must go well.
    pub(crate) async fn stop(self) {
        self.terminate();
        assert_eq!(self.ended().await, Some(0));
    }

    /// Bytes of memory that are in use.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended, and was waited for, may have left its number to somebody else.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// The first line that it prints; none if it ends before.
fn first_line(child: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more when it took too long.
        let _ = sender.send(lines.next().and_then(Result::ok));
        lines.map_while(Result::ok).for_each(drop);
    });
    receiver.recv_timeout(PATIENCE).expect("it is neither ready nor has it ended")
}
