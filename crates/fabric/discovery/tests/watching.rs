//! Streams that tell of changes.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use support::{Ground, PATIENCE, Server};

/// Somebody who watches.
struct Watcher(BufReader<TcpStream>);

impl Watcher {
    fn open(server: &Server, path: &str, more: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /v1/coreto/watch/{path} HTTP/1.1\r\nhost: catalog\r\n{more}\r\n").unwrap();
        let mut watcher = Self(BufReader::new(stream));
        let head: Vec<String> =
            std::iter::from_fn(|| watcher.line()).take_while(|line| !line.is_empty()).collect();
        assert!(head[0].starts_with("HTTP/1.1 200"), "{head:?}");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        watcher
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).unwrap();
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event: its index and its document; nothing when the stream ends. Sizes of chunks are passed over.
    fn event(&mut self) -> Option<(u64, String)> {
        let index = loop {
            if let Some(index) = self.line()?.strip_prefix("id: ") {
                break index.parse().unwrap();
            }
        };
        Some((index, self.line()?.strip_prefix("data: ").unwrap().to_owned()))
    }
}

const REGISTER: &str = r#"{"Name": "web", "ID": "web-1", "Port": 80, "Check": {"TTL": "1m"}}"#;

#[test]
fn all_who_watch_the_same_are_told_of_the_state_and_of_each_change() {
    let server = Ground::new().start();
    let open = || Watcher::open(&server, "health/service/web?passing", "");
    let mut watchers = [open(), open(), open()];
    for watcher in &mut watchers {
        assert_eq!(watcher.event(), Some((1, "[]".to_owned())));
    }
    // It is critical, which those who look for healthy ones are not told of.
    server.ask("PUT", "/v1/agent/service/register", REGISTER);
    server.ask("PUT", "/v1/agent/check/pass/service:web-1", "");
    let passing = server.ask("GET", "/v1/health/service/web?passing", "");
    for watcher in &mut watchers {
        assert_eq!(watcher.event(), Some((passing.index(), passing.body.clone())));
    }
    let mut late = open();
    assert_eq!(late.event().unwrap().1, passing.body);
    drop(late);
    server.ask("PUT", "/v1/agent/service/deregister/web-1", "");
    for watcher in &mut watchers {
        assert_eq!(watcher.event().unwrap().1, "[]");
    }
    server.stop();
    for watcher in &mut watchers {
        assert_eq!(watcher.event(), None, "the server drains");
    }
}

#[test]
fn who_comes_back_is_not_told_again_what_it_knows() {
    let server = Ground::new().start();
    let mut first = Watcher::open(&server, "kv/a", "");
    let (index, document) = first.event().unwrap();
    assert_eq!(document, "null", "there is no such key");
    let mut again = Watcher::open(&server, "kv/a", &format!("last-event-id: {index}\r\n"));
    server.ask("PUT", "/v1/kv/a", "1");
    let (index, document) = again.event().unwrap();
    assert_eq!(first.event(), Some((index, document.clone())));
    assert!(document.contains("\"MQ==\""), "{document}");
    // A feed that nobody follows ends, and another begins.
    drop((first, again));
    let mut other = Watcher::open(&server, "kv/a", "last-event-id: 1\r\n");
    assert_eq!(other.event(), Some((index, document)));
    server.ask("DELETE", "/v1/kv/a", "");
    assert_eq!(other.event().unwrap().1, "null");
    server.stop();
}

#[test]
fn lists_prefixes_and_sessions_are_watched() {
    let server = Ground::new().start();
    for (path, method, changed, body, found) in [
        ("catalog/services", "PUT", "/v1/agent/service/register", REGISTER, "web"),
        ("catalog/node/n1", "PUT", "/v1/agent/service/register", r#"{"Name": "db"}"#, "\"db\""),
        ("health/state/any", "PUT", "/v1/agent/check/pass/service:web-1?note=well", "", "well"),
        ("kv/x?recurse", "PUT", "/v1/kv/x/y", "1", "x/y"),
        ("session/list", "PUT", "/v1/session/create", r#"{"Name": "held"}"#, "held"),
    ] {
        let mut watcher = Watcher::open(&server, path, "");
        watcher.event().unwrap();
        server.ask(method, changed, body);
        assert!(watcher.event().unwrap().1.contains(found), "{path}");
    }
    server.stop();
}

#[test]
fn who_watches_what_cannot_be_read_is_refused_unless_what_is_at_hand_will_do() {
    let server = Ground::new().start();
    server.replica.hold(true);
    server.ask("PUT", "/v1/kv/b", "1");
    let mut other = Watcher::open(&server, "kv/b?stale", "");
    assert_eq!(other.event().unwrap().1, "null", "it does not see it yet");
    let trouble = server.ask("GET", "/v1/coreto/watch/kv/b", "");
    assert_eq!(trouble.status, 500, "{trouble:?}");
    server.replica.hold(false);
    assert!(other.event().unwrap().1.contains("\"MQ==\""));
    server.stop();
}
