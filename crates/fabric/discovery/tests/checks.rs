//! Checks that the catalog runs.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use support::Ground;

#[test]
fn checks_that_ask_find_out() {
    let server = Ground::new().start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = format!(
        r#"{{"Name": "web", "Checks": [
            {{"TCP": "127.0.0.1:{port}", "Interval": "50ms", "FailuresBeforeCritical": 2}},
            {{"HTTP": "http://{}/v1/status/leader", "Interval": "50ms"}}]}}"#,
        server.address
    );
    assert_eq!(server.ask("PUT", "/v1/agent/service/register", &body).status, 200);
    server.until("/v1/health/service/web?passing", |answer| answer.body.contains("\"web\""));
    drop(listener);
    let failed = server.until("/v1/health/state/critical", |answer| answer.body != "[]");
    assert!(failed.body.contains("cannot connect") && failed.body.contains("service:web:1"), "{failed:?}");
    server.stop();
}

/// A server over TLS, with a certificate that nobody has signed, which answers each request with a status.
fn tls_server(status: &'static str) -> u16 {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = signing_key.serialize_der().try_into().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, stream));
            // Whoever does not believe us is gone by now.
            BufRead::lines(&mut reader).map_while(Result::ok).take_while(|line| !line.is_empty()).count();
            let _ = write!(reader.get_mut(), "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        }
    });
    port
}

#[test]
fn checks_over_tls_believe_known_authorities_or_anybody() {
    let server = Ground::new().start();
    let (well, tired) = (tls_server("200 OK"), tls_server("429 Too Many Requests"));
    let body = format!(
        r#"{{"Name": "web", "Checks": [
            {{"HTTP": "https://127.0.0.1:{well}/", "Interval": "50ms"}},
            {{"HTTP": "https://127.0.0.1:{well}/", "Interval": "50ms", "TLSSkipVerify": true}},
            {{"HTTP": "https://127.0.0.1:{tired}/", "Interval": "50ms", "TLSSkipVerify": true, "TLSServerName": "localhost"}},
            {{"GRPC": "127.0.0.1:{well}", "Interval": "50ms", "GRPCUseTLS": true}}]}}"#
    );
    assert_eq!(server.ask("PUT", "/v1/agent/service/register", &body).status, 200);
    let found = server.until("/v1/health/checks/web", |answer| {
        answer.body.contains("\"warning\"")
            && answer.body.contains("\"passing\"")
            && answer.body.matches("TLS failed").count() == 2
    });
    let checks: serde_json::Value = serde_json::from_str(&found.body).unwrap();
    let status: Vec<_> =
        checks.as_array().unwrap().iter().map(|check| check["Status"].as_str().unwrap()).collect();
    assert_eq!(status, ["critical", "passing", "warning", "critical"], "{found:?}");
    assert!(checks[0]["Output"].as_str().unwrap().contains("certificate"), "{found:?}");
    server.stop();
}
