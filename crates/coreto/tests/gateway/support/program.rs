//! A gateway as a program of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

/// A folder for the files of a test.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway").join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A configuration with one listener, `public`, on a port that is free.
pub(crate) fn config(port: u16, listener: &str, more: &str) -> String {
    format!(
        "[admin]\naddress = \"127.0.0.1:0\"\n\n[[listener]]\nname = \"public\"\naddress = \"127.0.0.1:{port}\"\n\
         {listener}\n\n{more}"
    )
}

/// A cluster and the route to it.
pub(crate) fn cluster(name: &str, endpoints: &[SocketAddr], cluster: &str, route: &str) -> String {
    let endpoints: Vec<String> = endpoints.iter().map(|address| format!("\"{address}\"")).collect();
    format!(
        "[[cluster]]\nname = \"{name}\"\nendpoints = [{}]\n{cluster}\n\n\
         [[route]]\nname = \"{name}\"\nprefix = \"/{name}\"\nto = \"{name}\"\n{route}\n\n",
        endpoints.join(", ")
    )
}

/// Of a route whose connections may become WebSockets.
pub(crate) const SWITCHES: &str = "upgrades = [\"websocket\"]";

/// A program that runs; killed when it is dropped before it has ended.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Program {
    /// Starts one in a folder that has `edge.toml`. None when it ends before it is ready.
    pub(crate) fn try_start(folder: &Path, arguments: &[&str]) -> Option<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coreto"))
            .args(["edge", "--json", "--workers", "2", "--access-log", "access.log"])
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        if ready.is_empty() {
            assert!(!child.wait().unwrap().success());
            return None;
        }
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        let address = |value: &serde_json::Value| value.as_str().unwrap().parse().unwrap();
        Some(Self { child, address: address(&ready["listeners"]["public"]), admin: address(&ready["admin"]) })
    }

    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::try_start(folder, arguments).expect("the gateway starts")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap()
    }

    /// Lets it open so many files more, or as many as this program may.
    pub(crate) fn leave_descriptors(&self, spare: Option<u64>) {
        let own = getrlimit(Resource::Nofile);
        let open = || std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count() as u64;
        let current = spare.map(|spare| open() + spare).or(own.current);
        prlimit(Some(self.pid()), Resource::Nofile, Rlimit { current, ..own }).unwrap();
    }

    /// Puts another configuration in force.
    pub(crate) fn reload(&self) {
        let answer = super::client::ask(self.admin, "POST /reload", "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Waits for it to end by itself.
    pub(crate) fn ended(mut self) {
        assert!(self.child.wait().unwrap().success());
    }

    /// The same, by this exit code.
    pub(crate) fn ended_with(mut self, code: i32) {
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Lets it end.
    pub(crate) fn end(self) {
        self.signal(Signal::TERM);
        self.ended();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of the access log in a folder.
pub(crate) fn access_log(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("access.log")).unwrap();
    // The last line may be on its way.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until something holds, for as long as a person would.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it never came to be that {what}");
}
