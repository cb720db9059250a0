//! Streams of HTTP/2 to an upstream, from clients of both versions.

#[path = "run/proxy.rs"]
mod proxy;

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use coreto_proxy::gate::Authority;
use coreto_proxy::model::{Coding, Compression, Protocol};
use coreto_proxy::plane::{Allows, Plane};
use coreto_proxy::upstream::Pool;
use h2::{Reason, RecvStream, client, server};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use proxy::{Proxy, model};

/// Gives each piece of a body back as it comes, then trailers. `/refused` is refused once, `/broken` is reset at
/// its second piece.
async fn echo(listener: TcpListener) {
    let refused = Arc::new(AtomicUsize::new(0));
    while let Ok((stream, _)) = listener.accept().await {
        let refused = Arc::clone(&refused);
        tokio::spawn(async move {
            let mut connection = server::handshake(stream).await.expect("the proxy speaks HTTP/2");
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::spawn(answer(request, respond, Arc::clone(&refused)));
            }
        });
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: server::SendResponse<Bytes>,
    refused: Arc<AtomicUsize>,
) {
    if request.uri().path() == "/refused" && refused.fetch_add(1, Ordering::Relaxed) == 0 {
        respond.send_reset(Reason::REFUSED_STREAM);
        return;
    }
    let broken = request.uri().path() == "/broken";
    let mut response = Response::new(());
    response
        .headers_mut()
        .insert("x-te", request.headers().get("te").cloned().unwrap_or(HeaderValue::from_static("-")));
    let left = request.headers().get("grpc-timeout").cloned();
    response.headers_mut().insert("x-timeout", left.unwrap_or(HeaderValue::from_static("-")));
    if let Some(kind) = request.headers().get("content-type") {
        response.headers_mut().insert("content-type", kind.clone());
    }
    let mut body = request.into_body();
    let mut sending = respond.send_response(response, false).expect("the stream is open");
    let mut pieces = 0;
    while let Some(Ok(data)) = body.data().await {
        pieces += 1;
        if broken && pieces == 2 {
            sending.send_reset(Reason::INTERNAL_ERROR);
            return;
        }
        let _ = body.flow_control().release_capacity(data.len());
        if sending.send_data(data, false).is_err() {
            return;
        }
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let _ = sending.send_trailers(trailers);
}

fn run(test: impl AsyncFnOnce(SocketAddr)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let origin = listener.local_addr().expect("it is bound");
        tokio::spawn(echo(listener));
        test(origin).await;
    });
}

async fn connect(address: SocketAddr) -> client::SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.expect("the proxy listens");
    let (sender, connection) = client::handshake(stream).await.expect("the proxy speaks HTTP/2");
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender
}

fn start(origin: SocketAddr) -> Proxy {
    Proxy::start(model(&[origin], Protocol::Http2))
}

fn post(path: &str) -> Request<()> {
    Request::builder()
        .method(Method::POST)
        .uri(format!("http://a{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("it is a request")
}

#[test]
fn both_ways_at_once_with_trailers() {
    run(async |origin| {
        let proxy = start(origin);
        let mut sender = connect(proxy.address).await;
        let (response, mut sending) = sender.send_request(post("/"), false).expect("the stream opens");
        sending.send_data(Bytes::from_static(b"one"), false).expect("there is a window");
        let response = response.await.expect("the response comes before the request's end");
        assert_eq!(response.headers()["x-te"], "trailers");
        let mut body = response.into_body();
        assert_eq!(body.data().await.expect("a piece").expect("a piece"), "one");
        sending.send_data(Bytes::from_static(b"two"), true).expect("there is a window");
        assert_eq!(body.data().await.expect("a piece").expect("a piece"), "two");
        assert!(body.data().await.is_none());
        let trailers = body.trailers().await.expect("an end").expect("trailers");
        assert_eq!(trailers["grpc-status"], "0");
    });
}

/// A page's call: frames in base64 go up as they come and come back as they come, each padded.
#[test]
fn calls_of_pages_flow_both_ways() {
    run(async |origin| {
        let mut model = model(&[origin], Protocol::Http2);
        model.routes[0].filters.grpc_web = true;
        let proxy = Proxy::start(model);
        let mut sender = connect(proxy.address).await;
        let mut call = post("/");
        call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc-web-text"));
        let (response, mut sending) = sender.send_request(call, false).expect("the stream opens");
        sending.send_data(Bytes::from_static(b"Zm8=Zm"), false).expect("there is a window");
        let response = response.await.expect("the response comes before the request's end");
        assert_eq!(response.headers()["x-te"], "trailers");
        assert_eq!(response.headers()["content-type"], "application/grpc-web-text");
        let mut body = response.into_body();
        assert_eq!(body.data().await.expect("a piece").expect("a piece"), "Zm8=");
        sending.send_data(Bytes::from_static(b"9v"), true).expect("there is a window");
        assert_eq!(rest_of(&mut body).await, b"Zm9vgAAAABBncnBjLXN0YXR1czogMA0K");
        assert_eq!(body.trailers().await.expect("an end"), None);
        let accounts = proxy.end();
        assert_eq!(accounts[0].grpc_status.as_ref().expect("it was told"), "0");
    });
}

#[test]
fn answers_to_pages_may_be_compressed() {
    run(async |origin| {
        let mut model = model(&[origin], Protocol::Http2);
        let filters = &mut model.routes[0].filters;
        filters.grpc_web = true;
        let types = vec!["application/grpc-web-text".to_owned()];
        filters.compression =
            Some(Compression { codings: vec![Coding::Gzip], types, ..Compression::default() });
        let proxy = Proxy::start(model);
        let mut sender = connect(proxy.address).await;
        let mut call = post("/");
        call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc-web-text"));
        call.headers_mut().insert("accept-encoding", HeaderValue::from_static("gzip"));
        let (response, mut sending) = sender.send_request(call, false).expect("the stream opens");
        sending.send_data(Bytes::from_static(b"Zm8="), false).expect("there is a window");
        let response = response.await.expect("the response comes before the request's end");
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let mut body = response.into_body();
        let mut bytes = body.data().await.expect("a piece").expect("a piece").to_vec();
        sending.send_data(Bytes::from_static(b"Zm9v"), true).expect("there is a window");
        bytes.extend(rest_of(&mut body).await);
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("it is whole");
        assert_eq!(text, "Zm8=Zm9vgAAAABBncnBjLXN0YXR1czogMA0K");
    });
}

/// What is left of a body.
async fn rest_of(body: &mut RecvStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        bytes.extend_from_slice(&data.expect("a piece"));
    }
    bytes
}

#[test]
fn a_refused_stream_is_tried_again_with_any_method() {
    run(async |origin| {
        let proxy = start(origin);
        let mut sender = connect(proxy.address).await;
        let (response, mut sending) = sender.send_request(post("/refused"), false).expect("the stream opens");
        sending.send_data(Bytes::from_static(b"one"), true).expect("there is a window");
        let mut body = response.await.expect("a response").into_body();
        assert_eq!(body.data().await.expect("a piece").expect("a piece"), "one");
        while body.data().await.is_some() {}
        assert!(body.trailers().await.expect("an end").is_some());
        // All is told of once the proxy has ended.
        let accounts = proxy.end();
        assert_eq!(accounts.iter().map(|account| account.attempts).collect::<Vec<_>>(), [2]);
    });
}

#[test]
fn a_response_that_breaks_off_is_reset() {
    run(async |origin| {
        let proxy = start(origin);
        let mut sender = connect(proxy.address).await;
        let (response, mut sending) = sender.send_request(post("/broken"), false).expect("the stream opens");
        sending.send_data(Bytes::from_static(b"one"), false).expect("there is a window");
        let mut body = response.await.expect("a response").into_body();
        assert_eq!(body.data().await.expect("a piece").expect("a piece"), "one");
        sending.send_data(Bytes::from_static(b"two"), false).expect("there is a window");
        let error = body.data().await.expect("no end").expect_err("a reset");
        assert!(error.reason().is_some());
    });
}

#[test]
fn errors_of_grpc_are_trailers_only() {
    run(async |_| {
        let closed = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr());
        let proxy = start(closed.expect("a port is free"));
        let mut sender = connect(proxy.address).await;
        let (response, _) = sender.send_request(post("/"), true).expect("the stream opens");
        let response = response.await.expect("a response");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-status"], "14");
        assert!(response.body().is_end_stream());
    });
}

#[test]
fn a_client_of_http_1_gets_chunks_and_trailers() {
    run(async |origin| {
        let proxy = start(origin);
        let mut stream = TcpStream::connect(proxy.address).await.expect("the proxy listens");
        let request = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n";
        stream.write_all(request).await.expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n3\r\none\r\n0\r\ngrpc-status: 0\r\n\r\n"), "{answer}");
    });
}

/// Of ten thousand bytes each.
const PIECES: usize = 300;

#[test]
fn large_bodies_go_both_ways_through_small_windows() {
    run(async |origin| {
        let proxy = start(origin);
        let mut sender = connect(proxy.address).await;
        let (response, mut sending) = sender.send_request(post("/"), false).expect("the stream opens");
        let upload = async move {
            for piece in 0..PIECES {
                let mut data = Bytes::from(vec![u8::try_from(piece % 251).expect("it is small"); 10_000]);
                while !data.is_empty() {
                    sending.reserve_capacity(data.len());
                    let room = std::future::poll_fn(|cx| sending.poll_capacity(cx)).await;
                    let room = room.expect("the stream is open").expect("the stream is open");
                    sending.send_data(data.split_to(room.min(data.len())), false).expect("there is a window");
                }
            }
            sending.send_data(Bytes::new(), true).expect("the stream is open");
        };
        let download = async {
            let mut body = response.await.expect("a response").into_body();
            let mut at = 0_usize;
            while let Some(data) = body.data().await {
                let data = data.expect("a piece");
                let _ = body.flow_control().release_capacity(data.len());
                for byte in data {
                    assert_eq!(usize::from(byte), at / 10_000 % 251, "byte {at}");
                    at += 1;
                }
            }
            at
        };
        let ((), received) = tokio::join!(upload, download);
        assert_eq!(received, PIECES * 10_000);
    });
}

#[test]
fn a_connection_to_an_upstream_is_closed_when_nobody_uses_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let closed = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let origin = listener.local_addr().expect("it listens");
        let plan = proxy::plan(model(&[origin], Protocol::Http2));
        let plane = Plane::build(plan, Allows(Box::new(|_, _| true))).expect("a port is free");
        let force = plane.in_force();
        let upstream = &force.upstreams()[0];
        let (member, _) = &upstream.members()[0];
        let host = Authority::read(Bytes::from_static(b"a")).expect("a host");
        let pool = Pool::new(Arc::default());
        let accepted = async {
            let (stream, _) = listener.accept().await.expect("the pool connects");
            server::handshake(stream).await.expect("the pool speaks HTTP/2")
        };
        let (lease, mut connection) = tokio::join!(pool.lease(upstream, member, &host), accepted);
        drop(lease.expect("the origin is there"));
        pool.sweep(Duration::from_hours(1));
        let again = pool.lease(upstream, member, &host).await.expect("the origin is there");
        assert!(again.is_reused(), "an hour has not passed");
        drop(again);
        pool.sweep(Duration::ZERO);
        tokio::time::timeout(Duration::from_secs(10), connection.accept()).await
    });
    assert!(matches!(closed, Ok(None)), "{closed:?}");
}

#[test]
fn a_call_has_the_time_that_its_caller_gives_it() {
    run(async |origin| {
        let mut model = model(&[origin], Protocol::Http2);
        model.routes[0].timeouts.total = Duration::from_secs(20);
        let proxy = Proxy::start(model);
        let mut sender = connect(proxy.address).await;
        let mut request = post("/");
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static("200m"));
        let (response, _sending) = sender.send_request(request, false).expect("the stream opens");
        let response = response.await.expect("a response");
        let left = response.headers()["x-timeout"].to_str().expect("text").strip_suffix('u').expect("micros");
        assert!(left.parse::<u32>().is_ok_and(|left| left <= 200_000), "{left}");
        // The call goes on in silence, and is ended when its time is over.
        let mut body = response.into_body();
        assert!(body.data().await.expect("no end").is_err());
        drop(sender);
        let told = proxy.end();
        assert_eq!(told[0].error, Some("http_response_timeout"));
    });
}
