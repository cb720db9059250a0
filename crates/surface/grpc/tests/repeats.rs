//! Idempotency keys on commands of the real engine.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use coreto_protocol::gateway as pb;
use support::Folder;
use support::whole::{Whole, order, poll, start, start_in, take};
use tonic::{Code, Request, Status};

/// A request with an idempotency key.
fn keyed<T>(key: &'static str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

async fn create(server: &Whole, key: &'static str, variables: &str) -> Result<i64, Status> {
    let created = server.client().await.create_process_instance(keyed(key, order(variables))).await?;
    Ok(created.into_inner().process_instance_key)
}

/// Tasks that wait: one for every instance that was created.
async fn waiting(server: &Whole) -> Vec<i64> {
    let jobs = take(&mut server.client().await, poll("check-stock", -1)).await;
    jobs.into_iter().map(|job| job.process_instance_key).collect()
}

#[tokio::test]
async fn same_key_and_command_is_the_same_instance() {
    let server = start("repeated");
    server.deployed().await;
    let first = create(&server, "a", "{}").await.unwrap();
    assert_eq!(create(&server, "a", "{}").await.unwrap(), first);
    let other = create(&server, "b", "{}").await.unwrap();
    assert_ne!(other, first);
    assert_eq!(waiting(&server).await, [first, other]);
    server.stop().await;
}

#[tokio::test]
async fn requests_at_once_are_one_command() {
    let server = start("at-once");
    server.deployed().await;
    let (first, second) = tokio::join!(create(&server, "a", "{}"), create(&server, "a", "{}"));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(waiting(&server).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn same_key_with_another_command_is_refused() {
    let server = start("misused");
    let mut client = server.deployed().await;
    let first = create(&server, "a", "{}").await.unwrap();
    let set =
        pb::SetVariablesRequest { element_instance_key: first, variables: "{}".into(), ..Default::default() };
    for status in [
        create(&server, "a", "{\"other\":1}").await.unwrap_err(),
        client.set_variables(keyed("a", set.clone())).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("`idempotency-key`"), "{}", status.message());
    }
    client.set_variables(keyed("b", set)).await.unwrap();
    assert_eq!(waiting(&server).await, [first]);
    server.stop().await;
}

#[tokio::test]
async fn repeated_completion_and_cancellation_are_done() {
    let server = start("done");
    let mut client = server.deployed().await;
    let instance = create(&server, "a", "{}").await.unwrap();
    let job = take(&mut client, poll("check-stock", -1)).await.remove(0);
    let complete = pb::CompleteJobRequest { job_key: job.key, ..Default::default() };
    let cancel = pb::CancelProcessInstanceRequest { process_instance_key: instance, ..Default::default() };
    for _ in 0..2 {
        client.complete_job(keyed("b", complete.clone())).await.unwrap();
    }
    assert_eq!(client.complete_job(complete).await.unwrap_err().code(), Code::NotFound, "without a key");
    for _ in 0..2 {
        client.cancel_process_instance(keyed("c", cancel)).await.unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn request_for_jobs_takes_no_key() {
    let server = start("jobs");
    let mut client = server.deployed().await;
    let instance = create(&server, "a", "{}").await.unwrap();
    let stream = pb::StreamActivatedJobsRequest {
        r#type: "check-stock".into(),
        worker: "w".into(),
        timeout: 1000,
        ..Default::default()
    };
    for status in [
        client.activate_jobs(keyed("b", poll("check-stock", -1))).await.unwrap_err(),
        client.activate_jobs(keyed("b", poll("check-stock", 1000))).await.unwrap_err(),
        client.stream_activated_jobs(keyed("b", stream)).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("`idempotency-key`"), "{}", status.message());
    }
    assert_eq!(waiting(&server).await, [instance], "no job was taken");
    server.stop().await;
}

#[tokio::test]
async fn rejection_is_not_kept() {
    let server = start("rejection");
    assert_eq!(create(&server, "a", "{}").await.unwrap_err().code(), Code::NotFound);
    server.deployed().await;
    let first = create(&server, "a", "{}").await.unwrap();
    assert_eq!(create(&server, "a", "{}").await.unwrap(), first);
    server.stop().await;
}

#[tokio::test]
async fn key_outlives_a_restart() {
    let server = start("outlives");
    server.deployed().await;
    let first = create(&server, "a", "{}").await.unwrap();
    let folder: Folder = server.stop().await;
    let server = start_in(folder, 1);
    assert_eq!(create(&server, "a", "{}").await.unwrap(), first);
    assert_eq!(create(&server, "a", "{\"other\":1}").await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(waiting(&server).await, [first]);
    server.stop().await;
}
