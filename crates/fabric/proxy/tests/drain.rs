//! The end of a listener: what is under way may end, and what does not is told so.

#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/rules.rs"]
mod rules;
#[path = "run/service.rs"]
mod service;
#[path = "run/websocket.rs"]
mod websocket;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use coreto_proxy::model::{Model, Protocol, Route};
use h2::client;
use http::{Method, Request};

use proxy::{Proxy, listener};
use rules::{named, route, to};
use service::{Caller, Service, until};
use websocket::{CLOSE, TEXT, accept, masked, plain};

#[test]
fn a_drain_lets_requests_end_and_tells_clients_so() {
    let service = Service::start("s");
    let mut public = listener();
    public.clocks.drain = Duration::from_secs(5);
    let routes = vec![Route { action: to("s"), ..route("all", "/") }];
    let model = Model { listeners: vec![public], routes, clusters: vec![named("s", &[service.address])] };
    let proxy = Proxy::start(model);
    let mut idle = Caller::connect(proxy.address);
    idle.ask("GET /", "");
    let mut slow = Caller::connect(proxy.address);
    slow.send("GET /slow", "");
    until("it is there", || service.take().iter().any(|request| request.starts_with("GET /slow")));
    proxy.plane.drain();
    let late = idle.ask("GET /", "");
    assert_eq!((late.status, late.field("connection")), (200, Some("close")), "it was on its way");
    let answer = slow.receive().expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(slow.receive().is_none() && idle.receive().is_none());
    assert_eq!(proxy.end().len(), 3);
}

/// A proxy whose drains take so long.
fn start(origin: SocketAddr, drain: Duration, upgrade_idle: Duration) -> Proxy {
    let mut model = proxy::model(&[origin], Protocol::Http1);
    model.listeners[0].clocks.drain = drain;
    model.routes[0].timeouts.upgrade_idle = upgrade_idle;
    model.routes[0].upgrades = vec!["websocket".to_owned()];
    Proxy::start(model)
}

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_hours(1);

/// Both sides are told 1001, which is going away.
const AWAY: &[u8] = &[0x03, 0xe9];

/// A service that greets each WebSocket by `hello`, at `/half` without its last byte; tells all that came when it ends.
fn greeter() -> (SocketAddr, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = head(&mut stream);
            let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).expect("a key");
            let fields = format!("upgrade: websocket\r\nsec-websocket-accept: {}\r\n", accept(key));
            let mut answer = format!("HTTP/1.1 101 X\r\nconnection: upgrade\r\n{fields}\r\n").into_bytes();
            answer.extend(plain(TEXT, b"hello"));
            if head.starts_with("GET /half ") {
                answer.pop();
            }
            stream.write_all(&answer).expect("it is read");
            let mut came = Vec::new();
            let _ = stream.read_to_end(&mut came);
            tell.send(came).expect("the test waits");
        }
    });
    (address, told)
}

fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("it is text")
}

/// Opens a WebSocket on a connection of HTTP/1, and reads so much of it.
fn greeted(address: SocketAddr, path: &str, bytes: usize) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).expect("the proxy listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket takes a time");
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n{key}\r\n");
    stream.write_all(request.as_bytes()).expect("it is sent");
    assert!(head(&mut stream).starts_with("HTTP/1.1 101 "));
    let mut came = vec![0; bytes];
    stream.read_exact(&mut came).expect("it is greeted");
    (stream, came)
}

#[test]
fn a_websocket_is_told_that_it_goes_away_at_the_end_of_a_drain_and_of_its_silence() {
    for (drain, idle) in [(SHORT, LONG), (LONG, SHORT)] {
        let (origin, told) = greeter();
        let proxy = start(origin, drain, idle);
        let (mut stream, hello) = greeted(proxy.address, "/", plain(TEXT, b"hello").len());
        assert_eq!(hello, plain(TEXT, b"hello"));
        stream.write_all(&masked(TEXT, b"hi")).expect("it is sent");
        if drain == SHORT {
            proxy.plane.drain();
        }
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the connection ends");
        assert_eq!(rest, plain(CLOSE, AWAY));
        assert_eq!(
            told.recv().expect("the service ends"),
            [masked(TEXT, b"hi"), masked(CLOSE, AWAY)].concat()
        );
    }
}

#[test]
fn nothing_is_put_into_a_message_that_is_not_whole() {
    let (origin, told) = greeter();
    let proxy = start(origin, SHORT, LONG);
    let (mut stream, _) = greeted(proxy.address, "/half", plain(TEXT, b"hell").len());
    stream.write_all(&masked(CLOSE, &[3, 232])).expect("it is sent");
    proxy.plane.drain();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(rest, []);
    assert_eq!(told.recv().expect("the service ends"), masked(CLOSE, &[3, 232]), "it has been told already");
}

#[test]
fn a_websocket_on_a_stream_is_told_so_too() {
    let (origin, told) = greeter();
    let proxy = start(origin, SHORT, LONG);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(proxy.address).await.expect("the proxy listens");
        let (mut sender, connection) = client::handshake(stream).await.expect("the proxy speaks HTTP/2");
        tokio::spawn(connection);
        while !sender.is_extended_connect_protocol_enabled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let request = Request::builder().method(Method::CONNECT).uri("http://a/");
        let request = request.extension(h2::ext::Protocol::from_static("websocket"));
        let request = request.header("sec-websocket-version", "13").body(()).expect("it is a request");
        let (response, _sending) = sender.send_request(request, false).expect("the stream opens");
        let mut body = response.await.expect("an answer").into_body();
        assert_eq!(body.data().await.expect("a piece").expect("a piece"), plain(TEXT, b"hello"));
        proxy.plane.drain();
        assert_eq!(body.data().await.expect("a piece").expect("a piece"), plain(CLOSE, AWAY));
        let end = body.data().await;
        assert!(end.is_none_or(|end| end.is_ok_and(|end| end.is_empty())), "the stream has not been reset");
    });
    assert_eq!(told.recv().expect("the service ends"), masked(CLOSE, AWAY));
}

#[test]
fn what_waits_for_an_answer_when_a_drain_is_over_has_one() {
    let service = Service::start("s");
    let proxy = start(service.address, SHORT, LONG);
    let mut caller = Caller::connect(proxy.address);
    caller.send("GET /hang", "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let status = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(proxy.address).await.expect("the proxy listens");
        let (mut sender, connection) = client::handshake(stream).await.expect("the proxy speaks HTTP/2");
        let connection = tokio::spawn(connection);
        let request = Request::builder().uri("http://a/hang").body(()).expect("it is a request");
        let (response, _) = sender.send_request(request, true).expect("the stream opens");
        while service.seen() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.plane.drain();
        let status = response.await.expect("an answer").status().as_u16();
        // Told to go away before its stream had ended, and in the end without an error.
        connection.await.expect("it does not panic").expect("the connection ends well");
        status
    });
    assert_eq!(status, 503);
    let answer = caller.receive().expect("an answer");
    assert_eq!((answer.status, answer.field("connection")), (503, Some("close")));
    assert_eq!(answer.field("proxy-status"), Some("coreto; error=http_response_incomplete"));
    assert!(answer.body.contains("the request was cut off"), "{answer:?}");
    let told = proxy.end();
    let told: Vec<_> = told.iter().map(|account| (account.status.as_u16(), account.bytes.1 > 0)).collect();
    assert_eq!(told, [(503, true); 2]);
}

#[test]
fn a_stream_under_way_ends_after_its_connection_is_told_to_go_away() {
    let service = Service::start("s");
    let proxy = start(service.address, Duration::from_secs(5), LONG);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(proxy.address).await.expect("the proxy listens");
        let (mut sender, connection) = client::handshake(stream).await.expect("the proxy speaks HTTP/2");
        let connection = tokio::spawn(connection);
        let mut ask = || {
            let request = Request::builder().uri("http://a/slow").body(()).expect("it is a request");
            sender.send_request(request, true)
        };
        let (response, _) = ask().expect("the stream opens");
        while service.seen() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.plane.drain();
        // Bound: until it is told.
        while let Ok((late, _)) = ask() {
            // It was on its way before the client could know.
            assert_eq!(late.await.expect("an answer").status(), 200);
        }
        assert_eq!(response.await.expect("an answer").status(), 200);
        connection.await.expect("it does not panic").expect("the connection ends well");
    });
}
