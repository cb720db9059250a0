//! The examples for users, each running: what they claim happens to requests on real sockets.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "run/front.rs"]
mod front;
#[path = "../../proxy/tests/run/service.rs"]
mod service;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coreto_edge::{Config, Gateway, Output, Shared};
use coreto_proxy::model::{Protocol, Source};

use front::{Authority, Front};
use service::{Answer, Service, until};

/// An example that runs, with a service for each of its clusters.
struct Stage {
    shared: Arc<Shared>,
    secure: BTreeMap<String, bool>,
    services: BTreeMap<String, Service>,
    authority: Authority,
    thread: Option<std::thread::JoinHandle<()>>,
    _fronts: Vec<Front>,
}

impl Stage {
    /// An example, with its files in a folder of the test.
    fn start(place: &str, file: &Path) -> Self {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(place).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let authority = Authority::new(&folder);
        let mut text = std::fs::read_to_string(file).unwrap();
        let config = Config::read(&text).unwrap();
        let model = config.plan.model();
        let (mut services, mut fronts) = (BTreeMap::new(), Vec::new());
        // A service is asked for the host of the request, whatever name its certificate has.
        let hosts: Vec<String> = model.routes.iter().flat_map(|route| route.hosts.clone()).collect();
        for cluster in &model.clusters {
            let name: &'static str = cluster.name.clone().leak();
            let service = Service::start(name);
            // What is spoken to the service is spoken to a proxy before it, which speaks HTTP/1.1 to it.
            let fronted = cluster.tls.is_some() || cluster.protocol == Protocol::Http2;
            let address = if fronted {
                let host = cluster.tls.as_ref().and_then(|tls| tls.name.clone());
                fronts.push(Front::start(service.address, host.map(|host| authority.issue(&host, &hosts))));
                fronts.last().unwrap().address
            } else {
                service.address
            };
            match &cluster.source {
                // All endpoints of a cluster are one service: the file's weights and policies have no say in claims.
                Source::Static(endpoints) => {
                    for (at, endpoint) in endpoints.iter().enumerate() {
                        let address = if at == 0 { address } else { another(&mut fronts, &service) };
                        text = text.replace(&format!("\"{}\"", endpoint.address), &format!("\"{address}\""));
                    }
                }
                Source::Service(of) => panic!("no example has a catalog, as `{}` wants", of.name),
                Source::Dns { host, port, .. } => {
                    let written = format!("host = \"{host}\", port = {port}");
                    assert!(text.contains(&written), "{written}");
                    text =
                        text.replace(&written, &format!("host = \"127.0.0.1\", port = {}", address.port()));
                }
            }
            services.insert(cluster.name.clone(), service);
        }
        let secure: BTreeMap<String, bool> =
            model.listeners.iter().map(|listener| (listener.name.clone(), listener.tls.is_some())).collect();
        for listener in &model.listeners {
            text = text.replace(&format!("\"{}\"", listener.address), "\"127.0.0.1:0\"");
            for certificate in listener.tls.iter().flat_map(|tls| &tls.certificates) {
                let issued = authority.issue(certificate.cert.file_stem().unwrap().to_str().unwrap(), &[]);
                for (written, made) in [(&certificate.cert, &issued.cert), (&certificate.key, &issued.key)] {
                    text = text.replace(written.to_str().unwrap(), made.to_str().unwrap());
                }
            }
            for written in listener.tls.iter().filter_map(|tls| tls.client_ca.as_ref()) {
                text = text.replace(written.to_str().unwrap(), authority.file.to_str().unwrap());
            }
        }
        // The services of the test are vouched for by the test.
        text = text.replace("tls = { name", &format!("tls = {{ ca = \"{}\", name", authority.file.display()));
        let text = format!("[admin]\naddress = \"127.0.0.1:0\"\n\n{text}");
        let file = folder.join("edge.toml");
        std::fs::write(&file, &text).unwrap();
        let gateway = Gateway::build(&file, 1, Output::Off).unwrap_or_else(|error| panic!("{name}: {error}"));
        let shared = Arc::clone(gateway.shared());
        let thread = std::thread::spawn(move || gateway.run().unwrap());
        Self { shared, secure, services, authority, thread: Some(thread), _fronts: fronts }
    }

    fn address(&self, secure: bool) -> SocketAddr {
        let addresses = self.shared.addresses();
        addresses.into_iter().find(|(name, _)| self.secure[name] == secure).unwrap().1
    }

    /// Holds a claim, and gives what was found instead.
    fn broken(&self, claim: &str) -> Option<String> {
        let (asked, expected) = claim.split_once(" → ").unwrap();
        let mut parts = asked.split(" | ");
        let (method, url) = parts.next().unwrap().split_once(' ').unwrap();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let fields = parts.fold(String::new(), |fields, field| fields + field + "\r\n");
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{fields}\r\n");
        let answer = self.ask(scheme == "https", host, &request);
        let found = self.outcome(&answer, expected);
        (found.as_deref() != Ok(expected))
            .then(|| format!("{asked}\n  expected {expected}\n  found    {found:?}"))
    }

    /// What became of a request, in the words of a claim.
    fn outcome(&self, answer: &Answer, expected: &str) -> Result<String, String> {
        let seen: Vec<(&String, Vec<String>)> = self
            .services
            .iter()
            .map(|(name, service)| (name, service.take()))
            .filter(|(_, requests)| !requests.is_empty())
            .collect();
        let status = answer.status.to_string();
        let location = answer.field("location").map(|location| format!("{status} to {location}"));
        // A copy may come later, or not at all.
        let (cluster, request) = match (expected.strip_prefix("to "), &seen[..]) {
            (None, []) if expected.starts_with(&status) && location.is_none() => {
                return Ok(expected.to_owned());
            }
            (None, []) => return Ok(location.unwrap_or(status)),
            (Some(expected), _) => {
                let named = seen.iter().find(|(name, _)| expected.contains(&format!("cluster `{name}`")));
                let (name, requests) = named.ok_or(format!("{status}, and no service of these was asked"))?;
                (*name, &requests[0])
            }
            _ => return Err(format!("{status}, and services were asked: {seen:?}")),
        };
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let sent = format!(" as {method} {path}, host {host}");
        let (to, _) = expected.split_once(" as ").unwrap_or((expected, ""));
        assert!(to.contains(cluster.as_str()));
        Ok(format!("{to}{sent}"))
    }

    fn ask(&self, secure: bool, host: &str, request: &str) -> Answer {
        let stream = TcpStream::connect(self.address(secure)).unwrap();
        let mut text = Vec::new();
        if secure {
            let mut stream = self.authority.connect(stream, host);
            stream.write_all(request.as_bytes()).unwrap();
            stream.read_to_end(&mut text).unwrap();
        } else {
            let mut stream = stream;
            stream.write_all(request.as_bytes()).unwrap();
            stream.read_to_end(&mut text).unwrap();
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
        Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
    }
}

/// Another address of a service: that of another proxy before it.
fn another(fronts: &mut Vec<Front>, service: &Service) -> SocketAddr {
    fronts.push(Front::start(service.address, None));
    fronts.last().unwrap().address
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.drain();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/edge");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|suffix| suffix == "toml")).collect();
    files.sort();
    files
}

#[test]
fn every_example_does_what_it_claims() {
    let (mut count, mut failures) = (0, Vec::new());
    for file in examples() {
        let text = std::fs::read_to_string(&file).unwrap();
        let stage = Stage::start("claims", &file);
        until("names are looked up", || {
            let force = stage.shared.plane().in_force();
            force.upstreams().iter().all(|upstream| !upstream.endpoints().is_empty())
        });
        for claim in text.lines().filter_map(|line| line.strip_prefix("#? ")) {
            count += 1;
            let broken = stage.broken(claim);
            failures.extend(broken.map(|found| format!("{}: {found}", file.display())));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count >= 35, "only {count} claims were found");
}

#[test]
fn browsers_get_small_answers_with_safe_headers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/edge");
    let stage = Stage::start("browsers", &folder.join("browser.toml"));
    let ask = |fields: &str, path: &str| {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n{fields}\r\n");
        stage.ask(false, "api.example", &request)
    };
    let plain = ask("", "/page");
    assert_eq!((plain.status, plain.body.len()), (200, service::page().len()));
    assert_eq!(plain.field("vary"), Some("Origin"));
    assert!(plain.head.contains("vary: Accept-Encoding"), "{}", plain.head);
    assert_eq!(plain.field("x-content-type-options"), Some("nosniff"));
    for coding in ["zstd", "br", "gzip"] {
        let small = ask(&format!("accept-encoding: {coding}\r\n"), "/page");
        assert_eq!((small.field("content-encoding"), small.field("content-length")), (Some(coding), None));
        assert!(small.body.len() < plain.body.len() / 10, "{coding}: {}", small.body.len());
    }
    let short = ask("accept-encoding: gzip\r\n", "/short");
    assert_eq!((short.field("content-encoding"), short.body.as_str()), (None, "api"));
}
