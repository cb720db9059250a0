//! Several partitions in one data directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{Directory, Settings, one_task};

const PARTITION_SHIFT: u32 = 51;

fn with(directory: &Directory, partitions: &str) -> Settings {
    Settings::new(directory).argument("--partitions", partitions)
}

#[tokio::test]
async fn all_partitions_have_what_was_deployed_and_keep_what_they_acknowledged() {
    let directory = Directory::new();
    let server = with(&directory, "3").start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    client
        .deploy("order.bpmn", &one_task("order").replace("retries=\"100\"", "retries=\"7\""))
        .await
        .unwrap();
    let mut created = BTreeMap::<i64, u32>::new();
    for _ in 0..30 {
        let key = client.create("order", r#"{"a":1}"#).await.unwrap();
        created.insert(key, u32::try_from(key >> PARTITION_SHIFT).unwrap());
    }
    for partition in 1..=3 {
        assert_eq!(created.values().filter(|at| **at == partition).count(), 10);
    }
    server.kill();

    // The directory says how many there are.
    let server = Settings::new(&directory).start();
    let client = server.client().await;
    let found = client.instances().await.unwrap();
    assert!(found.iter().map(|instance| instance.key).eq(created.keys().copied()));
    assert!(found.iter().all(|instance| instance.version == 2));
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    for _ in 0..3 {
        let key = client.create("order", "{}").await.unwrap();
        assert_eq!(client.instance(key).await.unwrap().instance.unwrap().version, 3);
    }
    server.stop().await;
}

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let directory = Directory::new();
    with(&directory, "2").start().stop().await;
    for other in ["1", "3"] {
        let Err(end) = with(&directory, other).try_start() else { panic!("{other} partitions were taken") };
        assert_eq!(end.code, Some(1), "{}", end.log);
        let named = format!("has 2 partition(s), and {other} are configured");
        assert!(end.log.contains(&named), "{}", end.log);
    }
    assert_eq!(fs::read_to_string(directory.join("data/partitions")).unwrap(), "2\n");
    with(&directory, "2").start().stop().await;
}

#[test]
fn more_partitions_than_the_disk_has_room_for_are_refused() {
    let directory = Directory::new();
    let settings = with(&directory, "8191").configure("[limits]\nfree-bytes-new-work = 1000000000000000\n");
    let Err(end) = settings.try_start() else { panic!("8191 partitions were taken") };
    assert_eq!(end.code, Some(1), "{}", end.log);
    assert!(end.log.contains("8191 partitions take 34355544064 bytes of the disk at once"), "{}", end.log);
    assert!(!directory.join("data/engine-1").exists());
}

#[tokio::test]
async fn a_directory_from_before_has_one_partition() {
    let directory = Directory::new();
    Settings::new(&directory).start().stop().await;
    fs::remove_file(directory.join("data/partitions")).unwrap();
    let Err(end) = with(&directory, "2").try_start() else { panic!("2 partitions were taken") };
    assert!(end.log.contains("has 1 partition(s)"), "{}", end.log);
    Settings::new(&directory).start().stop().await;
}

#[tokio::test]
async fn partitions_that_are_lost_or_too_many_are_refused() {
    let directory = Directory::new();
    with(&directory, "3").start().stop().await;
    type Damage = fn(&Path);
    let damages: [(Damage, &str); 5] = [
        (|data| fs::remove_file(data.join("partitions")).unwrap(), "`engine-3` is there"),
        (|data| fs::write(data.join("partitions"), "2\n").unwrap(), "says 2, and `engine-3` is there"),
        (|data| fs::write(data.join("partitions"), "4\n").unwrap(), "engine-4` is missing"),
        (|data| fs::remove_dir_all(data.join("engine-1")).unwrap(), "engine-1` is missing"),
        (|data| fs::remove_dir_all(data.join("engine-2")).unwrap(), "engine-2` is missing"),
    ];
    for (damage, named) in damages {
        let copy = directory.copy();
        damage(&copy.join("data"));
        let Err(end) = Settings::new(&copy).try_start() else { panic!("it started, though {named}") };
        assert_eq!(end.code, Some(1), "{}", end.log);
        assert!(end.log.contains(named), "{}", end.log);
    }
}

#[tokio::test]
async fn a_directory_whose_making_was_cut_off_is_new() {
    let directory = Directory::new();
    fs::create_dir_all(directory.join("data/engine-1")).unwrap();
    fs::create_dir(directory.join("data/engine-3")).unwrap();
    with(&directory, "2").start().stop().await;
    assert_eq!(fs::read_to_string(directory.join("data/partitions")).unwrap(), "2\n");
}
