//! A catalog that is served on a port of its own, and a client that speaks plain HTTP.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use coreto_catalog::{Catalog, Env};
use coreto_discovery::{Config, Hub, Parts};
use coreto_log::disk::SimDisk;
use coreto_log::{DiskLog, NodeId};
use coreto_partition::store::{MemoryStore, Store};
use coreto_partition::{Clock, Effects, Handle, Limits, Replica, Service, SnapshotPolicy};
use coreto_sim::gate::{Gate, GatedLog};
use tokio::sync::oneshot;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The name of the node of every bench.
pub(crate) const NODE: &str = "n1";

/// What outlives a server: its disk and its store.
pub(crate) struct Ground {
    disk: SimDisk,
    store: MemoryStore,
    pub(crate) gate: Gate,
    /// Bounds of the catalog.
    pub(crate) limits: coreto_catalog::Limits,
    /// How long a request may take to come.
    pub(crate) request_timeout: Duration,
}

/// A catalog that is served.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle<Catalog>,
    pub(crate) replica: Arc<Replica<Catalog>>,
    partitions: Service<Catalog>,
    drain: oneshot::Sender<()>,
    door: JoinHandle<()>,
}

struct Nothing;

impl Effects<Catalog> for Nothing {
    fn perform(&self, effects: &mut Vec<()>) {
        effects.clear();
    }
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self {
            disk: SimDisk::new(7),
            store: MemoryStore::default(),
            gate: Gate::default(),
            limits: coreto_catalog::Limits::default(),
            request_timeout: Config::default().request_timeout,
        }
    }

    /// Starts a server, and waits until its node is registered.
    pub(crate) fn start(&self) -> Server {
        self.start_as(NODE)
    }

    /// Starts a server whose machine has this name.
    pub(crate) fn start_as(&self, node: &str) -> Server {
        let hub = Arc::new(Hub::default());
        let waiting = Arc::clone(&hub);
        let wake = move |touched: Option<&[_]>, applied| waiting.observe(touched, applied);
        let replica = Arc::new(Replica::new(Box::new(wake)));
        let (store, limits) = (self.store.clone(), self.limits);
        let log = DiskLog::on(self.disk.clone(), Path::new("/data"));
        let partitions = Service::start(coreto_partition::Config {
            group: "catalog".into(),
            partitions: 1,
            executors: 1,
            log: Arc::new(GatedLog { log, gate: self.gate.clone() }),
            node: NodeId(0),
            stores: Box::new(move |_| Ok(Box::new(store.clone()) as Box<dyn Store>)),
            env: Box::new(move |_| Env { limits }),
            effects: Arc::new(Nothing),
            replicas: vec![Arc::clone(&replica)],
            watcher: None,
            clock: Arc::new(Clock::real()),
            limits: Limits { free_bytes_new_work: 0, free_bytes_all: 0, ..Limits::default() },
            snapshots: SnapshotPolicy::default(),
        })
        .unwrap();
        let handle = partitions.handles()[0].clone();
        let config = Config {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            node: node.into(),
            node_address: "10.0.0.1".into(),
            request_timeout: self.request_timeout,
            ..Config::default()
        };
        let parts = Parts { handle: handle.clone(), replica: Arc::clone(&replica), hub };
        let service = config.build(parts).unwrap();
        let address = service.local_addr();
        let (drain, drained) = oneshot::channel();
        let door = std::thread::spawn(move || service.run(async move { drop(drained.await) }).unwrap());
        let server = Server { address, handle, replica, partitions, drain, door };
        server.until(&format!("/v1/health/node/{node}"), |answer| answer.body.contains("passing"));
        server
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// A field of the head.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// The index by which a client waits.
    pub(crate) fn index(&self) -> u64 {
        self.header("x-consul-index").unwrap().parse().unwrap()
    }
}

impl Server {
    /// Asks, on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        ask(self.address, method, path, body)
    }

    /// Asks until the answer is as it must become.
    pub(crate) fn until(&self, path: &str, done: impl Fn(&Answer) -> bool) -> Answer {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask("GET", path, "");
            if done(&answer) {
                return answer;
            }
            assert!(Instant::now() < end, "{path} stays as it is: {answer:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Drains, and ends.
    pub(crate) fn stop(self) {
        let _ = self.drain.send(());
        self.door.join().unwrap();
        self.partitions.stop();
    }
}

pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let status = line().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut body = String::new();
    reader.read_to_string(&mut body).unwrap();
    Answer { status, headers, body }
}
