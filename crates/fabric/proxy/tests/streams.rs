//! Streams of HTTP/2 to an upstream, from clients of both versions.

#[path = "run/proxy.rs"]
mod proxy;

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use coreto_proxy::balance::Fitness;
use coreto_proxy::gate::Authority;
use coreto_proxy::model::{Coding, Compression, Outlier, Protocol};
use coreto_proxy::plane::{Allows, Plane};
use coreto_proxy::upstream::{Calls, Pool};
use h2::{Reason, RecvStream, client, server};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
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
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
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

/// Whether an upstream's connection is used again after a sweep, by how long its cluster keeps it.
async fn is_kept(idle: Duration) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let origin = listener.local_addr().expect("it listens");
    let mut model = model(&[origin], Protocol::Http2);
    model.clusters[0].idle = idle;
    let plane = Plane::build(proxy::plan(model), Allows(Box::new(|_, _| true))).expect("a port is free");
    let force = plane.in_force();
    let upstream = &force.upstreams()[0];
    let (member, _) = &upstream.members()[0];
    let host = Authority::read(Bytes::from_static(b"a")).expect("a host");
    let pool = Pool::new(Arc::default(), Calls::default());
    tokio::spawn(echo(listener));
    drop(pool.lease(upstream, member, &host).await.expect("the origin is there"));
    pool.sweep();
    tokio::time::sleep(Duration::from_millis(5)).await;
    pool.sweep();
    pool.lease(upstream, member, &host).await.expect("the origin is there").is_reused()
}

#[test]
fn a_connection_to_an_upstream_is_kept_as_long_as_its_cluster_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        assert!(is_kept(Duration::from_hours(1)).await);
        assert!(!is_kept(Duration::from_millis(1)).await);
    });
}

/// Takes so many streams at a time on one connection, and answers when as many as `all` have come.
async fn few_streams(listener: TcpListener, streams: u32, all: usize) {
    let together = Arc::new(tokio::sync::Barrier::new(all));
    while let Ok((stream, _)) = listener.accept().await {
        let together = Arc::clone(&together);
        tokio::spawn(async move {
            let handshake =
                server::Builder::new().max_concurrent_streams(streams).handshake::<_, Bytes>(stream);
            let mut connection = handshake.await.expect("the proxy speaks HTTP/2");
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let together = Arc::clone(&together);
                tokio::spawn(async move {
                    together.wait().await;
                    let _ = respond.send_response(Response::new(()), true);
                });
            }
        });
    }
}

#[test]
fn an_upstream_gets_no_more_streams_on_a_connection_than_it_takes() {
    run(async |_| {
        for (streams, all, status) in [(2, 6, 200), (0, 1, 503)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            let origin = listener.local_addr().expect("it listens");
            tokio::spawn(few_streams(listener, streams, all));
            let proxy = Proxy::start(model(&[origin], Protocol::Http2));
            let mut sender = connect(proxy.address).await;
            let get = || Request::builder().uri("http://a/").body(()).expect("it is a request");
            let responses: Vec<_> =
                (0..all).map(|_| sender.send_request(get(), true).expect("the stream opens").0).collect();
            for response in responses {
                assert_eq!(
                    response.await.expect("a response").status().as_u16(),
                    status,
                    "{streams} at a time"
                );
            }
        }
    });
}

#[test]
fn a_path_that_cannot_be_sent_is_the_clients_fault() {
    run(async |origin| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let second = listener.local_addr().expect("it listens");
        tokio::spawn(echo(listener));
        let mut model = model(&[origin, second], Protocol::Http2);
        model.clusters[0].outlier = Some(Outlier { failures: 1, ..Outlier::default() });
        let proxy = Proxy::start(model);
        let mut stream = TcpStream::connect(proxy.address).await.expect("the proxy listens");
        let request = "GET /two?q=<b> HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("it is read");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        let members = proxy.plane.in_force().upstreams()[0].members();
        assert!(members.iter().all(|(_, fitness)| *fitness == Fitness::Fit));
        assert_eq!(proxy.end()[0].attempts, 1);
    });
}

#[test]
fn a_stream_above_the_last_one_is_sent_again_whatever_the_reason() {
    run(async |_| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let origin = listener.local_addr().expect("it listens");
        tokio::spawn(async move {
            let (mut first, _) = listener.accept().await.expect("the proxy connects");
            first.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.expect("SETTINGS are read");
            let mut preface = [0; 24];
            first.read_exact(&mut preface).await.expect("a preface");
            loop {
                let mut head = [0; 9];
                first.read_exact(&mut head).await.expect("a frame");
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let mut payload = vec![0; usize::try_from(length).expect("it is small")];
                first.read_exact(&mut payload).await.expect("a frame");
                if head[3] == 1 {
                    break;
                }
            }
            let go_away = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];
            first.write_all(&go_away).await.expect("it is read");
            echo(listener).await;
        });
        let proxy = start(origin);
        let mut sender = connect(proxy.address).await;
        let (response, _) = sender.send_request(post("/"), true).expect("the stream opens");
        assert_eq!(response.await.expect("a response").headers()["x-te"], "trailers");
        let told = proxy.end();
        assert_eq!(told[0].attempts, 2);
    });
}

/// Answers calls with the status of HTTP that their path has, or resets them by a code.
async fn refusing(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut connection = server::handshake(stream).await.expect("the proxy speaks HTTP/2");
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let (kind, code) = request.uri().path()[1..].split_once('/').expect("two parts");
                let code: u16 = code.parse().expect("a number");
                let mut response = Response::new(());
                match kind {
                    "status" => {
                        *response.status_mut() = code.try_into().expect("a status");
                        respond.send_response(response, true).expect("the stream is open");
                    }
                    "never" => drop(tokio::spawn(async move {
                        let _respond = respond;
                        std::future::pending::<()>().await;
                    })),
                    "trailers" => {
                        let kind = HeaderValue::from_static("application/grpc");
                        response.headers_mut().insert("content-type", kind);
                        let mut sending = respond.send_response(response, false).expect("it is open");
                        let trailers = HeaderMap::from_iter([(
                            HeaderName::from_static("grpc-status"),
                            HeaderValue::from(code),
                        )]);
                        sending.send_trailers(trailers).expect("it is open");
                    }
                    "early" => respond.send_reset(Reason::from(u32::from(code))),
                    _ => {
                        let kind = HeaderValue::from_static("application/grpc");
                        response.headers_mut().insert("content-type", kind);
                        let mut sending = respond.send_response(response, false).expect("it is open");
                        tokio::spawn(async move {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            sending.send_reset(Reason::from(u32::from(code)));
                        });
                    }
                }
            }
        });
    }
}

#[test]
fn the_end_of_a_call_says_how_its_endpoint_is_and_a_time_that_is_too_short_does_not() {
    run(async |_| {
        let mut origins = Vec::new();
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            origins.push(listener.local_addr().expect("it listens"));
            tokio::spawn(refusing(listener));
        }
        let mut model = model(&origins, Protocol::Http2);
        model.clusters[0].outlier = Some(Outlier { failures: 1, ..Outlier::default() });
        let proxy = Proxy::start(model);
        let fit = || {
            let members = proxy.plane.in_force().upstreams()[0].members();
            members.iter().filter(|(_, fitness)| *fitness == Fitness::Fit).count()
        };
        let mut sender = connect(proxy.address).await;
        let mut hurried = post("/never/0");
        hurried.headers_mut().insert("grpc-timeout", HeaderValue::from_static("20m"));
        for (request, expected, left) in [(hurried, "4", 2), (post("/trailers/4"), "4", 1)] {
            let (response, _) = sender.send_request(request, true).expect("the stream opens");
            let response = response.await.expect("a response");
            let told = response.headers().get("grpc-status").cloned();
            let mut body = response.into_body();
            let told = match told {
                Some(told) => told,
                None => body.trailers().await.expect("an end").expect("trailers")["grpc-status"].clone(),
            };
            assert_eq!((told.to_str().expect("text"), fit()), (expected, left));
        }
    });
}

#[test]
fn a_call_ends_as_grpc_says() {
    run(async |_| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let origin = listener.local_addr().expect("it listens");
        tokio::spawn(refusing(listener));
        let mut model = model(&[origin], Protocol::Http2);
        model.clusters[0].outlier = None;
        model.routes[0].retry.attempts = 0;
        let proxy = Proxy::start(model);
        let mut sender = connect(proxy.address).await;
        for (path, expected) in [
            ("/status/400", "13"),
            ("/status/401", "16"),
            ("/status/403", "7"),
            ("/status/404", "12"),
            ("/status/429", "14"),
            ("/status/431", "13"),
            ("/status/500", "2"),
            ("/status/503", "14"),
            ("/status/200", "2"),
            ("/early/7", "14"),
            ("/early/8", "1"),
            ("/early/11", "8"),
            ("/early/12", "7"),
            ("/early/2", "13"),
        ] {
            let (response, _) = sender.send_request(post(path), true).expect("the stream opens");
            let response = response.await.expect("a response");
            assert_eq!(
                (response.status().as_u16(), &response.headers()["grpc-status"]),
                (200, &HeaderValue::from_static(expected)),
                "{path}"
            );
        }
        for (path, expected) in [("/late/8", 8), ("/late/11", 11), ("/late/7", 2), ("/late/0", 2)] {
            let (response, _) = sender.send_request(post(path), true).expect("the stream opens");
            let mut body = response.await.expect("a response").into_body();
            let error = body.data().await.expect("it breaks off").expect_err("it breaks off");
            assert_eq!(error.reason(), Some(Reason::from(expected)), "{path}");
        }
    });
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
