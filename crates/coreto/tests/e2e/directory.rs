//! One process on a data directory, and one that it understands.

use std::fs;

use crate::support::{Directory, Settings, one_task};

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
        Settings::new(&directory).argument("--export-ndjson", directory.join("records.ndjson")).start();
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
