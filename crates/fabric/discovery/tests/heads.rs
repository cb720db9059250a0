//! What the heads of answers say, and what clients may say in theirs.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use serde_json::Value;

use support::{Answer, Ground};

#[test]
fn answers_say_how_fresh_they_are() {
    let server = Ground::new().start();
    server.ask("PUT", "/v1/kv/a", "1");
    for (asked, given, effective) in [
        ("", "strong", "leader"),
        ("?leader", "strong", "leader"),
        ("?consistent", "strong", "consistent"),
        ("?stale", "stale", "stale"),
        ("?cached", "stale", "stale"),
        ("?max_stale=10s", "stale", "stale"),
        ("?token=any&dc=dc1&near=_agent", "strong", "leader"),
    ] {
        let answer = server.ask("GET", &format!("/v1/kv/a{asked}"), "");
        assert_eq!(answer.status, 200, "{asked}: {answer:?}");
        assert_eq!(answer.header("consistency-given"), Some(given), "{asked}");
        assert_eq!(answer.header("x-consul-effective-consistency"), Some(effective), "{asked}");
        assert_eq!(answer.header("x-consul-knownleader"), Some("true"), "{asked}");
        let applied: u64 = answer.header("applied-position").unwrap().parse().unwrap();
        assert!((1..=server.handle.durable()).contains(&applied), "{asked}: {applied}");
        let lag = answer.header("lag").map(|lag| lag.strip_suffix("ms").unwrap().parse::<u64>().unwrap());
        assert_eq!(lag.is_some(), given == "stale", "{asked}: {lag:?}");
    }
    server.stop();
}

#[test]
fn heads_stand_alone_and_bytes_are_told_as_they_are() {
    let server = Ground::new().start();
    server.ask("PUT", "/v1/kv/a", "1");
    let (whole, head) = (server.ask("GET", "/v1/kv/a", ""), server.ask("HEAD", "/v1/kv/a", ""));
    let told = |answer: &Answer, name| answer.header(name).map(str::to_owned);
    assert_eq!((head.status, &*head.body), (200, ""));
    for name in ["x-consul-index", "content-type", "content-length"] {
        assert!(told(&head, name).is_some() && told(&head, name) == told(&whole, name), "{name}");
    }
    let raw = server.ask("GET", "/v1/kv/a?raw", "");
    assert_eq!((raw.header("content-type"), &*raw.body), (Some("application/octet-stream"), "1"));
    server.stop();
}

#[test]
fn who_waits_by_a_hash_hears_of_the_next_change() {
    let server = Ground::new().start();
    let register = |tag: &str| {
        let addresses = r#"{"wan": {"Address": "198.51.100.7", "Port": 81}}"#;
        let body = format!(r#"{{"Name": "web", "Tags": ["{tag}"], "TaggedAddresses": {addresses}}}"#);
        assert_eq!(server.ask("PUT", "/v1/agent/service/register", &body).status, 200);
    };
    register("blue");
    let first = server.ask("GET", "/v1/agent/service/web", "");
    let hash = first.header("x-consul-contenthash").unwrap().to_owned();
    let told: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(told["ContentHash"], *hash);
    assert_eq!(told["TaggedAddresses"]["wan"], serde_json::json!({"Address": "198.51.100.7", "Port": 81}));
    let same = server.ask("GET", &format!("/v1/agent/service/web?hash={hash}&wait=50ms"), "");
    assert_eq!(same.body, first.body);
    let other = server.ask("GET", "/v1/agent/service/web?hash=other&wait=10m", "");
    assert_eq!(other.body, first.body, "it is answered at once");
    let path = format!("/v1/agent/service/web?hash={hash}&wait=10m");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.ask("GET", &path, ""));
        register("green");
        let changed = waiting.join().unwrap();
        assert!(changed.body.contains("green"), "{changed:?}");
        assert_ne!(changed.header("x-consul-contenthash"), Some(&*hash));
    });
    server.stop();
}
