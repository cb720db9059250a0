//! Watching records.

#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use coreto_grpc::{Ended, Feed, WatchError, Watched, Wish};
use coreto_protocol::inspect as pb;
use coreto_protocol::inspect::inspect_client::InspectClient;
use coreto_record::{Key, ProcessInstanceKey};
use support::{Fake, Server, done};
use tonic::{Code, Streaming};

async fn watch(server: &Server, request: pb::WatchRequest) -> (Streaming<pb::WatchEvent>, Wish, Feed) {
    let mut client = InspectClient::new(server.channel().await);
    let stream = client.watch(request).await.unwrap().into_inner();
    server.fake.until("a watch", |seen| !seen.watches.is_empty()).await;
    let (wish, feed) = server.fake.seen(|seen| seen.watches.pop().unwrap());
    (stream, wish, feed)
}

fn watched(position: u64, records: &[&str]) -> Watched {
    Watched { partition: 1, position, records: records.iter().map(|record| (*record).to_owned()).collect() }
}

#[tokio::test]
async fn records_arrive_in_order() {
    let server = Server::start(Fake::new(done));
    let request = pb::WatchRequest {
        process_instance_key: (1 << 51) + 5,
        record_types: vec![pb::RecordType::Event.into(), pb::RecordType::Rejection.into()],
        after_position: Some(7),
    };
    let (mut stream, wish, feed) = watch(&server, request).await;
    let instance = Some(ProcessInstanceKey::issue(1, 5));
    assert_eq!(wish, Wish { instance, events: true, commands: false, rejections: true, after: Some(7) });
    feed.put(watched(8, &["{}"])).unwrap();
    feed.put(watched(10, &["{\"a\":1}", "{}"])).unwrap();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!((first.partition, first.position, first.records), (1, 8, vec!["{}".to_owned()]));
    assert_eq!(stream.message().await.unwrap().unwrap().position, 10);
    drop(feed);
    assert!(stream.message().await.unwrap().is_none());
}

#[tokio::test]
async fn no_filter_means_everything_from_now_on() {
    let server = Server::start(Fake::new(done));
    let (_stream, wish, _feed) = watch(&server, pb::WatchRequest::default()).await;
    assert_eq!(wish, Wish { instance: None, events: true, commands: true, rejections: true, after: None });
}

#[tokio::test]
async fn reader_that_fails_says_why() {
    let server = Server::start(Fake::new(done));
    let (mut stream, _, feed) = watch(&server, pb::WatchRequest::default()).await;
    feed.put(watched(1, &["{}"])).unwrap();
    feed.fail(WatchError::Log { reason: "a bad checksum".to_owned() });
    drop(feed);
    assert!(stream.message().await.unwrap().is_some());
    let status = stream.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("a bad checksum"));
}

#[tokio::test]
async fn watcher_that_goes_ends_its_feed() {
    let server = Server::start(Fake::new(done));
    let (stream, _, feed) = watch(&server, pb::WatchRequest::default()).await;
    drop(stream);
    while !feed.is_closed() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert_eq!(feed.put(watched(1, &[])), Err(Ended));
}

#[tokio::test]
async fn places_are_bounded_and_used_again() {
    let config = coreto_grpc::Config { watches_max: 1, ..support::config() };
    let server = Server::start_with(config, Fake::new(done));
    let (stream, _, feed) = watch(&server, pb::WatchRequest::default()).await;
    let mut client = InspectClient::new(server.channel().await);
    let status = client.watch(pb::WatchRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{}", status.message());
    drop(stream);
    assert!(client.watch(pb::WatchRequest::default()).await.is_err(), "its reader has not ended");
    drop(feed);
    watch(&server, pb::WatchRequest::default()).await;
}

#[tokio::test]
async fn drain_ends_a_watch() {
    let mut server = Server::start(Fake::new(done));
    let (mut stream, _, feed) = watch(&server, pb::WatchRequest::default()).await;
    server.begin_drain();
    assert!(stream.message().await.unwrap().is_none());
    drop(stream);
    assert!(server.drained().await < std::time::Duration::from_secs(5));
    drop(feed);
}

#[tokio::test]
async fn bad_wishes_are_named() {
    let server = Server::start(Fake::new(done));
    let mut client = InspectClient::new(server.channel().await);
    for request in [
        pb::WatchRequest { process_instance_key: -1, ..Default::default() },
        pb::WatchRequest { record_types: vec![0], ..Default::default() },
        pb::WatchRequest { record_types: vec![77], ..Default::default() },
        pb::WatchRequest { after_position: Some(-1), ..Default::default() },
        pb::WatchRequest { after_position: Some(999), ..Default::default() },
    ] {
        assert_eq!(client.watch(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
}
