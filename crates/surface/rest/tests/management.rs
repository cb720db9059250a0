//! Each path over a real connection.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use coreto_rest::{
    Clock, ClockError, Component, Config, Error, Family, Health, Kind, Metrics, Parts, Probe, Sample,
};
use serde_json::{Value, json};

struct Fake {
    up: AtomicBool,
    clock: AtomicI64,
}

impl Health for Fake {
    fn components(&self, probe: Probe) -> Vec<Component> {
        let up = self.up.load(Ordering::Relaxed) || probe == Probe::Liveness;
        let detail = if up { String::new() } else { "recovering".to_owned() };
        vec![Component { name: "partition-1".to_owned(), up, detail }]
    }
}

impl Metrics for Fake {
    fn collect(&self) -> Vec<Family> {
        let samples = vec![Sample { labels: vec![("partition", "1".to_owned())], value: 7.0 }];
        vec![Family { name: "coreto_batches_total", help: "Batches.", kind: Kind::Counter, samples }]
    }
}

impl Clock for Fake {
    fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }
    fn pin(&self, epoch_milli: i64) -> Result<(), ClockError> {
        if epoch_milli == 13 {
            return Err(ClockError { reason: "not then".to_owned() });
        }
        self.clock.store(epoch_milli, Ordering::Relaxed);
        Ok(())
    }
    fn add(&self, offset_milli: i64) -> Result<(), ClockError> {
        self.clock.fetch_add(offset_milli, Ordering::Relaxed);
        Ok(())
    }
    fn reset(&self) -> Result<(), ClockError> {
        self.clock.store(0, Ordering::Relaxed);
        Ok(())
    }
}

struct Server {
    address: SocketAddr,
    fake: Arc<Fake>,
    drain: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<Result<(), Error>>,
}

fn start(controlled: bool) -> Server {
    let fake = Arc::new(Fake { up: AtomicBool::new(true), clock: AtomicI64::new(1_000_000) });
    let clock: Arc<dyn Clock> = fake.clone();
    let parts = Parts { health: fake.clone(), metrics: fake.clone(), clock: controlled.then_some(clock) };
    let config = Config { address: ([127, 0, 0, 1], 0).into(), ..Config::default() };
    let service = config.build(parts).unwrap();
    let address = service.local_addr();
    let (drain, drained) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || service.run(async { drop(drained.await) }));
    Server { address, fake, drain, thread }
}

impl Server {
    /// Status, head and body of the answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, _, body) = self.ask(method, path, body);
        (status, serde_json::from_str(&body).unwrap())
    }
}

#[test]
fn health_is_up_or_down() {
    let server = start(false);
    let (status, body) = server.json("GET", "/actuator/health", "");
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({
            "status": "UP",
            "components": { "partition-1": { "status": "UP" } },
            "groups": ["liveness", "readiness", "startup"],
        })
    );
    server.fake.up.store(false, Ordering::Relaxed);
    for path in ["/actuator/health", "/actuator/health/readiness", "/actuator/health/startup"] {
        let (status, body) = server.json("GET", path, "");
        assert_eq!((status, &body["status"]), (503, &json!("DOWN")));
        let component = json!({ "status": "DOWN", "details": { "message": "recovering" } });
        assert_eq!(body["components"]["partition-1"], component);
    }
    assert_eq!(server.json("GET", "/actuator/health/liveness", "").0, 200);
    let (status, _, body) = server.ask("HEAD", "/actuator/health/liveness", "");
    assert_eq!((status, &*body), (200, ""));
}

#[test]
fn metrics_are_prometheus_text() {
    let server = start(false);
    for path in ["/metrics", "/actuator/prometheus"] {
        let (status, head, body) = server.ask("GET", path, "");
        assert_eq!(status, 200);
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        assert!(body.contains("coreto_batches_total{partition=\"1\"} 7\n"), "{body}");
    }
}

#[test]
fn clock_is_pinned_moved_and_reset() {
    let server = start(true);
    let at = |millis: i64, instant: &str| (200, json!({ "epochMilli": millis, "instant": instant }));
    assert_eq!(server.json("GET", "/actuator/clock", ""), at(1_000_000, "1970-01-01T00:16:40.000Z"));
    let pin = |body: &str| server.json("POST", "/actuator/clock/pin", body);
    assert_eq!(pin("{\"epochMilli\":5000}"), at(5000, "1970-01-01T00:00:05.000Z"));
    let add = |body: &str| server.json("POST", "/actuator/clock/add", body);
    assert_eq!(add("{\"offsetMilli\":-1000}"), at(4000, "1970-01-01T00:00:04.000Z"));
    assert_eq!(server.json("DELETE", "/actuator/clock", "").0, 200);
    assert_eq!(server.fake.now(), 0);

    for body in
        ["", "{}", "[]", "{\"epochMilli\":\"5\"}", "{\"epochMilli\":5,\"more\":1}", "{\"epochMilli\":-1}"]
    {
        let (status, problem) = pin(body);
        assert_eq!((status, &problem["status"]), (400, &json!(400)), "{body}: {problem}");
    }
    assert_eq!(add("{\"offsetMilli\":9223372036854775807}").0, 400);
    assert_eq!(pin("{\"epochMilli\":13}").0, 503);
}

#[test]
fn clock_of_the_machine_has_no_paths() {
    let server = start(false);
    for (method, path) in [
        ("GET", "/actuator/clock"),
        ("POST", "/actuator/clock/pin"),
        ("POST", "/actuator/clock/add"),
        ("DELETE", "/actuator/clock"),
    ] {
        let (status, problem) = server.json(method, path, "{\"epochMilli\":1}");
        assert_eq!(status, 404);
        assert!(problem["detail"].as_str().unwrap().contains("--clock controlled"));
    }
}

#[test]
fn wrong_paths_methods_and_bodies_are_problems() {
    let server = start(true);
    let (status, head, _) = server.ask("GET", "/elsewhere", "");
    assert_eq!(status, 404);
    assert!(head.contains("application/problem+json"), "{head}");
    let (status, head, _) = server.ask("PUT", "/actuator/clock", "");
    assert_eq!(status, 405);
    assert!(head.contains("allow: get, head, delete"), "{head}");
    assert_eq!(server.ask("POST", "/actuator/health", "").0, 405);
    assert_eq!(server.ask("POST", "/actuator/clock/pin", &" ".repeat(20_000)).0, 413);
}

#[test]
fn drain_ends_the_server_also_with_idle_connections() {
    let server = start(false);
    let mut idle = TcpStream::connect(server.address).unwrap();
    write!(idle, "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    server.drain.send(()).unwrap();
    server.thread.join().unwrap().unwrap();
}

#[test]
fn taken_address_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let fake = Arc::new(Fake { up: AtomicBool::new(true), clock: AtomicI64::new(0) });
    let parts = Parts { health: fake.clone(), metrics: fake, clock: None };
    let config = Config { address: taken.local_addr().unwrap(), ..Config::default() };
    assert!(matches!(config.build(parts), Err(Error::Bind { .. })));
}
