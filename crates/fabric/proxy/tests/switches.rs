//! Protocols that connections and streams switch to: clients and endpoints of HTTP/1.1 and HTTP/2, in all pairs.

#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/websocket.rs"]
mod websocket;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use coreto_proxy::model::Protocol;
use h2::{client, server};
use http::{Method, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use proxy::{Proxy, model};
use websocket::accept;

/// Takes one upgrade of HTTP/1.1 and gives back what comes, in capitals. `consents`: whether its word is right.
async fn shout(listener: TcpListener, consents: bool) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        let head = String::from_utf8(head).expect("it is text");
        assert!(head.starts_with("GET /chat HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nconnection: upgrade\r\nupgrade: websocket\r\n"), "{head}");
        assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
        let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).expect("a key");
        let accept = if consents { accept(key) } else { "wrong".to_owned() };
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.expect("it is read");
        let mut piece = [0; 100];
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            stream.write_all(piece[..read].to_ascii_uppercase().as_slice()).await.expect("it is read");
        }
    }
}

fn websocket(path: &str, protocol: &'static str) -> Request<()> {
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://a{path}"))
        .body(())
        .expect("it is a request");
    request.extensions_mut().insert(h2::ext::Protocol::from_static(protocol));
    request
}

/// An endpoint of HTTP/2 that does the same, `/forbidden` apart. `allows`: whether its settings say that it may be asked.
async fn shout_on_streams(listener: TcpListener, allows: bool) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut builder = server::Builder::new();
            if allows {
                builder.enable_connect_protocol();
            }
            let mut connection =
                builder.handshake::<_, Bytes>(stream).await.expect("the proxy speaks HTTP/2");
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let protocol =
                    request.extensions().get::<h2::ext::Protocol>().map(|to| to.as_str().to_owned());
                assert_eq!((request.method(), protocol.as_deref()), (&Method::CONNECT, Some("websocket")));
                assert!(!request.headers().contains_key("sec-websocket-key"), "a stream has none");
                assert_eq!(request.headers()["sec-websocket-version"], "13");
                let mut response = Response::new(());
                if request.uri().path() == "/forbidden" {
                    *response.status_mut() = http::StatusCode::FORBIDDEN;
                    let mut sending = respond.send_response(response, false).expect("the stream is open");
                    let _ = sending.send_data(Bytes::from_static(b"no"), true);
                    continue;
                }
                tokio::spawn(async move {
                    let mut sending = respond.send_response(response, false).expect("the stream is open");
                    let mut body = request.into_body();
                    while let Some(Ok(data)) = body.data().await {
                        let _ = sending.send_data(data.to_ascii_uppercase().into(), false);
                    }
                    let _ = sending.send_data(Bytes::new(), true);
                });
            }
        });
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Endpoint {
    One,
    OneThatLies,
    Two,
    TwoThatDoesNot,
}

/// Runs a test with a proxy before such an endpoint; gives the errors of its requests.
fn behind(endpoint: Endpoint, test: impl AsyncFnOnce(SocketAddr)) -> Vec<Option<&'static str>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let origin = listener.local_addr().expect("it is bound");
        let protocol = match endpoint {
            Endpoint::One | Endpoint::OneThatLies => {
                tokio::spawn(shout(listener, endpoint == Endpoint::One));
                Protocol::Http1
            }
            Endpoint::Two | Endpoint::TwoThatDoesNot => {
                tokio::spawn(shout_on_streams(listener, endpoint == Endpoint::Two));
                Protocol::Http2
            }
        };
        let mut model = model(&[origin], protocol);
        model.routes[0].upgrades = vec!["websocket".to_owned()];
        model.routes[0].methods = vec![Method::GET];
        let proxy = Proxy::start(model);
        test(proxy.address).await;
        proxy.end().iter().map(|account| account.error).collect()
    })
}

/// A client of HTTP/1.1: the answer's head, and `hello` in capitals if it has switched.
async fn ask_on_a_connection(address: SocketAddr, path: &str, key: &str) -> (String, Option<String>) {
    let mut stream = TcpStream::connect(address).await.expect("the proxy listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{key}\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    let head = String::from_utf8(head).expect("it is text");
    if !head.starts_with("HTTP/1.1 101 ") {
        return (head, None);
    }
    stream.write_all(b"hello").await.expect("it is sent");
    let mut said = [0; 5];
    stream.read_exact(&mut said).await.expect("an answer");
    stream.shutdown().await.expect("it is told");
    assert_eq!(stream.read(&mut [0]).await.expect("an end"), 0);
    (head, Some(String::from_utf8_lossy(&said).into_owned()))
}

/// RFC 6455 §1.3, with its answer.
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const ACCEPT: &str = "\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// A client of HTTP/2: the status, and `hello` in capitals if the stream has switched.
async fn ask_on_a_stream(address: SocketAddr, path: &str, protocol: &'static str) -> (u16, Option<Bytes>) {
    let stream = TcpStream::connect(address).await.expect("the proxy listens");
    let (mut sender, connection) = client::handshake(stream).await.expect("the proxy speaks HTTP/2");
    tokio::spawn(async move {
        let _ = connection.await;
    });
    // The settings of the proxy say that it may be asked so.
    while !sender.is_extended_connect_protocol_enabled() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (response, mut sending) =
        sender.send_request(websocket(path, protocol), false).expect("the stream opens");
    let response = response.await.expect("a response");
    let status = response.status().as_u16();
    if status != 200 {
        return (status, None);
    }
    assert!(!response.headers().contains_key("sec-websocket-accept"));
    sending.send_data(Bytes::from_static(b"hello"), false).expect("there is a window");
    let mut body = response.into_body();
    let said = body.data().await.expect("a piece").expect("a piece");
    sending.send_data(Bytes::new(), true).expect("the stream is open");
    assert!(body.data().await.is_none_or(|data| data.is_ok_and(|data| data.is_empty())));
    (status, Some(said))
}

#[test]
fn a_connection_to_an_endpoint_of_either_kind() {
    for endpoint in [Endpoint::One, Endpoint::Two] {
        let errors = behind(endpoint, async |address| {
            let (head, said) = ask_on_a_connection(address, "/chat", KEY).await;
            assert!(head.contains(ACCEPT), "{head}");
            assert_eq!(said.as_deref(), Some("HELLO"));
        });
        assert_eq!(errors, [None]);
    }
}

#[test]
fn a_stream_to_an_endpoint_of_either_kind() {
    for endpoint in [Endpoint::One, Endpoint::Two] {
        behind(endpoint, async |address| {
            assert_eq!(ask_on_a_stream(address, "/chat", "other").await, (501, None));
            let said = Some(Bytes::from_static(b"HELLO"));
            assert_eq!(ask_on_a_stream(address, "/chat", "websocket").await, (200, said));
        });
    }
}

#[test]
fn an_endpoint_that_lies_or_does_not_switch_streams_is_told_of() {
    for endpoint in [Endpoint::OneThatLies, Endpoint::TwoThatDoesNot] {
        let errors = behind(endpoint, async |address| {
            assert_eq!(ask_on_a_stream(address, "/chat", "websocket").await, (502, None));
        });
        assert_eq!(errors, [Some("http_upgrade_failed")]);
    }
    behind(Endpoint::TwoThatDoesNot, async |address| {
        for _ in 0..2 {
            let (head, _) = ask_on_a_connection(address, "/chat", KEY).await;
            assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
            assert!(head.contains("proxy-status: coreto; error=http_upgrade_failed"), "{head}");
        }
    });
}

#[test]
fn an_endpoint_of_http_2_may_say_no() {
    behind(Endpoint::Two, async |address| {
        let (head, _) = ask_on_a_connection(address, "/forbidden", KEY).await;
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        assert_eq!(ask_on_a_stream(address, "/forbidden", "websocket").await, (403, None));
        let (head, _) = ask_on_a_connection(address, "/chat", "").await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    });
}
