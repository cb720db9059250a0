//! A gateway that runs: reload, management, metrics, access log.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../proxy/tests/run/service.rs"]
mod service;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coreto_edge::{Error, Gateway, Output, Shared};

use service::{Caller, Service, ask, until};

/// A gateway that runs until it is dropped.
struct Running {
    file: PathBuf,
    log: PathBuf,
    shared: Arc<Shared>,
    admin: SocketAddr,
    address: SocketAddr,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Running {
    fn start(test: &str, config: &str) -> Self {
        let folder = folder(test);
        let (file, log) = (folder.join("edge.toml"), folder.join("access.log"));
        std::fs::write(&file, config).unwrap();
        let gateway = Gateway::build(&file, 2, Output::file(&log).unwrap()).unwrap();
        let (shared, admin) = (Arc::clone(gateway.shared()), gateway.admin());
        let address = shared.addresses()[0].1;
        let thread = std::thread::spawn(move || gateway.run().unwrap());
        Self { file, log, shared, admin, address, thread: Some(thread) }
    }

    fn end(&mut self) {
        self.shared.drain();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn text(service: &Service, more: &str) -> String {
    format!(
        r#"
[admin]
address = "127.0.0.1:0"

[[listener]]
name = "public"
address = "127.0.0.1:0"
clocks = {{ drain = "100ms" }}

[[cluster]]
name = "shop"
endpoints = ["{}"]

[[route]]
name = "orders"
prefix = "/orders"
to = "shop"
{more}"#,
        service.address
    )
}

#[test]
fn another_configuration_comes_into_force_whole_or_not_at_all() {
    let (one, other) = (Service::start("one"), Service::start("other"));
    let gateway = Running::start("reload", &text(&one, ""));
    let mut caller = Caller::connect(gateway.address);
    assert_eq!(caller.ask("GET /orders", "").body, "one");
    let reload = || ask(gateway.admin, "POST /reload", "");
    assert_eq!(reload().body, "{\"changes\":[]}\n");
    std::fs::write(&gateway.file, text(&other, "")).unwrap();
    let told = reload();
    let expected = "{\"changes\":[{\"part\":\"cluster `shop`\",\"change\":\"changed\"}]}\n";
    assert_eq!((told.status, told.body.as_str()), (200, expected));
    assert_eq!(caller.ask("GET /orders", "").body, "other", "on the same connection");
    std::fs::write(&gateway.file, text(&one, "retry = { attempts = 9 }")).unwrap();
    let told = reload();
    assert_eq!(told.status, 422);
    assert!(told.body.contains(r#""line":18,"place":"route `orders`: `retry.attempts`""#), "{}", told.body);
    assert!(matches!(gateway.shared.reload(), Err(Error::Faults { .. })));
    std::fs::write(&gateway.file, text(&one, "").replacen("127.0.0.1:0", "127.0.0.1:1", 1)).unwrap();
    assert_eq!(reload().status, 409, "the management's own address");
    std::fs::remove_file(&gateway.file).unwrap();
    assert_eq!(reload().status, 409);
    assert_eq!(caller.ask("GET /orders", "").body, "other", "nothing has changed");
}

#[test]
fn the_management_tells_what_runs_and_how_it_does() {
    let service = Service::start("s");
    let gateway = Running::start("management", &text(&service, ""));
    for _ in 0..3 {
        ask(gateway.address, "GET /orders/503", "");
    }
    ask(gateway.address, "GET /elsewhere", "");
    let admin = |request: &str| ask(gateway.admin, request, "");
    assert_eq!(admin("GET /healthz").body, "ok\n");
    assert!(admin("GET /config_dump").body.contains("prefix = \"/orders\""));
    assert_eq!(admin("POST /stats").status, 405);
    assert_eq!(admin("GET /").status, 404);
    assert_eq!(ask(gateway.admin, "POST /reload", "origin: https://evil.example").status, 403);
    // A client may have its answer before it is counted.
    until("all are counted", || admin("GET /stats").body.contains(r#""name":"orders","requests":3"#));
    let stats = admin("GET /stats").body;
    assert!(stats.contains(r#""server_errors":3"#), "{stats}");
    let endpoint = format!(r#"{{"address":"{}","weight":1,"state":"fit"}}"#, service.address);
    assert!(stats.contains(&endpoint), "{stats}");
    let metrics = admin("GET /metrics").body;
    assert_eq!(
        admin("GET /stats?format=prometheus").head.lines().count(),
        admin("GET /metrics").head.lines().count()
    );
    for line in [
        r#"coreto_edge_requests_total{route="orders",class="5xx"} 3"#,
        r#"coreto_edge_requests_total{route="-",class="4xx"} 1"#,
        r#"coreto_edge_request_duration_seconds_count{route="orders"} 3"#,
        r#"coreto_edge_errors_total{error="destination_not_found"} 1"#,
        r#"coreto_edge_endpoints{cluster="shop",state="fit"} 1"#,
        r#"coreto_edge_requests_in_flight{cluster="shop"} 0"#,
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn each_request_is_written_down() {
    let service = Service::start("s");
    let mut gateway = Running::start("log", &text(&service, ""));
    let trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    ask(gateway.address, "GET /orders/\"7?secret=1", trace);
    ask(gateway.address, "GET /elsewhere", "");
    let mut broken = Caller::connect(gateway.address);
    broken.send("GET no-path", "");
    assert_eq!(broken.receive().unwrap().status, 400);
    gateway.end();
    let log = std::fs::read_to_string(&gateway.log).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    let line = |part: &str| {
        *lines.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {log}"))
    };
    let first = line(r#""path":"/orders/\"7""#);
    for part in [
        r#""method":"GET""#,
        r#""host":"a""#,
        r#""status":200"#,
        r#""route":"orders""#,
        r#""cluster":"shop""#,
        r#""attempts":1"#,
        r#""client":"127.0.0.1""#,
        r#""tls":false"#,
    ] {
        assert!(first.contains(part), "{part} is not in {first}");
    }
    assert!(!log.contains("secret") && !log.contains("0af7651916cd43dd"), "{log}");
    let id = first.split_once(r#""request_id":""#).unwrap().1.split('"').next().unwrap();
    assert!(
        first.contains(&format!(r#""trace_id":"{id}""#)),
        "a trace of ours is called like its request: {first}"
    );
    assert!(line(r#""path":"/elsewhere""#).contains(r#""status":404"#));
    assert!(line(r#""error":"http_request_error""#).contains(r#""status":400"#));
}
