//! A partition with its threads, on a log in a temporary directory.
#![allow(dead_code, unreachable_pub, reason = "a module of tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use coreto_engine::{Effect, Engine, Env, Limits, Sinks};
use coreto_log::disk::RealDisk;
use coreto_log::{DiskLog, NodeId, PartitionName};
use coreto_machine::{Caller, Channel};
use coreto_partition::store::MemoryStore;
use coreto_partition::{
    Address, Answer, Clock, Config, Effects, Handle, Mailbox, Request, Service, SnapshotPolicy,
};
use coreto_record::{Command, Reply};
use coreto_view::{Exporter, Filter, Running, Sink};

use crate::support::{ORDER, create, deploy};

pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coreto-view-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Plant {
    pub log: Arc<DiskLog>,
    pub service: Option<Service<Engine>>,
    pub handle: Handle<Engine>,
    pub folder: Folder,
}

struct Quiet;

impl Effects<Engine> for Quiet {
    fn perform(&self, effects: &mut Vec<Effect>) {
        effects.clear();
    }
}

struct Single(SyncSender<Answer<Engine>>);

impl Mailbox<Engine> for Single {
    fn put(&self, _ticket: u64, answer: Answer<Engine>) {
        let _ = self.0.try_send(answer);
    }
    fn flush(&self) {}
}

pub fn partition() -> PartitionName {
    PartitionName { group: "engine".into(), number: 1 }
}

impl Plant {
    pub fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let log = DiskLog::open(&folder.0.join("data")).unwrap().with_segment_sizes(64 << 10, 64 << 10);
        let log = Arc::new(log);
        let service = start(&log);
        let handle = service.handles()[0].clone();
        Self { log, service: Some(service), handle, folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    /// Has a command carried out, durably.
    pub fn run(&self, command: Command) -> Reply {
        let (sender, receiver) = sync_channel(1);
        let answer = Address { mailbox: Arc::new(Single(sender)), ticket: 0 };
        let caller = Caller::anonymous(Channel::Grpc);
        self.handle.submit(Request::new(command, caller, Some(answer))).unwrap();
        match receiver.recv_timeout(Duration::from_secs(30)).unwrap() {
            Answer::Reply(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    pub fn deploy(&self) {
        self.run(deploy("order.bpmn", ORDER));
    }

    /// Starts instances.
    pub fn create(&self, count: usize) {
        for number in 0..count {
            self.run(create("order", &format!(r#"{{"number":{number}}}"#)));
        }
    }

    /// Starts an exporter of everything.
    pub fn export(&self, sink: impl Sink, delay: Duration) -> Running {
        self.export_only(Filter::All, sink, delay)
    }

    pub fn export_only(&self, filter: Filter, sink: impl Sink, delay: Duration) -> Running {
        let config = coreto_view::Config {
            name: "tested".into(),
            partition: partition(),
            log: Arc::clone(&self.log),
            handle: self.handle.clone(),
            filter,
            delay,
        };
        Exporter::new(config, sink).start().unwrap()
    }

    /// Waits until an exporter has all that is durable.
    pub fn await_export(&self, running: &Running) {
        until("everything was exported", || running.progress().sequence() >= self.handle.durable());
    }

    pub fn stop(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop();
        }
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(log: &Arc<DiskLog>) -> Service<Engine> {
    Service::start(Config::<Engine, DiskLog<RealDisk>> {
        group: "engine".into(),
        partitions: 1,
        executors: 1,
        log: Arc::clone(log),
        node: NodeId(1),
        stores: Box::new(|_| Ok(Box::new(MemoryStore::default()))),
        env: Box::new(|_| Env::new(Arc::new(Sinks::default()), Limits::default(), "UTC".into())),
        effects: Arc::new(Quiet),
        replicas: Vec::new(),
        watcher: None,
        clock: Arc::new(Clock::real()),
        limits: coreto_partition::Limits::default(),
        snapshots: SnapshotPolicy::default(),
    })
    .unwrap()
}

/// Waits, for a bounded time, until something is so.
pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(30), "not so within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}
