//! A gateway in the process of the catalog: its clusters are services of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

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

fn file(more: &str) -> String {
    format!(
        r#"
admin = {{ address = "127.0.0.1:0" }}

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

/// Waits until the gateway answers so.
async fn until_answers(server: &Server, status: u16, body: &str) {
    until(&format!("the gateway answers {status} `{body}`"), async || {
        let found = get(server.edge(), "/");
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

#[tokio::test]
async fn its_clusters_follow_services() {
    let directory = Directory::new();
    let edge = directory.path().join("edge.toml");
    std::fs::write(&edge, file("")).unwrap();
    let any = Path::new("127.0.0.1:0");
    let server = Settings::new(&directory)
        .argument("--catalog", any)
        .argument("--dns", any)
        .argument("--edge", &edge)
        .start();
    until_answers(&server, 503, "").await;

    put(&server, "/v1/agent/service/register", &instance("one", service("one"), "v1"));
    put(&server, "/v1/agent/service/register", &instance("two", service("two"), "v2"));
    until_answers(&server, 200, "two").await;
    put(&server, "/v1/agent/service/maintenance/two?enable=true", "");
    until_answers(&server, 503, "").await;
    put(&server, "/v1/agent/service/maintenance/two?enable=false", "");
    until_answers(&server, 200, "two").await;
    put(&server, "/v1/agent/service/deregister/two", "");
    until_answers(&server, 503, "").await;

    // An instance that is there for as long as its stream is.
    let mut stream = TcpStream::connect(server.catalog()).unwrap();
    let line = instance("three", service("three"), "v2") + "\n";
    let head = "POST /v1/coreto/register HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}{:x}\r\n{line}\r\n", line.len()).as_bytes()).unwrap();
    until_answers(&server, 200, "three").await;

    // The gateway's file is read again without the server.
    std::fs::write(
        &edge,
        file("rewrite = { path = \"/x\" }\n[[route]]\nname = \"own\"\npath = \"/own\"\nrespond = {}\n"),
    )
    .unwrap();
    server.hang_up();
    until("the other file is in force", async || (get(server.edge(), "/own").0 == 200).then_some(())).await;
    until_answers(&server, 200, "three").await;
    drop(stream);
    until_answers(&server, 503, "").await;
    server.stop().await;
}

#[test]
fn a_file_that_is_not_sound_keeps_the_server_from_starting() {
    let directory = Directory::new();
    let edge = directory.path().join("edge.toml");
    std::fs::write(&edge, file("to-nobody = 1")).unwrap();
    let end = Settings::new(&directory).argument("--edge", &edge).try_start().err().unwrap();
    assert_eq!(end.code, Some(1), "{}", end.log);
    assert!(end.log.contains("there is no key `to-nobody` here"), "{}", end.log);
}
