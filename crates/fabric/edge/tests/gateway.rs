//! A gateway that runs: reload, management, metrics, access log.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../proxy/tests/run/service.rs"]
mod service;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coreto_edge::{Error, Gateway, Output, Shared};
use serde_json::{Value, json};

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

/// The management is asked as programs on its machine ask it.
const LOCAL: &str = "host: localhost";

fn read(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

/// Waits until the last line of a log is about a path.
fn until_ends_with(log: &Path, path: &str) {
    until("it is written", || {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        text.ends_with('\n') && text.lines().last().is_some_and(|line| read(line)["path"] == path)
    });
}

#[test]
fn another_configuration_comes_into_force_whole_or_not_at_all() {
    let (one, other) = (Service::start("one"), Service::start("other"));
    let gateway = Running::start("reload", &text(&one, ""));
    let mut caller = Caller::connect(gateway.address);
    assert_eq!(caller.ask("GET /orders", "").body, "one");
    let reload = || ask(gateway.admin, "POST /reload", LOCAL);
    assert_eq!(reload().body, "{\"changes\":[]}\n");
    std::fs::write(&gateway.file, text(&other, "")).unwrap();
    let told = reload();
    let expected = json!({ "changes": [{ "part": "cluster `shop`", "change": "changed" }] });
    assert_eq!((told.status, read(&told.body)), (200, expected));
    assert_eq!(caller.ask("GET /orders", "").body, "other", "on the same connection");
    std::fs::write(&gateway.file, text(&one, "retry = { attempts = 9 }")).unwrap();
    let told = reload();
    assert_eq!(told.status, 422);
    let fault = &read(&told.body)["faults"][0];
    assert_eq!((&fault["line"], &fault["place"]), (&18.into(), &"route `orders`: `retry.attempts`".into()));
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
    let admin = |request: &str| ask(gateway.admin, request, LOCAL);
    assert_eq!(admin("GET /healthz").body, "ok\n");
    assert!(admin("GET /config_dump").body.contains("prefix = \"/orders\""));
    assert_eq!(admin("POST /stats").status, 405);
    assert_eq!(admin("GET /").status, 404);
    // A page can send its requests here, by the address or by a name of its own that stands for it.
    for fields in
        ["host: localhost\norigin: https://evil.example", "host: evil.example:9901", "host: 127.0.0.1.evil"]
    {
        assert_eq!(ask(gateway.admin, "GET /config_dump", fields).status, 403, "{fields}");
    }
    for host in ["localhost:9901", "127.0.0.1:9901", "[::1]", "LocalHost."] {
        assert_eq!(ask(gateway.admin, "GET /healthz", &format!("host: {host}")).status, 200, "{host}");
    }
    // A client may have its answer before it is counted.
    let stats = || read(&admin("GET /stats").body);
    until("all are counted", || {
        stats()["routes"].as_array().unwrap().iter().any(|route| route["requests"] == 3)
    });
    let stats = stats();
    let orders = stats["routes"].as_array().unwrap().iter().find(|route| route["name"] == "orders").unwrap();
    assert_eq!(orders["server_errors"], 3, "{stats}");
    let counted = json!({ "tries": 3, "failures": 3 });
    let mut endpoint = json!({ "address": service.address, "weight": 1, "state": "fit" });
    endpoint.as_object_mut().unwrap().extend(counted.as_object().unwrap().clone());
    assert_eq!(stats["clusters"][0]["endpoints"], json!([endpoint]), "{stats}");
    let metrics = admin("GET /metrics").body;
    assert_eq!(
        admin("GET /stats?format=prometheus").head.lines().count(),
        admin("GET /metrics").head.lines().count()
    );
    let tries = format!(r#"{{cluster="shop",endpoint="{}"}} 3"#, service.address);
    let tries = ["tries", "failures"].map(|of| format!("coreto_edge_endpoint_{of}_total{tries}"));
    for line in [
        &tries[0],
        &tries[1],
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
fn a_management_that_others_reach_shows_its_configuration_to_no_page() {
    let service = Service::start("s");
    let open = text(&service, "").replacen("127.0.0.1:0", "0.0.0.0:0", 1);
    let gateway = Running::start("open", &open);
    let admin = SocketAddr::from(([127, 0, 0, 1], gateway.admin.port()));
    for (path, host, status) in [
        ("/config_dump", "evil.example", 403),
        ("/config_dump", "127.0.0.1", 200),
        ("/healthz", "gateway.internal:9901", 200),
    ] {
        let found = ask(admin, &format!("GET {path}"), &format!("host: {host}")).status;
        assert_eq!(found, status, "{path} {host}");
    }
}

#[test]
fn a_reload_forgets_what_was_counted_of_routes_that_are_gone() {
    let service = Service::start("s");
    let gateway = Running::start("gone", &text(&service, ""));
    ask(gateway.address, "GET /orders", "");
    ask(gateway.address, "GET /elsewhere", "");
    let counted = |route: &str| {
        let metrics = ask(gateway.admin, "GET /metrics", LOCAL).body;
        metrics.contains(&format!("coreto_edge_retries_total{{route=\"{route}\"}}"))
    };
    until("both are counted", || counted("orders") && counted("-"));
    std::fs::write(&gateway.file, text(&service, "").replace("name = \"orders\"", "name = \"others\""))
        .unwrap();
    assert_eq!(ask(gateway.admin, "POST /reload", LOCAL).status, 200);
    assert!(!counted("orders") && counted("-"));
}

#[test]
fn a_reload_that_is_refused_leaves_no_file() {
    let service = Service::start("s");
    let gateway = Running::start("refused", &text(&service, ""));
    let file = gateway.file.with_file_name("ordered.pem");
    let order = format!("tls = {{ acme = {{ names = [\"a.example\"], file = {file:?} }} }}");
    let listener = format!("[[listener]]\nname = \"secure\"\naddress = \"127.0.0.1:0\"\n{order}\n");
    // Its address is taken.
    let taken = format!("[[listener]]\nname = \"taken\"\naddress = \"{}\"\n", service.address);
    let other = "[[cluster]]\nname = \"shop\"\nendpoints = [\"127.0.0.1:1\"]\n";
    let acme = "[acme]\nterms-agreed = true\n";
    let base = text(&service, "");
    let (before, _) = base.split_once("[[cluster]]").unwrap();
    let (_, route) = base.split_once("[[route]]").unwrap();
    std::fs::write(&gateway.file, format!("{acme}{before}{listener}{taken}{other}[[route]]{route}")).unwrap();
    let told = ask(gateway.admin, "POST /reload", LOCAL);
    assert_eq!(told.status, 409, "{}", told.body);
    assert!(told.body.contains("listener `taken`") && !file.exists(), "{}", told.body);
}

#[test]
fn each_request_is_written_down() {
    let service = Service::start("s");
    let mut gateway = Running::start("log", &text(&service, ""));
    let trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    ask(gateway.address, "GET /orders/\"7?secret=1", trace);
    ask(gateway.address, "GET /elsewhere", "");
    let mut broken = Caller::connect(gateway.address);
    let sent = broken.send("GET no-path", "");
    let told = broken.receive().unwrap();
    assert_eq!(told.status, 400);
    ask(gateway.address, "OPTIONS *", "");
    gateway.end();
    let log = std::fs::read_to_string(&gateway.log).unwrap();
    assert!(!log.contains("secret") && !log.contains("0af7651916cd43dd"), "{log}");
    let lines: Vec<Value> = log.lines().map(read).collect();
    assert_eq!(lines.len(), 4, "{log}");
    let line = |key: &str, value: &str| lines.iter().find(|line| line[key] == value).unwrap();
    let first = line("path", "/orders/\"7");
    let expected = json!({
        "method": "GET", "host": "a", "status": 200, "route": "orders", "cluster": "shop", "attempts": 1,
        "client": "127.0.0.1", "tls": false, "protocol": "HTTP/1.1", "endpoint": service.address,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(first[key], *value, "{key}");
    }
    assert_eq!(first["trace_id"], first["request_id"], "a trace of ours is called like its request");
    assert_eq!(line("path", "/elsewhere")["status"], 404);
    let broken = line("error", "http_request_error");
    let id = told.field("x-request-id").unwrap();
    let expected = json!({
        "status": 400, "path": null, "request_id": id, "bytes_in": sent, "protocol": "HTTP/1.1",
        "detail": "the target is neither a path nor a URL of this connection's scheme",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(broken[key], *value, "{key}");
    }
    assert!(broken["bytes_out"].as_u64() > Some(100), "{broken}");
    assert_eq!(line("method", "OPTIONS")["status"], 204);
}

#[test]
fn the_access_log_goes_on_in_a_new_file_when_it_is_moved() {
    let service = Service::start("s");
    let mut gateway = Running::start("rotate", &text(&service, ""));
    let moved = gateway.log.with_extension("1");
    ask(gateway.address, "GET /orders/before", "");
    until_ends_with(&gateway.log, "/orders/before");
    std::fs::rename(&gateway.log, &moved).unwrap();
    ask(gateway.address, "GET /orders/between", "");
    until_ends_with(&moved, "/orders/between");
    assert!(gateway.shared.reload().is_ok());
    until("there is a new file", || gateway.log.exists());
    ask(gateway.address, "GET /orders/after", "");
    until_ends_with(&gateway.log, "/orders/after");
    std::fs::remove_file(&gateway.log).unwrap();
    gateway.shared.reopen_log();
    until("there is a new file", || gateway.log.exists());
    gateway.end();
    assert_eq!(std::fs::read_to_string(&gateway.log).unwrap(), "");
    assert_eq!(std::fs::read_to_string(&moved).unwrap().lines().count(), 2);
}

#[test]
fn connections_over_the_bounds_are_closed_and_counted() {
    let service = Service::start("s");
    let bounds = "clocks = { drain = \"100ms\" }\nbounds = { connections-per-address = 2 }";
    let gateway =
        Running::start("bounds", &text(&service, "").replace("clocks = { drain = \"100ms\" }", bounds));
    let mut kept = [0; 2].map(|_| Caller::connect(gateway.address));
    assert!(kept.iter_mut().all(|caller| caller.ask("GET /orders", "").status == 200));
    assert!(Caller::connect(gateway.address).receive().is_none());
    let metrics = ask(gateway.admin, "GET /metrics", LOCAL).body;
    for line in [
        r#"coreto_edge_connections{listener="public"} 2"#,
        r#"coreto_edge_connections_refused_total{listener="public",reason="bounds"} 1"#,
        r#"coreto_edge_connections_refused_total{listener="public",reason="handshake"} 0"#,
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let service = Service::start("s");
    let sticky = "0123456789abcdef";
    let text = text(&service, "").replace(
        "name = \"shop\"",
        &format!("name = \"shop\"\nbalance = \"sticky\"\nsticky = {{ secret = \"{sticky}\" }}"),
    );
    let gateway = Running::start("secret", &text);
    let dump = ask(gateway.admin, "GET /config_dump", LOCAL).body;
    assert!(dump.contains("secret = \"(secret)\"") && !dump.contains(sticky), "{dump}");
}

#[test]
fn requests_one_behind_the_other_have_their_own_bytes() {
    let service = Service::start("s");
    let mut gateway = Running::start("pipeline", &text(&service, ""));
    let mut caller = Caller::connect(gateway.address);
    let requests =
        [("GET /orders/a", ""), ("POST /orders/b", "content-length: 5\n\nhello"), ("GET /orders/longer", "")];
    let lengths = requests.map(|(request, fields)| caller.send(request, fields));
    for _ in requests {
        assert_eq!(caller.receive().unwrap().status, 200);
    }
    gateway.end();
    let log = std::fs::read_to_string(&gateway.log).unwrap();
    let found: Vec<_> = log.lines().map(|line| read(line)["bytes_in"].as_u64().unwrap()).collect();
    assert_eq!(found, lengths.map(|length| length as u64));
}

#[test]
fn requests_that_a_drain_cuts_off_are_written_down() {
    let service = Service::start("s");
    let mut gateway = Running::start("cut", &text(&service, ""));
    let mut callers: Vec<Caller> = (0..3).map(|_| Caller::connect(gateway.address)).collect();
    for caller in &mut callers {
        caller.send("GET /orders/hang", "");
    }
    until("all have come", || service.seen() == 3);
    gateway.end();
    assert!(callers.iter_mut().all(|caller| caller.receive().is_some_and(|answer| answer.status == 503)));
    let log = std::fs::read_to_string(&gateway.log).unwrap();
    let lines: Vec<Value> = log.lines().map(read).collect();
    let cut = |line: &&Value| line["status"] == 503 && line["error"] == "http_response_incomplete";
    assert_eq!(lines.iter().filter(cut).count(), 3, "{log}");
    assert_eq!(lines.len(), 3, "each once: {log}");
}
