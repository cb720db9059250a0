//! What happens while somebody waits: for changes, for a catalog that lags or cannot write, over restarts.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::{Ground, PATIENCE, ask};

const REGISTER: &str = r#"{"Name": "web", "ID": "web-1", "Port": 80, "Check": {"TTL": "1s"}}"#;

/// Runs something on another thread while a request is answered.
fn meanwhile<T: Send>(act: impl FnOnce() + Send, answer: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            act();
        });
        answer()
    })
}

#[test]
fn who_waits_for_a_service_hears_of_its_change_and_of_no_other() {
    let server = Ground::new().start();
    let first = server.ask("GET", "/v1/health/service/web?index=0&wait=10s", "");
    assert_eq!((first.index(), &*first.body), (1, "[]"), "there is none yet");
    for act in [
        ("PUT", "/v1/agent/service/register", REGISTER),
        ("PUT", "/v1/agent/check/pass/service:web-1", ""),
        ("PUT", "/v1/agent/service/deregister/web-1", ""),
    ] {
        let before = server.ask("GET", "/v1/health/service/web", "");
        let path = format!("/v1/health/service/web?index={}&wait=20s", before.index());
        let answer = meanwhile(|| drop(server.ask(act.0, act.1, act.2)), || server.ask("GET", &path, ""));
        assert!(answer.index() > before.index() && answer.body != before.body, "{act:?}: {answer:?}");
    }
    let before = server.ask("GET", "/v1/catalog/service/db", "");
    let path = format!("/v1/catalog/service/db?index={}&wait=600ms", before.index());
    let begun = Instant::now();
    let other = r#"{"Name": "other"}"#;
    let answer = meanwhile(
        || drop(server.ask("PUT", "/v1/agent/service/register", other)),
        || server.ask("GET", &path, ""),
    );
    assert_eq!(answer.index(), before.index());
    assert!(begun.elapsed() >= Duration::from_millis(600), "it waited to its end");
    server.stop();
}

#[test]
fn keys_prefixes_and_sessions_are_waited_for() {
    let server = Ground::new().start();
    for (path, method, changed, body) in [
        ("/v1/kv/a", "PUT", "/v1/kv/a", "1"),
        ("/v1/kv/a", "DELETE", "/v1/kv/a", ""),
        ("/v1/kv/x?recurse", "PUT", "/v1/kv/x/y", "1"),
        ("/v1/kv/x?keys", "DELETE", "/v1/kv/x/y", ""),
        ("/v1/session/list", "PUT", "/v1/session/create", "{}"),
        ("/v1/catalog/services", "PUT", "/v1/agent/service/register", REGISTER),
        ("/v1/health/state/critical", "PUT", "/v1/agent/check/pass/service:web-1", ""),
        ("/v1/catalog/node/n1", "PUT", "/v1/agent/service/deregister/web-1", ""),
    ] {
        let before = server.ask("GET", path, "").index();
        let sign = if path.contains('?') { '&' } else { '?' };
        let waiting = format!("{path}{sign}index={before}&wait=20s");
        let begun = Instant::now();
        let answer =
            meanwhile(|| drop(server.ask(method, changed, body)), || server.ask("GET", &waiting, ""));
        assert!(answer.index() > before, "{waiting}: {answer:?}");
        assert!(begun.elapsed() < PATIENCE, "{waiting} was answered by the change");
    }
    server.stop();
}

#[test]
fn a_service_that_is_not_told_of_becomes_critical_and_goes_when_that_is_wanted() {
    let server = Ground::new().start();
    let body = r#"{"Name": "web", "Check": {"TTL": "300ms", "DeregisterCriticalServiceAfter": "300ms"}}"#;
    server.ask("PUT", "/v1/agent/service/register", body);
    server.ask("PUT", "/v1/agent/check/pass/service:web", "");
    let index = server.ask("GET", "/v1/health/service/web?passing", "").index();
    let known = server.handle.statistics().durable;
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(server.ask("PUT", "/v1/agent/check/pass/service:web", "").status, 200);
    }
    let renewed = server.ask("GET", "/v1/health/service/web?passing", "");
    assert_eq!(renewed.index(), index, "a renewal is no news");
    assert_eq!(server.handle.statistics().durable, known, "and writes nothing");
    server.until("/v1/health/service/web?passing", |answer| answer.body == "[]");
    server.until("/v1/catalog/service/web", |answer| answer.body == "[]");
    let gone = server.ask("PUT", "/v1/agent/check/pass/service:web", "");
    assert_eq!(gone.status, 404, "{gone:?}");
    server.stop();
}

#[test]
fn what_is_registered_outlives_a_restart_and_its_times_begin_anew() {
    let ground = Ground::new();
    let server = ground.start();
    server.ask("PUT", "/v1/agent/service/register", REGISTER);
    server.ask("PUT", "/v1/agent/check/pass/service:web-1", "");
    let before = server.ask("GET", "/v1/health/service/web?passing", "");
    server.stop();
    let server = ground.start();
    let after = server.ask("GET", "/v1/health/service/web?passing", "");
    assert_eq!((after.index(), &after.body), (before.index(), &before.body));
    server.until("/v1/health/service/web?passing", |answer| answer.body == "[]");
    assert_eq!(server.ask("PUT", "/v1/agent/check/pass/service:web-1", "").status, 200);
    let again = server.ask("GET", "/v1/health/service/web?passing", "");
    assert!(again.body.contains("web-1") && again.index() > after.index());
    server.stop();
}

#[test]
fn a_replica_that_is_held_fails_strong_reads_and_tells_stale_ones_its_age() {
    let server = Ground::new().start();
    server.replica.hold(true);
    server.ask("PUT", "/v1/kv/a", "1");
    for mode in ["", "?consistent"] {
        let begun = Instant::now();
        let answer = server.ask("GET", &format!("/v1/kv/a{mode}"), "");
        assert_eq!(answer.status, 500, "{answer:?}");
        assert!(answer.body.contains("has not caught up"), "{answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "it does not wait for long");
    }
    let stale = server.ask("GET", "/v1/catalog/nodes?stale", "");
    let lag: u64 = stale.header("x-consul-lastcontact").unwrap().parse().unwrap();
    assert!(stale.status == 200 && lag >= 1000, "{stale:?}");
    assert_eq!(stale.header("consistency-given"), Some("stale"));
    server.replica.hold(false);
    server.until("/v1/kv/a", |answer| answer.status == 200);
    server.stop();
}

#[test]
fn nothing_is_told_before_it_is_durable() {
    let ground = Ground::new();
    let server = ground.start();
    ground.gate.hold();
    let address = server.address;
    let writing = std::thread::spawn(move || ask(address, "PUT", "/v1/kv/a", "1"));
    let end = Instant::now() + PATIENCE;
    while !ground.gate.has_waiting() {
        assert!(Instant::now() < end, "the append does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(!writing.is_finished());
    assert_eq!(server.ask("GET", "/v1/kv/a", "").status, 404, "nobody sees it yet");
    ground.gate.release();
    assert_eq!(writing.join().unwrap().body, "true");
    assert_eq!(server.ask("GET", "/v1/kv/a?raw", "").body, "1");
    server.stop();
}

#[test]
fn a_drain_answers_those_who_wait() {
    let server = Ground::new().start();
    let (address, index) = (server.address, server.ask("GET", "/v1/catalog/nodes", "").index());
    let path = format!("/v1/catalog/nodes?index={index}&wait=5m");
    let waiting = std::thread::spawn(move || ask(address, "GET", &path, ""));
    std::thread::sleep(Duration::from_millis(200));
    server.stop();
    assert_eq!(waiting.join().unwrap().status, 200);
}

#[test]
fn what_a_client_wanted_that_has_hung_up_is_done_to_its_end() {
    let ground = Ground::new();
    let server = ground.start();
    ground.gate.hold();
    let body = r#"{"Name": "ghost", "Check": {"TTL": "300ms", "Status": "passing"}}"#;
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = "PUT /v1/agent/service/register HTTP/1.1\r\nhost: catalog\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let end = Instant::now() + PATIENCE;
    while !ground.gate.has_waiting() {
        assert!(Instant::now() < end, "the append does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(stream);
    std::thread::sleep(Duration::from_millis(100));
    ground.gate.release();
    server.until("/v1/health/state/critical", |answer| answer.body.contains("service:ghost"));
    server.stop();
}

#[test]
fn a_machine_with_another_name_keeps_what_was_on_it() {
    let ground = Ground::new();
    let server = ground.start();
    server.ask("PUT", "/v1/agent/service/register", REGISTER);
    server.ask("PUT", "/v1/agent/check/pass/service:web-1", "");
    let stream = open_stream(server.address, r#"{"Name": "held", "ID": "held-1"}"#);
    server.stop();
    drop(stream);
    let server = ground.start_as("n2");
    let nodes = server.ask("GET", "/v1/catalog/nodes", "").body;
    assert!(nodes.contains("\"n2\"") && !nodes.contains("\"n1\""), "{nodes}");
    let there = server.ask("GET", "/v1/health/service/web?passing", "").body;
    assert!(there.contains("\"web-1\"") && there.contains("\"n2\""), "{there}");
    server.until("/v1/health/service/web?passing", |answer| answer.body == "[]");
    server.until("/v1/catalog/service/held", |answer| answer.body == "[]");
    server.stop();
}

#[test]
fn a_session_that_holds_much_can_end() {
    let server = Ground::new().start();
    let created = server.ask("PUT", "/v1/session/create", r#"{"LockDelay": "0s"}"#).body;
    let id = created.split('"').nth(3).unwrap();
    let value = "x".repeat(500_000);
    for number in 0..10 {
        let taken = server.ask("PUT", &format!("/v1/kv/k{number}?acquire={id}"), &value);
        assert_eq!(taken.body, "true");
    }
    assert_eq!(server.ask("PUT", &format!("/v1/session/destroy/{id}"), "").body, "true");
    let key = server.ask("GET", "/v1/kv/k9", "").body;
    assert!(key.len() > value.len() && !key.contains("\"Session\""));
    server.stop();
}

/// Opens a stream that holds an instance, over HTTP/1; it is there once this returns.
fn open_stream(address: std::net::SocketAddr, service: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let line = format!("{service}\n");
    let head = "POST /v1/coreto/register HTTP/1.1\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n";
    write!(stream, "{head}{:x}\r\n{line}\r\n", line.len()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut answer = String::new();
    while !answer.contains("\"ID\"") {
        assert!(reader.read_line(&mut answer).unwrap() > 0, "{answer}");
    }
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stream
}

#[test]
fn an_instance_is_there_for_as_long_as_its_stream_is_open() {
    let ground = Ground::new();
    let server = ground.start();
    let there = "/v1/health/service/web?passing";
    let service = r#"{"Name": "web", "ID": "web-1", "Port": 80}"#;
    let first = open_stream(server.address, service);
    assert!(server.ask("GET", there, "").body.contains("\"web-1\""));
    let second = open_stream(server.address, service);
    drop(first);
    std::thread::sleep(Duration::from_millis(300));
    assert!(server.ask("GET", there, "").body.contains("\"web-1\""), "the second one holds it");
    let index = server.ask("GET", there, "").index();
    let begun = Instant::now();
    let gone =
        meanwhile(|| drop(second), || server.ask("GET", &format!("{there}&index={index}&wait=20s"), ""));
    assert_eq!(gone.body, "[]");
    assert!(begun.elapsed() < Duration::from_secs(10), "it went with its stream");
    let refused = server.ask("POST", "/v1/coreto/register", "{}\n");
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(server.ask("POST", "/v1/coreto/register", service).status, 400, "a line has an end");

    let mut stream = open_stream(server.address, service);
    assert_eq!(server.ask("PUT", "/v1/agent/service/deregister/web-1", "").status, 200);
    let mut rest = String::new();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.trim_end(), "0", "the answer ends with the instance");

    let stream = open_stream(server.address, service);
    let other = open_stream(server.address, r#"{"Name": "web", "ID": "web-2"}"#);
    server.stop();
    drop((stream, other));
    let server = ground.start();
    let kept = server.ask("GET", there, "").body;
    assert!(kept.contains("\"web-1\"") && kept.contains("\"web-2\""), "they may come back: {kept}");
    let _stream = open_stream(server.address, service);
    server.until(there, |answer| !answer.body.contains("\"web-2\""));
    assert!(server.ask("GET", there, "").body.contains("\"web-1\""), "it has come back");
    server.stop();
}
