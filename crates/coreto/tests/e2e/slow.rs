//! Workers that do not read, and very many that wait.

use std::collections::BTreeSet;
use std::time::Duration;

use coreto_protocol::gateway::ActivatedJob;
use coreto_protocol::inspect::JobState;
use tokio::task::JoinSet;
use tonic::Code;

use crate::support::{Chance, Client, Directory, PATIENCE, Poll, Settings, one_task, until};

/// Jobs that may be under way to a stream at once, as the gateway is set.
const CREDIT: usize = 64;

#[tokio::test]
async fn jobs_of_a_stream_that_does_not_read_go_to_others() {
    const INSTANCES: usize = 600;
    const LOCK: Duration = Duration::from_secs(600);
    let directory = Directory::new();
    let server = Settings::new(&directory).start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    // It has a connection of its own, which its unread jobs fill.
    let idle = Client::connect_with_window(&server.grpc, 64 << 10).await;
    let mut stream = idle.stream("order", LOCK).await.unwrap();
    let letters = Chance::new(1).letters(10_000);
    for id in 0..INSTANCES {
        client.create("order", &format!(r#"{{"id":{id},"letters":"{letters}"}}"#)).await.unwrap();
    }

    // What lies in the buffers on the way is lost to the others until it is unlocked.
    let mut done = 0;
    let held = until("the others have all that the stream does not hold", async || {
        let poll = Poll { job_type: "order", max: 100, wait: Duration::ZERO, lock: LOCK };
        for job in client.poll(poll).await.unwrap() {
            client.complete(job.key, "{}").await.unwrap();
            done += 1;
        }
        let jobs = client.jobs().await.unwrap();
        assert!(jobs.iter().all(|job| job.state() == JobState::Activatable || job.worker == "stream"));
        let free = jobs.iter().filter(|job| job.state() == JobState::Activatable).count();
        // A while after they were pushed, those that the connection does not take come back.
        (free == 0 && done + jobs.len() == INSTANCES && jobs.len() <= CREDIT).then_some(jobs)
    })
    .await;

    // Once it reads, it gets what it holds, and goes on.
    let held: BTreeSet<i64> = held.into_iter().map(|job| job.key).collect();
    for _ in 0..held.len() {
        let job = stream.message().await.unwrap().unwrap();
        assert!(held.contains(&job.key));
        client.complete(job.key, "{}").await.unwrap();
    }
    client.create("order", "{}").await.unwrap();
    let job = stream.message().await.unwrap().unwrap();
    client.complete(job.key, "{}").await.unwrap();
    assert!(client.instances().await.unwrap().is_empty());
}

/// Polls for a long time; again when so many come at once that some are refused.
async fn poll_in_the_end(client: Client) -> Vec<ActivatedJob> {
    loop {
        let poll = Poll { job_type: "order", max: 10, wait: PATIENCE * 4, lock: PATIENCE };
        match client.poll(poll).await {
            Ok(jobs) => return jobs,
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn ten_thousand_parked_polls_cost_little_and_one_gets_the_job() {
    const POLLS: usize = 10_000;
    /// Memory for one of them, with its call; the half would do.
    const BYTES_EACH: u64 = 16 << 10;
    let directory = Directory::new();
    let server = Settings::new(&directory).start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let before = server.memory();
    let mut polls = JoinSet::new();
    for _ in 0..10 {
        let client = server.client().await;
        for _ in 0..POLLS / 10 {
            polls.spawn(poll_in_the_end(client.clone()));
        }
    }
    until("all of them wait", async || {
        (client.status().await.unwrap().parked_polls == POLLS as u32).then_some(())
    })
    .await;
    let used = server.memory().saturating_sub(before);
    eprintln!("{POLLS} parked polls take {} KiB of memory", used >> 10);
    assert!(used < POLLS as u64 * BYTES_EACH, "{used} bytes");

    let key = client.create("order", "{}").await.unwrap();
    let jobs = polls.join_next().await.unwrap().unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].process_instance_key, key);
    client.complete(jobs[0].key, "{}").await.unwrap();
    assert_eq!(client.status().await.unwrap().parked_polls, POLLS as u32 - 1);

    server.terminate();
    for jobs in polls.join_all().await {
        assert_eq!(jobs, []);
    }
    assert_eq!(server.ended().await, Some(0));
}
