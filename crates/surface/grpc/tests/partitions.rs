//! Several partitions of the real engine behind one gateway: streams and polls are shared by all.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::collections::BTreeSet;

use coreto_protocol::gateway as pb;
use coreto_record::partition_of;
use support::Folder;
use support::whole::{Whole, order, poll, start_in, take};

const PARTITIONS: u32 = 3;

/// A server whose partitions all know the order process.
async fn deployed(name: &str) -> Whole {
    let server = start_in(Folder::new(name), PARTITIONS);
    server.deployed().await;
    server
}

fn partition(key: i64) -> u32 {
    partition_of(key.unsigned_abs())
}

/// Creates so many instances, and gives the partitions that they are on, in order.
async fn create(server: &Whole, count: u32) -> Vec<u32> {
    let mut client = server.client().await;
    let mut on = Vec::new();
    for _ in 0..count {
        let created = client.create_process_instance(order("{}")).await.unwrap().into_inner();
        on.push(partition(created.process_instance_key));
    }
    on
}

#[tokio::test]
async fn instances_go_to_every_partition_and_jobs_come_back_to_theirs() {
    let server = deployed("spread").await;
    assert_eq!(create(&server, 2 * PARTITIONS).await, [1, 2, 3, 1, 2, 3]);
    let mut client = server.client().await;
    let mut completed = BTreeSet::new();
    for job in take(&mut client, poll("check-stock", -1)).await {
        assert_eq!(partition(job.key), partition(job.process_instance_key));
        completed.insert(partition(job.key));
        let request = pb::CompleteJobRequest { job_key: job.key, ..Default::default() };
        client.complete_job(request).await.unwrap();
    }
    assert!(completed.iter().copied().eq(1..=PARTITIONS));
    assert!(take(&mut client, poll("check-stock", -1)).await.is_empty());
    assert_eq!(take(&mut client, poll("make-payment", -1)).await.len(), 2 * PARTITIONS as usize);
    server.stop().await;
}

#[tokio::test]
async fn poll_takes_of_all_partitions_until_it_has_enough() {
    let server = deployed("enough").await;
    create(&server, 2 * PARTITIONS).await;
    let mut client = server.client().await;
    // With and without a wait: two of one partition, two of the next, and one of the third; then the last.
    for (wait, sizes) in [(60_000, &[2, 2, 1][..]), (-1, &[1])] {
        let request = pb::ActivateJobsRequest { max_jobs_to_activate: 5, ..poll("check-stock", wait) };
        let mut stream = client.activate_jobs(request).await.unwrap().into_inner();
        let mut found = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            let on: BTreeSet<_> = message.jobs.iter().map(|job| partition(job.key)).collect();
            assert_eq!(on.len(), 1, "a message for each partition");
            found.push(message.jobs.len());
        }
        assert_eq!(found, sizes);
    }
    server.stop().await;
}

#[tokio::test]
async fn stream_gets_the_jobs_of_all_partitions() {
    let server = deployed("stream").await;
    let request = pb::StreamActivatedJobsRequest {
        r#type: "check-stock".into(),
        worker: "w".into(),
        timeout: 60_000,
        ..Default::default()
    };
    let mut stream = server.client().await.stream_activated_jobs(request).await.unwrap().into_inner();
    server.until("an open stream", |server| server.sinks.count() == (1, 0)).await;
    // More than a stream's credit, which all partitions take from.
    let count = 40 * PARTITIONS;
    let (created, keys) = tokio::join!(create(&server, count), async {
        let mut keys = BTreeSet::new();
        for _ in 0..count {
            keys.insert(stream.message().await.unwrap().unwrap().key);
        }
        keys
    });
    assert_eq!(keys.len(), created.len(), "no job twice");
    for number in 1..=PARTITIONS {
        assert_eq!(keys.iter().filter(|key| partition(**key) == number).count(), 40);
    }
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn parked_poll_is_woken_by_any_partition() {
    let server = deployed("parked").await;
    let mut woken = BTreeSet::new();
    for _ in 0..PARTITIONS {
        let mut client = server.client().await;
        let parked = tokio::spawn(async move { take(&mut client, poll("check-stock", 60_000)).await });
        server.until("a parked poll", |server| server.sinks.count() == (0, 1)).await;
        let on = create(&server, 1).await;
        let jobs = parked.await.unwrap();
        assert_eq!(jobs.iter().map(|job| partition(job.key)).collect::<Vec<_>>(), on);
        woken.extend(on);
    }
    assert!(woken.iter().copied().eq(1..=PARTITIONS));
    server.stop().await;
}

#[tokio::test]
async fn polls_that_wait_get_no_job_twice() {
    let server = deployed("polls").await;
    let mut parked = tokio::task::JoinSet::new();
    for _ in 0..2 * PARTITIONS {
        let mut client = server.client().await;
        let request = pb::ActivateJobsRequest { max_jobs_to_activate: 1, ..poll("check-stock", 60_000) };
        parked.spawn(async move { take(&mut client, request).await });
    }
    server.until("parked polls", |server| server.sinks.count() == (0, 2 * PARTITIONS)).await;
    create(&server, 2 * PARTITIONS).await;
    let mut keys = BTreeSet::new();
    while let Some(jobs) = parked.join_next().await {
        keys.extend(jobs.unwrap().into_iter().map(|job| job.key));
    }
    assert_eq!(keys.len(), 2 * PARTITIONS as usize);
    server.stop().await;
}

#[tokio::test]
async fn what_is_to_be_done_once_goes_where_it_went_before() {
    let server = deployed("once").await;
    let mut client = server.client().await;
    let mut on = BTreeSet::new();
    for key in ["a", "b", "c", "d", "e", "f"] {
        let mut created = BTreeSet::new();
        for _ in 0..=PARTITIONS {
            let mut request = tonic::Request::new(order("{}"));
            request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
            let answer = client.create_process_instance(request).await.unwrap().into_inner();
            created.insert(answer.process_instance_key);
        }
        assert_eq!(created.len(), 1, "one instance for `{key}`");
        on.extend(created.into_iter().map(partition));
    }
    assert!(on.into_iter().eq(1..=PARTITIONS), "keys are spread");
    server.stop().await;
}
