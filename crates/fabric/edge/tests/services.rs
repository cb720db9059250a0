//! Clusters that stand for services, with a catalog that says what the test wants.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../proxy/tests/run/service.rs"]
mod service;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use coreto_edge::{Gateway, Output, Shared};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use service::{Service, ask, until};

/// A catalog of one service, until it is dropped.
struct Catalog {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    index: u64,
    rows: Value,
    asked: Vec<String>,
    tokens: Vec<Option<String>>,
    streams: Vec<TcpStream>,
    gone: bool,
}

impl Catalog {
    fn start(at: &str) -> Self {
        Self::start_with(at, None)
    }

    /// The same, over TLS where that is said.
    fn start_with(at: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let state = State { index: 1, rows: json!([]), ..State::default() };
        let catalog = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new((Mutex::new(state), Condvar::new())),
        };
        let shared = Arc::clone(&catalog.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                let mut state = shared.0.lock().unwrap();
                if state.gone {
                    return;
                }
                state.streams.push(stream.try_clone().unwrap());
                drop(state);
                let tls = tls.clone().map(|tls| ServerConnection::new(tls).unwrap());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &shared),
                    Some(tls) => serve(StreamOwned::new(tls, stream), &shared),
                });
            }
        });
        catalog
    }

    /// Says that these instances are there from now on.
    fn says(&self, rows: Value) {
        let mut state = self.state.0.lock().unwrap();
        state.index += 1;
        state.rows = rows;
        self.state.1.notify_all();
    }

    fn tokens(&self) -> Vec<Option<String>> {
        self.state.0.lock().unwrap().tokens.clone()
    }

    fn asked(&self) -> Vec<String> {
        self.state.0.lock().unwrap().asked.clone()
    }

    /// Cuts all connections and takes no others.
    fn goes(&self) {
        let mut state = self.state.0.lock().unwrap();
        state.gone = true;
        for stream in state.streams.drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        self.state.1.notify_all();
        drop(state);
        // Wakes who accepts, so that the port is free.
        let _ = TcpStream::connect(self.address);
    }
}

impl Drop for Catalog {
    fn drop(&mut self) {
        self.goes();
    }
}

/// Answers questions on a connection; those that name the index of now wait for the next.
fn serve(mut stream: impl Read + Write, shared: &(Mutex<State>, Condvar)) {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..read]);
        if !bytes.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8(std::mem::take(&mut bytes)).unwrap();
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let index: u64 =
            target.split(['?', '&']).find_map(|pair| pair.strip_prefix("index=")).unwrap().parse().unwrap();
        let mut state = shared.0.lock().unwrap();
        state.asked.push(target);
        let token = head.lines().find_map(|line| line.strip_prefix("x-consul-token: "));
        state.tokens.push(token.map(str::to_owned));
        while state.index == index && !state.gone {
            state = shared.1.wait(state).unwrap();
        }
        let body = state.rows.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nx-consul-index: {}\r\ncontent-length: {}\r\n\r\n{body}",
            state.index,
            body.len()
        );
        drop(state);
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// An instance of weight 3, or 1 when it warns.
fn row(service: &Service, status: &str) -> Value {
    json!({
        "Node": { "Address": "127.0.0.1" },
        "Service": { "Address": "", "Port": service.address.port(), "Weights": { "Passing": 3, "Warning": 1 } },
        "Checks": [{ "Status": "passing" }, { "Status": status }],
    })
}

/// A gateway whose only cluster stands for `orders`, until it is dropped.
struct Front {
    shared: Arc<Shared>,
    admin: SocketAddr,
    file: std::path::PathBuf,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn text(catalog: SocketAddr, more: &str) -> String {
    format!(
        r#"
admin = {{ address = "127.0.0.1:0" }}
catalog = {{ address = "{catalog}" }}

[[listener]]
name = "public"
address = "127.0.0.1:0"
clocks = {{ drain = "100ms" }}

[[cluster]]
name = "orders"
service = "orders"
{more}

[[route]]
name = "all"
to = "orders"
"#
    )
}

impl Front {
    fn start(place: &str, text: &str) -> Self {
        Self::start_with(place, text, |gateway| gateway)
    }

    fn start_with(place: &str, text: &str, more: impl FnOnce(Gateway) -> Gateway) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(place);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("edge.toml");
        std::fs::write(&file, text).unwrap();
        let gateway = more(Gateway::build(&file, 1, Output::Off).unwrap());
        let (shared, admin) = (Arc::clone(gateway.shared()), gateway.admin());
        let thread = Some(std::thread::spawn(move || gateway.run().unwrap()));
        Self { shared, admin, file, thread }
    }

    fn ask(&self) -> (u16, String) {
        let answer = ask(self.shared.addresses()[0].1, "GET /", "");
        (answer.status, answer.body)
    }

    fn cluster(&self) -> Value {
        let stats: Value =
            serde_json::from_str(&ask(self.admin, "GET /stats", "host: localhost").body).unwrap();
        stats["clusters"][0].clone()
    }

    /// Waits until the endpoints are these, with their weights.
    fn until_at(&self, expected: &[(&Service, u32)]) {
        let mut expected: Vec<Value> =
            expected.iter().map(|(service, weight)| json!([service.address.to_string(), weight])).collect();
        expected.sort_by_key(ToString::to_string);
        until(&format!("endpoints are {expected:?}"), || {
            let endpoints = self.cluster()["endpoints"].clone();
            let mut found: Vec<Value> = endpoints
                .as_array()
                .unwrap()
                .iter()
                .map(|endpoint| json!([endpoint["address"], endpoint["weight"]]))
                .collect();
            found.sort_by_key(ToString::to_string);
            found == expected
        });
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.drain();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

#[test]
fn endpoints_are_the_instances_that_are_not_critical() {
    let (one, two) = (Service::start("one"), Service::start("two"));
    let catalog = Catalog::start("127.0.0.1:0");
    let front = Front::start("instances", &text(catalog.address, "service-tags = [\"v 2\", \"eu\"]"));
    until("it has asked", || catalog.asked().len() > 1);
    assert_eq!(catalog.asked()[0], "/v1/health/service/orders?tag=v%202&tag=eu&index=0&wait=30s");
    let (status, body) = front.ask();
    assert_eq!(status, 503, "a service without instances");
    assert!(body.contains("no endpoint is available"), "{body}");
    catalog.says(json!([row(&one, "passing")]));
    front.until_at(&[(&one, 3)]);
    assert_eq!(front.ask(), (200, "one".to_owned()), "it has appeared");
    catalog.says(json!([row(&one, "warning"), row(&two, "passing")]));
    front.until_at(&[(&one, 1), (&two, 3)]);
    catalog.says(json!([row(&one, "critical"), row(&two, "passing")]));
    front.until_at(&[(&two, 3)]);
    for _ in 0..4 {
        assert_eq!(front.ask(), (200, "two".to_owned()));
    }
    catalog.says(json!([]));
    front.until_at(&[]);
    assert_eq!(front.ask().0, 503);
}

#[test]
fn a_catalog_that_is_away_changes_nothing() {
    let (one, two) = (Service::start("one"), Service::start("two"));
    let catalog = Catalog::start("127.0.0.1:0");
    catalog.says(json!([row(&one, "passing")]));
    let front = Front::start("away", &text(catalog.address, ""));
    front.until_at(&[(&one, 3)]);
    assert_eq!(front.cluster()["service"]["catalog"], "there");
    catalog.goes();
    until("it is away", || front.cluster()["service"]["catalog"] == "away");
    let age = || front.cluster()["service"]["age_ms"].as_u64().unwrap();
    let before = age();
    until("its word gets older", || age() > before);
    assert_eq!(front.ask(), (200, "one".to_owned()));
    // A reload while it is away keeps what was known.
    std::fs::write(&front.file, text(catalog.address, "connect = \"1s\"")).unwrap();
    front.shared.reload().unwrap();
    assert_eq!(front.ask(), (200, "one".to_owned()));
    // It comes back with an index that has begun anew.
    let address = catalog.address.to_string();
    drop(catalog);
    until("its port is free", || TcpListener::bind(&address).is_ok());
    let again = Catalog::start(&address);
    again.says(json!([row(&two, "passing")]));
    front.until_at(&[(&two, 3)]);
    until("it is back", || front.cluster()["service"]["catalog"] == "there");
}

#[test]
fn a_reload_may_name_another_catalog() {
    let (one, two) = (Service::start("one"), Service::start("two"));
    let (first, second) = (Catalog::start("127.0.0.1:0"), Catalog::start("127.0.0.1:0"));
    first.says(json!([row(&one, "passing")]));
    second.says(json!([row(&two, "passing")]));
    let front = Front::start("moved", &text(first.address, ""));
    front.until_at(&[(&one, 3)]);
    std::fs::write(&front.file, text(second.address, "")).unwrap();
    front.shared.reload().unwrap();
    front.until_at(&[(&two, 3)]);
    // What is wrong with a catalog is borne, and asked for again with pauses.
    second.state.0.lock().unwrap().index = 0;
    second.says(json!("no list"));
    until("it is away", || front.cluster()["service"]["catalog"] == "away");
    std::thread::sleep(Duration::from_millis(200));
    assert!(second.asked().len() < 20, "{}", second.asked().len());
    assert_eq!(front.ask(), (200, "two".to_owned()));
}

/// A server's side of TLS for a name, and the authority behind it.
fn tls(name: &str) -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (Arc::new(config), issuer.pem())
}

#[test]
fn a_catalog_is_asked_over_tls_and_shown_a_token() {
    let (config, authority) = tls("catalog.internal");
    let (catalog, other) = (Catalog::start_with("127.0.0.1:0", Some(config)), Catalog::start("127.0.0.1:0"));
    let service = Service::start("one");
    catalog.says(json!([row(&service, "passing")]));
    other.says(json!([row(&service, "passing")]));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalog-tls");
    std::fs::create_dir_all(&folder).unwrap();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, authority).unwrap();
    let keys = |name: &str, token: &str| {
        let (catalog, ca) = (catalog.address, ca.display());
        let keys = format!(r#"address = "{catalog}", tls = {{ name = "{name}", ca = "{ca}" }}{token}"#);
        text(catalog, "").replace(&format!(r#"address = "{catalog}""#), &keys)
    };
    let usual = |gateway: Gateway| gateway.with_catalog_token("from-outside".to_owned());
    let front = Front::start_with("catalog-tls", &keys("catalog.internal", r#", token = "s3cret""#), usual);
    front.until_at(&[(&service, 3)]);
    assert_eq!(catalog.tokens()[0].as_deref(), Some("s3cret"), "what the file says goes first");
    let shown = ask(front.admin, "GET /config_dump", "host: localhost").body;
    assert!(shown.contains("catalog.internal") && !shown.contains("s3cret"), "{shown}");

    std::fs::write(&front.file, keys("elsewhere.internal", "")).unwrap();
    front.shared.reload().unwrap();
    until("the catalog is away", || front.cluster()["service"]["catalog"] == "away");
    std::fs::write(&front.file, keys("catalog.internal", "")).unwrap();
    front.shared.reload().unwrap();
    until("the catalog is back", || front.cluster()["service"]["catalog"] == "there");
    assert_eq!(catalog.tokens().last().unwrap().as_deref(), Some("from-outside"));

    std::fs::write(&front.file, text(other.address, "")).unwrap();
    front.shared.reload().unwrap();
    until("the other catalog is asked", || other.tokens().contains(&Some("from-outside".to_owned())));
    let missing = keys("catalog.internal", "").replace("ca.pem", "none.pem");
    std::fs::write(&front.file, missing).unwrap();
    let error = front.shared.reload().unwrap_err();
    assert!(matches!(error, coreto_edge::Error::Catalog(_)), "{error:?}");
}
