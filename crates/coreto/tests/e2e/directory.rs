//! One process on a data directory, and one that it understands.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Directory, Poll, Settings, one_task, tell};

#[tokio::test]
async fn second_process_is_refused_and_the_first_goes_on() {
    let directory = Directory::new();
    let settings = Settings::new(&directory);
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let Err(end) = settings.try_start() else { panic!("two servers run on one directory") };
    assert_eq!(end.code, Some(1), "{}", end.log);
    let holder = format!("`{}` is in use by process {}", directory.join("data").display(), server.pid());
    assert!(end.log.contains(&holder), "{}", end.log);
    client.create("order", "{}").await.unwrap();
    server.kill();
    // A process that was killed holds nothing.
    assert_eq!(settings.start().client().await.instances().await.unwrap().len(), 1);
}

#[tokio::test]
async fn other_formats_are_refused_by_name() {
    let directory = Directory::new();
    let server =
        Settings::new(&directory).argument("--export-ndjson", &directory.join("records.ndjson")).start();
    server.client().await.deploy("order.bpmn", &one_task("order")).await.unwrap();
    server.stop().await;
    let segment = directory.partition_files("log").remove(0);
    let cursor = directory.partition_files("cursor").remove(0);
    let partition = directory.join("data/engine-1");
    for file in [segment, cursor, partition.join("epoch"), partition.join("clean")] {
        for (format, word) in [(2u32, "newer"), (0, "older")] {
            let copy = directory.copy();
            let file = copy.join(file.strip_prefix(directory.path()).unwrap());
            let mut bytes = fs::read(&file).unwrap();
            // Each of our files begins with eight bytes that say what it is, and its format.
            bytes[8..12].copy_from_slice(&format.to_le_bytes());
            fs::write(&file, bytes).unwrap();
            let Err(end) = Settings::new(&copy).try_start() else {
                panic!("`{}` of format {format} was taken", file.display())
            };
            assert_eq!(end.code, Some(1), "{}", end.log);
            let named = format!(
                "`{}` has format {format}, which is {word} than this program reads (1)",
                file.display()
            );
            assert!(end.log.contains(&named), "{}", end.log);
        }
    }
}

/// Segments are kept without the zeros at their end.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/fixtures/data-v1")
}

/// A fixture is never written again; `UPDATE=1` records it only where there is none.
#[tokio::test]
async fn first_recorded_directory_opens_as_it_was() {
    if !fixture().exists() && std::env::var_os("UPDATE").is_some() {
        record().await;
    }
    let directory = Directory::new();
    let partition = directory.join("data/engine-1");
    fs::create_dir_all(&partition).unwrap();
    for entry in fs::read_dir(fixture().join("engine-1")).unwrap() {
        let entry = entry.unwrap();
        let mut bytes = fs::read(entry.path()).unwrap();
        if entry.path().extension().is_some_and(|suffix| suffix == "log") {
            let size = u64::from_le_bytes(bytes[92..100].try_into().unwrap());
            bytes.resize(usize::try_from(size).unwrap(), 0);
        }
        fs::write(partition.join(entry.file_name()), bytes).unwrap();
    }
    let server = Settings::new(&directory).start();
    let client = server.client().await;
    assert_eq!(tell(&client).await, fs::read_to_string(fixture().join("told.txt")).unwrap());
    client.create("order", "{}").await.unwrap();
}

/// Longer than the fixture will be of use.
const FOR_EVER: Duration = Duration::from_secs(10_000_000_000);

/// Records some of each: instances that wait, failed and ended, jobs, variables, an incident, two versions.
async fn record() {
    let directory = Directory::new();
    let server = Settings::new(&directory).start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    for id in 0..4 {
        client.create("order", &format!(r#"{{"id":{id},"list":[1,{{"a":null}}]}}"#)).await.unwrap();
    }
    let poll = Poll { job_type: "order", max: 3, wait: Duration::ZERO, lock: FOR_EVER };
    let jobs = client.poll(poll).await.unwrap();
    client.complete(jobs[0].key, r#"{"done":true}"#).await.unwrap();
    client.fail(jobs[1].key, 0).await.unwrap();
    client.deploy("order.bpmn", &one_task("order").replace("to-end", "to-the-end")).await.unwrap();
    let cancelled = client.create("order", "{}").await.unwrap();
    client.cancel(cancelled).await.unwrap();
    client.create("order", r#"{"letters":"é"}"#).await.unwrap();
    let told = tell(&client).await;
    server.stop().await;
    let to = fixture().join("engine-1");
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(directory.join("data/engine-1")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let mut bytes = fs::read(&path).unwrap();
            if path.extension().is_some_and(|suffix| suffix == "log") {
                bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1);
            }
            fs::write(to.join(path.file_name().unwrap()), bytes).unwrap();
        }
    }
    fs::write(fixture().join("told.txt"), told).unwrap();
}
