//! Many parked polls. On its own, for it looks at the CPU time of the whole process.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::time::Duration;

use coreto_protocol::gateway as pb;
use support::{Client, Fake, Server, job, jobs};

async fn poll(mut client: Client) -> Vec<i64> {
    let request = pb::ActivateJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1000,
        max_jobs_to_activate: 3,
        request_timeout: 120_000,
        ..Default::default()
    };
    let mut stream = client.activate_jobs(request).await.unwrap().into_inner();
    let mut keys = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        keys.extend(message.jobs.iter().map(|job| job.key));
    }
    keys
}

#[tokio::test]
async fn ten_thousand_parked_polls_are_each_answered() {
    const POLLS: usize = 10_000;
    let server = Server::start(Fake::new(|_| Some(jobs([]))));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let client = server.client().await;
        for _ in 0..POLLS / 4 {
            calls.spawn(poll(client.clone()));
        }
    }
    server.fake.until_sink(POLLS).await;
    // Parked, they cost nothing.
    let before = cpu_ticks();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ticks = cpu_ticks() - before;
    assert!(ticks < 10, "{ticks} ticks of 10 ms in half a second");
    for sink in 1..=POLLS as u64 {
        server.fake.push(sink, [job(sink)]);
    }
    let mut keys = Vec::new();
    while let Some(call) = calls.join_next().await {
        keys.extend(call.unwrap());
    }
    keys.sort_unstable();
    assert!(keys.iter().copied().eq((1..).take(POLLS).map(|number| (1 << 51) + number)));
    assert!(server.fake.yielded().is_empty());
}

/// CPU time of this process in the kernel's ticks.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
