//! Data directories that programs of before have written: they open as they were, and their state is the same.
//!
//! A fixture is never written again. `RECORD=data-v3 cargo test --release -p coreto --test e2e recorded` adds one of the
//! present program, whose formats are then kept; see `CONTRIBUTING.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coreto_engine::{Engine, Env, Limits, Sinks};
use coreto_log::{DiskLog, LogReader, PartitionLog, PartitionName};
use coreto_machine::Place;
use coreto_partition::Partition;
use coreto_partition::store::{FjallStore, Store};

use crate::support::{Client, Directory, Poll, Server, Settings, ask, one_task, tell};

/// Longer than a fixture will be of use.
const FOR_EVER: Duration = Duration::from_secs(10_000_000_000);

/// A fixture: what a program told of its data, the data, and a hash of its state unless it is older than those.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/fixtures")
}

#[tokio::test]
async fn recorded_directories_open_as_they_were() {
    if let Ok(name) = std::env::var("RECORD") {
        record(&fixtures().join(name)).await;
    }
    let mut hashes = 0;
    for fixture in fs::read_dir(fixtures()).unwrap() {
        let fixture = fixture.unwrap().path();
        let directory = Directory::new();
        let data = directory.join("data");
        restore(&fixture.join("engine-1"), &data.join("engine-1"));
        if fixture.join("partitions").exists() {
            fs::copy(fixture.join("partitions"), data.join("partitions")).unwrap();
        }
        for keyspace in fs::read_dir(data.join("engine-1/store/keyspaces")).into_iter().flatten() {
            // An empty directory is in no repository.
            fs::create_dir_all(keyspace.unwrap().path().join("tables")).unwrap();
        }
        if let Ok(hash) = fs::read_to_string(fixture.join("hash.txt")) {
            let found = [false, true].map(|from_store| hash_of(&data, from_store));
            assert_eq!(
                found,
                [&hash[..]; 2],
                "from the beginning, and from the store: {}",
                fixture.display()
            );
            hashes += 1;
        }
        let server = start(&directory);
        let client = server.client().await;
        let told = fs::read_to_string(fixture.join("told.txt")).unwrap();
        assert_eq!(tell(&client).await, told, "{}", fixture.display());
        client.create("order", "{}").await.unwrap();
    }
    assert!(hashes > 0);
}

/// A hash over all that the engine and the runtime remember, replayed from the beginning or behind the store.
fn hash_of(data: &Path, from_store: bool) -> String {
    let log = DiskLog::open(data).unwrap();
    let env = Env::new(Arc::<Sinks>::default(), Limits::default(), "UTC".into());
    let mut partition =
        Partition::<Engine>::create(Place { number: 1, count: 1 }, env, Default::default(), Box::new(|| 0));
    let mut applied = 0;
    if from_store {
        let store = FjallStore::open(&data.join("engine-1/store")).unwrap();
        applied = store.applied().unwrap().unwrap();
        store
            .load(&mut |table, key, value| {
                partition.load(table, key, value).unwrap();
                Ok(())
            })
            .unwrap();
        partition.loaded();
    }
    let name = PartitionName { group: "engine".into(), number: 1 };
    let mut reader = log.read(&name, applied + 1).unwrap();
    let mut behind = 0;
    while let Some(batch) = reader.next().unwrap() {
        behind += 1;
        if !batch.payload.is_empty() {
            partition.replay(&batch.payload).unwrap();
        }
    }
    assert!(behind > 1, "the store is behind the log");
    let (engine, runtime) = partition.fingerprint();
    format!("engine {engine:016x}\nruntime {runtime:016x}\n")
}

fn start(directory: &Directory) -> Server {
    Settings::new(directory).configure("[clock]\nmode = \"controlled\"\n").start()
}

/// Records some of each: instances that wait, failed and ended, jobs, variables, an incident, two versions, a kept reply,
/// a pinned clock.
async fn record(fixture: &Path) {
    assert!(!fixture.exists(), "`{}` is there already and is not written again", fixture.display());
    let directory = Directory::new();
    let data = directory.join("data");
    let server = start(&directory);
    let client = server.client().await;
    begin(&client).await;
    server.stop().await;
    // It is behind the log that is recorded.
    keep(&data.join("engine-1/store"), &fixture.join("engine-1/store"));
    keep_file(&data.join("partitions"), &fixture.join("partitions"));

    let server = start(&directory);
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order").replace("to-end", "to-the-end")).await.unwrap();
    let cancelled = client.create("order", "{}").await.unwrap();
    client.cancel(cancelled).await.unwrap();
    client.create_keyed("order", r#"{"letters":"é"}"#, "once").await.unwrap();
    let (status, _) =
        ask(&server.management, "POST", "/actuator/clock/pin", r#"{"epochMilli":2000000000000}"#);
    assert_eq!(status, 200);
    client.create("order", r#"{"pinned":true}"#).await.unwrap();
    fs::write(fixture.join("told.txt"), tell(&client).await).unwrap();
    server.stop().await;
    for entry in fs::read_dir(data.join("engine-1")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            keep_file(&path, &fixture.join("engine-1").join(path.file_name().unwrap()));
        }
    }
    fs::write(fixture.join("hash.txt"), hash_of(&data, false)).unwrap();
}

async fn begin(client: &Client) {
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    for id in 0..4 {
        client.create("order", &format!(r#"{{"id":{id},"list":[1,{{"a":null}}]}}"#)).await.unwrap();
    }
    let poll = Poll { job_type: "order", max: 3, wait: Duration::ZERO, lock: FOR_EVER };
    let jobs = client.poll(poll).await.unwrap();
    client.complete(jobs[0].key, r#"{"done":true}"#).await.unwrap();
    client.fail(jobs[1].key, 0).await.unwrap();
}

/// Segments and the store's journal are kept without the zeros at their end.
fn is_padded(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix == "log" || suffix == "jnl")
}

fn keep(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            keep(&path, &target);
        } else {
            keep_file(&path, &target);
        }
    }
}

fn keep_file(from: &Path, to: &Path) {
    let mut bytes = fs::read(from).unwrap();
    if is_padded(from) {
        bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1));
    }
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::write(to, bytes).unwrap();
}

fn restore(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            restore(&path, &target);
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|suffix| suffix == "log") {
            // A segment's header says how long it is.
            let size = u64::from_le_bytes(bytes[92..100].try_into().unwrap());
            bytes.resize(usize::try_from(size).unwrap(), 0);
        }
        fs::write(target, bytes).unwrap();
    }
}
