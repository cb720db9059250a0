//! A disk that runs full: refused in two steps, nothing acknowledged is lost, and it goes on when there is space again.

use std::collections::BTreeSet;
use std::time::Duration;

use coreto_protocol::gateway::ActivatedJob;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::support::{Chance, Client, Poll, SmallDisk, get, one_task, skip, until};

const MIB: u64 = 1 << 20;
const READINESS: &str = "/actuator/health/readiness";

fn small_disk(bytes: u64) -> Option<SmallDisk> {
    let disk = SmallDisk::new(bytes);
    if disk.is_none() {
        skip("this user cannot mount a small file system (unshare -m, nsenter)");
    }
    disk
}

/// Waits for an answer other than that there is no space.
async fn until_taken<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> T {
    until("there is space again", async || match ask().await {
        Ok(answer) => Some(answer),
        Err(status) if status.code() == Code::ResourceExhausted => None,
        Err(status) => panic!("{status:?}"),
    })
    .await
}

/// Waits until something is refused, for want of space.
async fn until_refused<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> Status {
    let status = until("it is refused", async || ask().await.err()).await;
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    status
}

async fn take_jobs(client: &Client, max: i32) -> Vec<ActivatedJob> {
    let poll = Poll { job_type: "order", max, wait: Duration::ZERO, lock: Duration::from_secs(600) };
    client.poll(poll).await.unwrap()
}

async fn keys(client: &Client) -> BTreeSet<i64> {
    client.instances().await.unwrap().into_iter().map(|instance| instance.key).collect()
}

/// Adds an instance, or gives 1 when it was refused because too much waits.
fn note_creation(created: Result<i64, Status>, running: &mut BTreeSet<i64>) -> u32 {
    match created {
        Ok(key) => {
            assert!(running.insert(key));
            0
        }
        Err(status) => {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
            assert!(status.message().contains("bytes of requests are waiting"), "{status:?}");
            1
        }
    }
}

#[tokio::test]
async fn reserves_are_kept_for_completions_and_then_for_the_log() {
    let Some(disk) = small_disk(64 * MIB) else { return };
    let settings = disk.settings().configure(&format!(
        "[limits]\nfree-bytes-new-work = {}\nfree-bytes-all = {}\n",
        32 * MIB,
        16 * MIB
    ));
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let mut running = BTreeSet::new();
    for id in 0..40 {
        running.insert(client.create("order", &format!(r#"{{"id":{id}}}"#)).await.unwrap());
    }
    let mut jobs = take_jobs(&client, 40).await;
    assert_eq!(get(&server.management, READINESS).0, 200);

    // Below the first reserve: no new work, but what is under way may end.
    disk.leave_free(24 * MIB);
    let refused =
        until_refused(async || client.create("order", "{}").await.map(|key| running.insert(key))).await;
    let free: u64 = refused.message().split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!(free < 32 * MIB && refused.message().contains("bytes left"), "{refused:?}");
    let (status, body) = get(&server.management, READINESS);
    assert_eq!(status, 503, "{body}");
    // How many may have changed meanwhile: little space makes a snapshot due.
    assert!(body.contains("the disk has ") && body.contains(" bytes left"), "{body}");
    assert_eq!(get(&server.management, "/actuator/health/liveness").0, 200);
    for _ in 0..10 {
        let job = jobs.pop().unwrap();
        client.complete(job.key, "{}").await.unwrap();
        running.remove(&job.process_instance_key);
    }

    // Below the second one: nothing of clients but their questions.
    disk.leave_free(8 * MIB);
    until_refused(async || {
        let job = jobs.last().unwrap();
        client.complete(job.key, "{}").await?;
        running.remove(&job.process_instance_key);
        jobs.pop();
        Ok(())
    })
    .await;
    assert_eq!(keys(&client).await, running);

    // There is space again, and nobody tells the server.
    disk.leave_free(40 * MIB);
    until_taken(async || client.create("order", "{}").await.map(|key| running.insert(key))).await;
    assert_eq!(get(&server.management, READINESS).0, 200);
    let job = jobs.pop().unwrap();
    client.complete(job.key, "{}").await.unwrap();
    running.remove(&job.process_instance_key);
    let told = |log: &str| log.matches("the disk is nearly full: new work is refused").count();
    let log = server.log();
    let before = told(&log);
    assert!(before > 0 && log.contains("the disk has room again"), "{log}");

    // One that starts on a full disk tells it, too.
    server.kill();
    disk.leave_free(24 * MIB);
    let server = settings.start();
    assert_eq!(keys(&server.client().await).await, running);
    until("it is told", async || (told(&server.log()) > before).then_some(())).await;
}

#[tokio::test]
async fn full_disk_stops_the_log_and_nothing_acknowledged_is_lost() {
    let Some(disk) = small_disk(48 * MIB) else { return };
    // No reserve: the system itself refuses to write. What waits then is bounded by bytes.
    let settings = disk.settings().configure(
        "[limits]
        free-bytes-new-work = 0
        free-bytes-all = 0
        queue-bytes-soft = 2000000
        queue-bytes-hard = 4000000
        queue-wait-ms = 600000
        ",
    );
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let mut running = BTreeSet::from([client.create("order", "{}").await.unwrap()]);
    let job = take_jobs(&client, 1).await.remove(0);
    disk.leave_free(0);

    // The first segment has four megabytes, and there is no space for another.
    let variables = format!(r#"{{"letters":"{}"}}"#, Chance::new(1).letters(60_000));
    let mut creations = JoinSet::new();
    let create = || {
        let (client, variables) = (client.clone(), variables.clone());
        async move { client.create("order", &variables).await }
    };
    until("it is not ready", async || {
        creations.spawn(create());
        (get(&server.management, READINESS).0 == 503).then_some(())
    })
    .await;
    let mut refused = 0;
    until("the queue is full", async || {
        creations.spawn(create());
        while let Some(created) = creations.try_join_next() {
            refused += note_creation(created.unwrap(), &mut running);
        }
        (refused > 0).then_some(())
    })
    .await;

    let completion = {
        let client = client.clone();
        tokio::spawn(async move { client.complete(job.key, "{}").await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!completion.is_finished(), "a completion was answered, though nothing can be written");

    disk.leave_free(30 * MIB);
    completion.await.unwrap().unwrap();
    running.remove(&job.process_instance_key);
    while let Some(created) = creations.join_next().await {
        note_creation(created.unwrap(), &mut running);
    }
    running.insert(until_taken(async || client.create("order", "{}").await).await);
    until("it is ready again", async || (get(&server.management, READINESS).0 == 200).then_some(())).await;
    assert_eq!(keys(&client).await, running);

    server.kill();
    let server = settings.start();
    assert_eq!(keys(&server.client().await).await, running);
}
