//! Long polling: when a poll ends, with what, and what becomes of jobs whose client is gone.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::time::{Duration, Instant};

use coreto_engine::{Engine, SinkKind};
use coreto_partition::{Answer, Refused};
use coreto_protocol::gateway as pb;
use coreto_record::{ActivatedJob, Command, Document};
use support::{Client, Fake, Server, job, jobs};
use tonic::{Code, Status};

fn request(request_timeout: i64) -> pb::ActivateJobsRequest {
    pb::ActivateJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1000,
        max_jobs_to_activate: 3,
        request_timeout,
        ..Default::default()
    }
}

/// Makes the call and reads it to its end: job keys message by message.
async fn poll(mut client: Client, request: pb::ActivateJobsRequest) -> Result<Vec<Vec<i64>>, Status> {
    let mut stream = client.activate_jobs(request).await?.into_inner();
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message.jobs.iter().map(|job| job.key).collect());
    }
    Ok(messages)
}

#[expect(clippy::unnecessary_wraps, reason = "others give no answer")]
fn none(_: &Command) -> Option<Answer<Engine>> {
    Some(jobs([]))
}

const KEY: i64 = 1 << 51;

#[tokio::test]
async fn jobs_that_are_there_are_taken_at_once() {
    let server = Server::start(Fake::new(|_| Some(jobs([1, 2]))));
    assert_eq!(poll(server.client().await, request(5000)).await.unwrap(), [[KEY + 1, KEY + 2]]);
    let [Command::ActivateJobs(activate)] = &*server.fake.commands() else { panic!("one command") };
    assert_eq!(
        (&*activate.job_type, &*activate.worker, activate.timeout, activate.max),
        ("pack", "w", 1000, 3)
    );
    server.fake.until("a closed sink", |seen| seen.closed == [1]).await;
}

#[tokio::test]
async fn job_has_all_its_fields() {
    let server = Server::start(Fake::new(|_| Some(jobs([1]))));
    let mut stream = server.client().await.activate_jobs(request(-1)).await.unwrap().into_inner();
    let job = &stream.message().await.unwrap().unwrap().jobs[0];
    assert_eq!((job.kind, job.listener_event_type, &*job.tenant_id), (0, 6, "<default>"));
    assert_eq!((&*job.custom_headers, &*job.variables), ("{}", "{}"));
    assert_eq!((&*job.r#type, &*job.worker, job.retries, job.deadline), ("pack", "w", 3, 1000));
}

#[tokio::test]
async fn poll_that_does_not_wait_opens_no_sink() {
    let server = Server::start(Fake::new(none));
    let begin = Instant::now();
    assert!(poll(server.client().await, request(-1)).await.unwrap().is_empty());
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert!(server.fake.seen(|seen| seen.sinks.is_empty()));
    let [Command::ActivateJobs(activate)] = &*server.fake.commands() else { panic!("one command") };
    assert_eq!(activate.poll, 0);
}

#[tokio::test]
async fn poll_ends_empty_and_ok_when_its_time_is_over() {
    let server = Server::start(Fake::new(none));
    let begin = Instant::now();
    assert!(poll(server.client().await, request(200)).await.unwrap().is_empty());
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(2), "{took:?}");
    assert_eq!(server.fake.seen(|seen| seen.closed.clone()), [1]);
}

#[tokio::test]
async fn poll_without_a_time_takes_the_servers() {
    let config = coreto_grpc::Config { poll_timeout: Duration::from_millis(150), ..support::config() };
    let server = Server::start_with(config, Fake::new(none));
    let begin = Instant::now();
    assert!(poll(server.client().await, request(0)).await.unwrap().is_empty());
    assert!(begin.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn parked_poll_gets_all_that_its_batch_brings() {
    let server = Server::start(Fake::new(none));
    let call = tokio::spawn(poll(server.client().await, request(20_000)));
    let sink = server.fake.until_sink(1).await;
    server.fake.seen(|seen| {
        let (_, spec, credit) = &seen.sinks[0];
        assert!(matches!(spec.kind, SinkKind::Poll { max: 3 }));
        assert_eq!((&*spec.job_type, &*spec.worker, spec.timeout_ms, *credit), ("pack", "w", 1000, 3));
    });
    let [Command::ActivateJobs(activate)] = &*server.fake.commands() else { panic!("one command") };
    assert_eq!(activate.poll, sink);
    server.fake.push(sink, [job(1), job(2)]);
    assert_eq!(call.await.unwrap().unwrap(), [[KEY + 1, KEY + 2]]);
    server.fake.until("a closed sink", |seen| seen.closed == [sink]).await;
    assert!(server.fake.yielded().is_empty());
}

#[tokio::test]
async fn pushed_job_waits_until_it_is_durable() {
    let server = Server::start(Fake::new(none));
    let call = tokio::spawn(poll(server.client().await, request(20_000)));
    let sink = server.fake.until_sink(1).await;
    server.fake.hold();
    server.fake.push(sink, [job(1)]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!call.is_finished());
    server.fake.release();
    assert_eq!(call.await.unwrap().unwrap(), [[KEY + 1]]);
}

#[tokio::test]
async fn more_than_was_asked_for_is_given_back() {
    let server = Server::start(Fake::new(none));
    let call = tokio::spawn(poll(server.client().await, request(20_000)));
    let sink = server.fake.until_sink(1).await;
    server.fake.push(sink, (1..=5).map(job));
    assert_eq!(call.await.unwrap().unwrap(), [[KEY + 1, KEY + 2, KEY + 3]]);
    server.fake.until_yielded(2).await;
}

#[tokio::test]
async fn more_than_fits_into_a_message_is_given_back() {
    let server = Server::start(Fake::new(none));
    let call = tokio::spawn(poll(server.client().await, request(20_000)));
    let sink = server.fake.until_sink(1).await;
    let large = |number| ActivatedJob {
        variables: Document::parse(&format!(r#"{{"a":"{}"}}"#, "x".repeat(1_500_000))).unwrap(),
        ..job(number)
    };
    server.fake.push(sink, (1..=3).map(large));
    assert_eq!(call.await.unwrap().unwrap(), [[KEY + 1, KEY + 2]]);
    server.fake.until_yielded(1).await;
}

#[tokio::test]
async fn cancelled_poll_closes_its_sink_and_gives_its_jobs_back() {
    let server = Server::start(Fake::new(none));
    let call = tokio::spawn(poll(server.client().await, request(20_000)));
    let sink = server.fake.until_sink(1).await;
    call.abort();
    server.fake.until("a closed sink", |seen| seen.closed == [sink]).await;
    server.fake.push(sink, [job(7)]);
    server.fake.until_yielded(1).await;
    assert_eq!(server.fake.yielded(), [(1 << 51) + 7]);
}

#[tokio::test]
async fn jobs_taken_for_a_client_that_went_away_are_given_back() {
    let server = Server::start(Fake::new(|_| Some(jobs([1, 2]))));
    server.fake.hold();
    let call = tokio::spawn(poll(server.client().await, request(20_000)));
    server.fake.until("the command", |seen| !seen.requests.is_empty()).await;
    call.abort();
    server.fake.until("a closed sink", |seen| !seen.closed.is_empty()).await;
    server.fake.release();
    server.fake.until_yielded(2).await;
}

#[tokio::test]
async fn jobs_that_come_after_the_time_are_given_back() {
    let server = Server::start(Fake::new(|_| Some(jobs([1]))));
    server.fake.hold();
    assert!(poll(server.client().await, request(100)).await.unwrap().is_empty());
    server.fake.release();
    server.fake.until_yielded(1).await;
}

#[tokio::test]
async fn connection_that_breaks_ends_its_polls() {
    let server = Server::start(Fake::new(none));
    let client = server.client().await;
    let runtime = tokio::task::spawn(poll(client, request(60_000)));
    let sink = server.fake.until_sink(1).await;
    runtime.abort();
    let _ = runtime.await;
    server.fake.until("a closed sink", |seen| seen.closed == [sink]).await;
}

#[tokio::test]
async fn back_pressure_shows_only_when_there_was_no_job() {
    let server = Server::start(Fake::new(none));
    server.fake.seen(|seen| seen.refuse = Some(Refused::Busy { queued_bytes: 2, limit: 1 }));
    for request_timeout in [-1, 5000] {
        let status = poll(server.client().await, request(request_timeout)).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
    }
}

#[tokio::test]
async fn every_partition_is_asked() {
    let mut calls = 0;
    let server = Server::start(Fake::with(3, 1, move |_| {
        calls += 1;
        Some(if calls == 3 { jobs([1]) } else { jobs([]) })
    }));
    assert_eq!(poll(server.client().await, request(-1)).await.unwrap(), [[KEY + 1]]);
    server.fake.seen(|seen| {
        let mut partitions: Vec<u32> = seen.requests.iter().map(|(partition, _)| *partition).collect();
        partitions.sort_unstable();
        assert_eq!(partitions, [1, 2, 3]);
    });
}
