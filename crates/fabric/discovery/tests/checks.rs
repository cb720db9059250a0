//! Checks that the catalog runs.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, IsCa, KeyPair,
    generate_simple_self_signed,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
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

fn config(certificate: CertificateDer<'static>, key: &KeyPair, protocol: &str) -> Arc<ServerConfig> {
    let key = key.serialize_der().try_into().unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

/// The same with a certificate that nobody has signed.
fn unsigned(protocol: &str) -> Arc<ServerConfig> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    config(cert.der().clone(), &signing_key, protocol)
}

/// A server over TLS, with a certificate that nobody has signed, which answers each request with a status.
fn tls_server(status: &'static str) -> u16 {
    let config = unsigned("http/1.1");
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

/// A server of gRPC over TLS, of which the service `web` is well and the others are not.
fn grpc_server(config: Arc<ServerConfig>) -> u16 {
    async fn health(
        request: Request<Incoming>,
    ) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        let asked = request.into_body().collect().await.unwrap().to_bytes();
        // One is SERVING, two is not.
        let status = if asked.ends_with(b"web") { 1 } else { 2 };
        let trailers =
            HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
        let body = Full::new(Bytes::copy_from_slice(&[0, 0, 0, 0, 2, 8, status]));
        let body = body.with_trailers(async { Some(Ok(trailers)) });
        Ok(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let acceptor = TlsAcceptor::from(config);
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever does not believe us is gone by now.
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service_fn(health)));
            }
        });
    });
    port
}

/// Says where the authorities of the system are.
const AUTHORITIES: &str = "SSL_CERT_FILE";

#[test]
fn grpc_checks_over_tls_pass_where_the_service_is_well_and_believed() {
    const SELF: &str = "grpc_checks_over_tls_pass_where_the_service_is_well_and_believed";
    const CERTIFICATES: &str = "CHECKS_CERTIFICATES";
    let Some(folder) = std::env::var_os(CERTIFICATES).map(std::path::PathBuf::from) else {
        // Authorities are those of the process, so it runs once more as another, which has our own.
        let folder = std::env::temp_dir().join(format!("coreto-checks-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let signed =
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let authorities = folder.join("authorities.pem");
        std::fs::write(&authorities, issuer.pem()).unwrap();
        std::fs::write(folder.join("server.der"), signed.der()).unwrap();
        std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
        let mut again = Command::new(std::env::current_exe().unwrap());
        let again = again
            .args(["--exact", SELF, "--nocapture"])
            .env(AUTHORITIES, authorities)
            .env(CERTIFICATES, &folder);
        let status = again.status().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(status.success(), "{status}");
        return;
    };
    let signed = CertificateDer::from(std::fs::read(folder.join("server.der")).unwrap());
    let key = KeyPair::from_pem(&std::fs::read_to_string(folder.join("server.key")).unwrap()).unwrap();
    let (known, unknown) = (grpc_server(config(signed, &key, "h2")), grpc_server(unsigned("h2")));
    let server = Ground::new().start();
    let check = |port: u16, service: &str, more: &str| {
        format!(
            r#"{{"GRPC": "127.0.0.1:{port}/{service}", "Interval": "50ms", "GRPCUseTLS": true, "TLSServerName": "localhost"{more}}}"#
        )
    };
    let checks = [
        check(known, "web", ""),
        check(known, "db", ""),
        check(unknown, "web", ""),
        check(unknown, "web", r#", "TLSSkipVerify": true"#),
        check(unknown, "db", r#", "TLSSkipVerify": true"#),
        check(known, "web", "").replace("localhost", "elsewhere"),
    ];
    let body = format!(r#"{{"Name": "web", "Checks": [{}]}}"#, checks.join(","));
    assert_eq!(server.ask("PUT", "/v1/agent/service/register", &body).status, 200);
    let found = server.until("/v1/health/checks/web", |answer| {
        answer.body.matches("SERVING").count() == 4 && answer.body.matches("TLS failed").count() == 2
    });
    let found: serde_json::Value = serde_json::from_str(&found.body).unwrap();
    let told = found.as_array().unwrap().iter().map(|check| {
        let output = check["Output"].as_str().unwrap();
        let kind = ["not SERVING", "SERVING", "TLS failed"].into_iter().find(|kind| output.contains(kind));
        (check["Status"].as_str().unwrap(), kind.unwrap())
    });
    let told: Vec<_> = told.collect();
    let (well, ill, refused) =
        (("passing", "SERVING"), ("critical", "not SERVING"), ("critical", "TLS failed"));
    assert_eq!(told, [well, ill, refused, well, ill, refused], "{found}");
    server.stop();
}
