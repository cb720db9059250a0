//! Job streams: pushed jobs, credit, and clients that stop reading or go.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::time::Duration;

use coreto_engine::SinkKind;
use coreto_grpc::Config;
use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::gateway_client::GatewayClient;
use coreto_record::{ActivatedJob, Document};
use support::{Client, Fake, Server, done, job};
use tonic::Streaming;
use tonic::transport::Endpoint;

async fn open(client: &mut Client) -> Streaming<pb::ActivatedJob> {
    let request = pb::StreamActivatedJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1000,
        fetch_variable: vec!["a".into()],
        ..Default::default()
    };
    client.stream_activated_jobs(request).await.unwrap().into_inner()
}

const KEY: i64 = 1 << 51;

#[tokio::test]
async fn jobs_arrive_in_order_and_their_credit_returns() {
    let server = Server::start(Fake::new(done));
    let mut stream = open(&mut server.client().await).await;
    let sink = server.fake.until_sink(1).await;
    server.fake.seen(|seen| {
        let (_, spec, credit) = &seen.sinks[0];
        assert!(matches!(spec.kind, SinkKind::Stream));
        assert_eq!((&*spec.job_type, &*spec.worker, spec.timeout_ms, *credit), ("pack", "w", 1000, 64));
        assert_eq!(&*spec.fetch, ["a".into()]);
    });
    for round in 0..3 {
        server.fake.push(sink, (1..=40).map(|number| job(round * 100 + number)));
        for number in 1..=40 {
            assert_eq!(
                stream.message().await.unwrap().unwrap().key,
                KEY + (round * 100 + number).cast_signed()
            );
        }
    }
    server
        .fake
        .until("all credit", |seen| seen.credit.iter().map(|(_, count)| count).sum::<u32>() == 120)
        .await;
}

#[tokio::test]
async fn stream_opens_before_there_is_a_job() {
    let server = Server::start(Fake::new(done));
    let opened = tokio::time::timeout(Duration::from_secs(5), open(&mut server.client().await)).await;
    assert!(opened.is_ok());
}

#[tokio::test]
async fn job_waits_until_it_is_durable() {
    let server = Server::start(Fake::new(done));
    let mut stream = open(&mut server.client().await).await;
    let sink = server.fake.until_sink(1).await;
    server.fake.hold();
    server.fake.push(sink, [job(1)]);
    assert!(tokio::time::timeout(Duration::from_millis(50), stream.message()).await.is_err());
    server.fake.release();
    assert_eq!(stream.message().await.unwrap().unwrap().key, KEY + 1);
}

#[tokio::test]
async fn closed_stream_closes_its_sink_and_gives_jobs_back() {
    let server = Server::start(Fake::new(done));
    let stream = open(&mut server.client().await).await;
    let sink = server.fake.until_sink(1).await;
    drop(stream);
    server.fake.until("a closed sink", |seen| seen.closed == [sink]).await;
    server.fake.push(sink, [job(1), job(2)]);
    server.fake.until_yielded(2).await;
}

#[tokio::test]
async fn reader_that_stops_gets_nothing_more_until_it_reads() {
    let config = Config { stream_stall: Duration::from_millis(500), ..support::config() };
    let server = Server::start_with(config, Fake::new(done));
    let channel = Endpoint::from_shared(format!("http://{}", server.address))
        .unwrap()
        .initial_stream_window_size(70_000)
        .initial_connection_window_size(70_000)
        .connect()
        .await
        .unwrap();
    let mut stream = open(&mut GatewayClient::new(channel)).await;
    let sink = server.fake.until_sink(1).await;
    let large = |number| {
        let variables = format!("{{\"a\":\"{}\"}}", "x".repeat(40_000));
        ActivatedJob { variables: Document::parse(&variables).unwrap(), ..job(number) }
    };
    server.fake.push(sink, (1..=64).map(large));
    // Some are on their way; those that the transport did not take come back after the stall.
    server.fake.until_yielded(40).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let yielded = server.fake.yielded().len();
    let returned: u32 = server.fake.seen(|seen| seen.credit.iter().map(|(_, count)| count).sum());
    assert!(
        returned as usize <= 64 - yielded,
        "credit of jobs that nobody read is kept: {returned}, {yielded}"
    );

    for _ in 0..64 - yielded {
        stream.message().await.unwrap().unwrap();
    }
    server
        .fake
        .until("all credit", |seen| seen.credit.iter().map(|(_, count)| count).sum::<u32>() == 64)
        .await;
    server.fake.push(sink, [job(100)]);
    assert_eq!(stream.message().await.unwrap().unwrap().key, KEY + 100);
}

#[tokio::test]
async fn streams_on_several_threads_get_their_own_jobs() {
    let server = Server::start(Fake::with(1, 3, done));
    let mut streams = Vec::new();
    for count in 1..=9 {
        streams.push(open(&mut server.client().await).await);
        server.fake.until_sink(count).await;
    }
    for (stream, sink) in streams.iter_mut().zip(1..) {
        server.fake.push(sink, [job(sink)]);
        assert_eq!(stream.message().await.unwrap().unwrap().key, KEY + sink.cast_signed());
    }
    assert!(server.fake.yielded().is_empty());
}
