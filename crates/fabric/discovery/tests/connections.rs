//! Connections that say nothing, and what stays open for long.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use support::{Ground, PATIENCE};

#[test]
fn who_asks_for_nothing_is_not_kept_and_who_waits_is() {
    let mut ground = Ground::new();
    ground.request_timeout = Duration::from_millis(300);
    let server = ground.start();
    let index = server.ask("GET", "/v1/catalog/nodes", "").index();
    let waiting = format!(
        "GET /v1/catalog/nodes?index={index}&wait=2s HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n"
    );
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for (said, is_answered) in [
        ("", false),
        ("P", false),
        ("PRI * HTT", false),
        (preface, false),
        ("GET /v1/", false),
        (&waiting, true),
    ] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // It is closed, or it may be reset; what is waited for in vain is neither.
        match stream.read_to_end(&mut answer) {
            Ok(_) => (),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{said:?}"),
        }
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), is_answered, "{said:?}: {answer:?}");
    }
    server.stop();
}
