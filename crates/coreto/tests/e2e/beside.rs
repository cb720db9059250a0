//! Gateways whose clusters are services of a catalog: one in its process, and one apart.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::support::{Directory, Server, Settings, ask, get, until};

/// A service that answers its name; gives its port.
fn service(name: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut piece = [0; 4096];
            let _ = stream.read(&mut piece);
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", name.len());
            let _ = stream.write_all(format!("{head}{name}").as_bytes());
        }
    });
    port
}

/// `catalog`: where it is served; a gateway in its process knows better.
fn file(catalog: &str, more: &str) -> String {
    format!(
        r#"
admin = {{ address = "127.0.0.1:0" }}
catalog = {{ address = "{catalog}" }}

[[listener]]
name = "public"
address = "127.0.0.1:0"

[[cluster]]
name = "orders"
service = "orders"
service-tags = ["v2"]

[[route]]
name = "orders"
to = "orders"
{more}"#
    )
}

const NOWHERE: &str = "127.0.0.1:1";

/// A gateway in a process of its own, until it is dropped.
struct Apart {
    child: Child,
    address: String,
}

impl Apart {
    fn start(file: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coreto"))
            .args(["edge", "--json", "--access-log", "off", "--config"])
            .arg(file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        Self { child, address: ready["listeners"]["public"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a gateway answers so.
async fn until_answers(gateway: &str, status: u16, body: &str) {
    until(&format!("{gateway} answers {status} `{body}`"), async || {
        let found = get(gateway, "/");
        (found.0 == status && (status != 200 || found.1 == body)).then_some(())
    })
    .await;
}

fn put(server: &Server, path: &str, body: &str) {
    let (status, answer) = ask(server.catalog(), "PUT", path, body);
    assert_eq!(status, 200, "{path}: {answer}");
}

fn instance(id: &str, port: u16, tag: &str) -> String {
    format!(
        r#"{{"Name": "orders", "ID": "{id}", "Address": "127.0.0.1", "Port": {port}, "Tags": ["{tag}"]}}"#
    )
}

/// A server with a gateway in its process.
fn start(directory: &Directory, edge: &Path) -> Server {
    let any = Path::new("127.0.0.1:0");
    std::fs::write(edge, file(NOWHERE, "")).unwrap();
    let settings = Settings::new(directory).argument("--catalog", any).argument("--dns", any);
    settings.argument("--edge", edge).start()
}

#[tokio::test]
async fn their_clusters_follow_services() {
    let directory = Directory::new();
    let (edge, other) = (directory.path().join("edge.toml"), directory.path().join("other.toml"));
    let server = start(&directory, &edge);
    std::fs::write(&other, file(server.catalog(), "")).unwrap();
    let apart = Apart::start(&other);
    let both_answer = async |status: u16, body: &str| {
        until_answers(server.edge(), status, body).await;
        until_answers(&apart.address, status, body).await;
    };
    both_answer(503, "").await;

    put(&server, "/v1/agent/service/register", &instance("one", service("one"), "v1"));
    put(&server, "/v1/agent/service/register", &instance("two", service("two"), "v2"));
    both_answer(200, "two").await;
    put(&server, "/v1/agent/service/maintenance/two?enable=true", "");
    both_answer(503, "").await;
    put(&server, "/v1/agent/service/maintenance/two?enable=false", "");
    both_answer(200, "two").await;
    // A check of the catalog's that fails, and one that warns.
    put(
        &server,
        "/v1/agent/check/register",
        r#"{"Name": "beat", "ServiceID": "two", "TTL": "1h", "Status": "passing"}"#,
    );
    put(&server, "/v1/agent/check/fail/beat", "");
    both_answer(503, "").await;
    put(&server, "/v1/agent/check/warn/beat", "");
    both_answer(200, "two").await;
    put(&server, "/v1/agent/service/deregister/two", "");
    both_answer(503, "").await;

    // An instance that is there for as long as its stream is.
    let mut stream = TcpStream::connect(server.catalog()).unwrap();
    let line = instance("three", service("three"), "v2") + "\n";
    let head = "POST /v1/coreto/register HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}{:x}\r\n{line}\r\n", line.len()).as_bytes()).unwrap();
    both_answer(200, "three").await;
    drop(stream);
    both_answer(503, "").await;
    drop(apart);
    server.stop().await;
}

#[tokio::test]
async fn its_file_is_read_again_without_the_server() {
    let directory = Directory::new();
    let edge = directory.path().join("edge.toml");
    let server = start(&directory, &edge);
    put(&server, "/v1/agent/service/register", &instance("one", service("one"), "v2"));
    until_answers(server.edge(), 200, "one").await;
    let own = |name: &str| {
        let route = format!("[[route]]\nname = \"{name}\"\npath = \"/{name}\"\nrespond = {{}}\n");
        file(NOWHERE, &format!("rewrite = {{ path = \"/x\" }}\n{route}"))
    };
    std::fs::write(&edge, own("own")).unwrap();
    server.hang_up();
    until("the other file is in force", async || (get(server.edge(), "/own").0 == 200).then_some(())).await;
    until_answers(server.edge(), 200, "one").await;

    // What the server itself serves is no upstream, on whatever port.
    for (address, what) in [
        (&server.grpc, "the engine's gRPC"),
        (&server.management, "the server's management"),
        (&server.catalog().to_owned(), "the catalog"),
        (&server.dns().to_owned(), "the catalog's DNS"),
    ] {
        let cluster = format!("[[cluster]]\nname = \"ours\"\nendpoints = [\"{address}\"]\n");
        std::fs::write(&edge, own("other") + &cluster).unwrap();
        server.hang_up();
        let said = format!("`{address}` is {what}, which is not reached through the gateway");
        until(&said, async || server.log().contains(&said).then_some(())).await;
    }
    assert_eq!(get(server.edge(), "/other"), (200, "one".to_owned()), "what was in force stays so");
    server.stop().await;
}

#[tokio::test]
async fn signals_that_other_programs_know_end_nothing() {
    let directory = Directory::new();
    let edge = directory.path().join("edge.toml");
    let log = directory.path().join("access.log");
    std::fs::write(&edge, file(NOWHERE, "")).unwrap();
    let any = Path::new("127.0.0.1:0");
    let settings = Settings::new(&directory).configure(&format!("[edge]\naccess-log = {log:?}\n"));
    let settings = settings.argument("--catalog", any).argument("--dns", any);
    let server = settings.argument("--edge", &edge).start();
    until_answers(server.edge(), 503, "").await;
    std::fs::rename(&log, directory.path().join("access.log.1")).unwrap();
    for signal in [Signal::USR2, Signal::USR1] {
        server.signal(signal).unwrap();
    }
    until("the log has a new file", async || log.exists().then_some(())).await;
    until_answers(server.edge(), 503, "").await;
    server.stop().await;
}

#[test]
fn a_file_that_is_not_sound_keeps_the_server_from_starting() {
    let directory = Directory::new();
    let edge = directory.path().join("edge.toml");
    std::fs::write(&edge, file(NOWHERE, "to-nobody = 1")).unwrap();
    let end = Settings::new(&directory).argument("--edge", &edge).try_start().err().unwrap();
    assert_eq!(end.code, Some(1), "{}", end.log);
    assert!(end.log.contains("there is no key `to-nobody` here"), "{}", end.log);
}
