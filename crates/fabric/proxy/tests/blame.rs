//! What speaks against an endpoint, and what does not: the faults of clients and of ourselves leave none out.

#[path = "run/frames.rs"]
mod frames;
#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/service.rs"]
mod service;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coreto_proxy::balance::Fitness;
use coreto_proxy::model::{Balance, Circuit, Endpoint, Model, Outlier, Protocol, Source, Sticky};

use frames::{PING, SETTINGS, frame};
use proxy::{Proxy, model};
use service::{Caller, Service, ask, until};

/// The first word against an endpoint leaves it out, and it is not used then.
fn strict(endpoints: &[SocketAddr], protocol: Protocol) -> Model {
    let mut model = model(endpoints, protocol);
    let cluster = &mut model.clusters[0];
    cluster.outlier = Some(Outlier { failures: 1, ..Outlier::default() });
    cluster.panic_percent = 0;
    cluster.balance = Balance::RoundRobin;
    model
}

fn fit(proxy: &Proxy) -> Vec<SocketAddr> {
    let members = proxy.plane.in_force().upstreams()[0].members();
    let fit = members.into_iter().filter(|(_, fitness)| *fitness == Fitness::Fit);
    fit.map(|(member, _)| member.endpoint.address).collect()
}

/// A port that refuses.
fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free")
}

#[test]
fn a_client_that_sends_too_slowly_is_told_so_and_no_endpoint_is_blamed() {
    let services = ["a", "b"].map(Service::start);
    let mut model = strict(&services.each_ref().map(|service| service.address), Protocol::Http1);
    model.routes[0].timeouts.total = Duration::from_millis(200);
    let proxy = Proxy::start(model);
    for _ in 0..2 {
        let mut caller = Caller::connect(proxy.address);
        caller.send("POST /", "content-length: 5\n\nbo");
        let answer = caller.receive().expect("an answer");
        assert_eq!(answer.status, 408);
        assert_eq!(answer.field("proxy-status"), Some("coreto; error=http_request_error"));
    }
    assert_eq!(fit(&proxy).len(), 2);
    assert_eq!(ask(proxy.address, "GET /hang", "").status, 504);
    assert_eq!(fit(&proxy).len(), 1, "this one had all that there was of the request");
}

#[test]
fn one_try_lasts_from_the_end_of_the_request() {
    let service = Service::start("a");
    let mut model = strict(&[service.address], Protocol::Http1);
    model.routes[0].timeouts.per_try = Some(Duration::from_millis(200));
    let proxy = Proxy::start(model);
    let mut stream = TcpStream::connect(proxy.address).expect("the proxy listens");
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n").expect("it is read");
    for byte in b"body" {
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(&[*byte]).expect("it is read");
    }
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[test]
fn a_switched_connection_on_which_nothing_comes_blames_nobody() {
    let chat = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = chat.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let answer = "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        for mut stream in chat.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(answer.as_bytes());
            std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
        }
    });
    let mut model = strict(&[address, closed()], Protocol::Http1);
    model.clusters[0].source = Source::Static(vec![
        Endpoint { address, weight: 1 },
        Endpoint { address: Service::start("other").address, weight: 1 },
    ]);
    model.routes[0].upgrades = vec!["websocket".to_owned()];
    model.routes[0].timeouts.upgrade_idle = Duration::from_millis(100);
    let proxy = Proxy::start(model);
    for _ in 0..2 {
        let mut caller = Caller::connect(proxy.address);
        caller.send("GET /", "connection: upgrade\nupgrade: websocket");
        while caller.receive().is_some() {}
    }
    assert_eq!(fit(&proxy).len(), 2);
}

#[test]
fn the_last_endpoint_with_a_weight_is_not_left_out() {
    let service = Service::start("idle");
    let refusing = closed();
    let mut model = strict(&[], Protocol::Http1);
    model.clusters[0].source = Source::Static(vec![
        Endpoint { address: refusing, weight: 1 },
        Endpoint { address: service.address, weight: 0 },
    ]);
    let proxy = Proxy::start(model);
    for _ in 0..3 {
        assert_eq!(ask(proxy.address, "GET /", "").status, 502);
    }
    assert!(fit(&proxy).contains(&refusing));
    assert_eq!(service.count(), 0);
}

#[test]
fn a_probe_takes_no_session_away() {
    let services = ["a", "b"].map(Service::start);
    let mut model = strict(&services.each_ref().map(|service| service.address), Protocol::Http1);
    let cluster = &mut model.clusters[0];
    cluster.balance = Balance::Sticky(Sticky::default());
    cluster.outlier = Some(Outlier { failures: 1, base: Duration::from_millis(100), ..Outlier::default() });
    let proxy = Proxy::start(model);
    let mut cookies = std::collections::HashMap::new();
    until("both endpoints have been met", || {
        let answer = ask(proxy.address, "GET /", "");
        let cookie = answer.field("set-cookie").and_then(|cookie| cookie.split(';').next());
        cookies.insert(answer.body.clone(), format!("cookie: {}", cookie.expect("a cookie")));
        cookies.len() == 2
    });
    assert_eq!(ask(proxy.address, "GET /503", &cookies["a"]).status, 503);
    assert_eq!(fit(&proxy), [services[1].address]);
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..5 {
        let answer = ask(proxy.address, "GET /", &cookies["b"]);
        assert_eq!((answer.body.as_str(), answer.field("set-cookie")), ("b", None));
    }
    assert_eq!(ask(proxy.address, "GET /", &cookies["a"]).body, "a", "its own client tries it out");
    assert_eq!(fit(&proxy).len(), 2);
}

#[test]
fn workers_share_the_connections_that_there_may_be() {
    let service = Service::start("a");
    let mut model = model(&[service.address], Protocol::Auto);
    model.clusters[0].circuit = Circuit { connections: 1, ..Circuit::default() };
    model.clusters[0].idle = Duration::from_mins(10);
    let proxy = Proxy::start_with(model, 3);
    // Each worker keeps the connection that it has used, so that the next one has to ask for it.
    let statuses: Vec<u16> = (0..60).map(|_| ask(proxy.address, "GET /", "").status).collect();
    assert_eq!(statuses, [200; 60]);
}

#[test]
fn who_has_waited_in_vain_does_not_wait_again_for_the_same() {
    let service = Service::start("a");
    let mut model = model(&[service.address], Protocol::Auto);
    model.clusters[0].circuit = Circuit { connections: 1, ..Circuit::default() };
    model.clusters[0].wait = Duration::from_millis(100);
    let proxy = Proxy::start(model);
    let mut busy = Caller::connect(proxy.address);
    busy.send("GET /hang", "");
    until("it is there", || service.seen() == 1);
    assert_eq!(ask(proxy.address, "GET /", "").status, 503);
    drop(busy);
    let told = proxy.end();
    let waited = told.iter().find(|account| account.status == 503).expect("it was refused");
    assert_eq!(waited.attempts, 1, "there is no other endpoint");
}

#[test]
fn a_stream_is_what_the_answer_says() {
    let origin = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = origin.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for mut stream in origin.incoming().flatten() {
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap_or_default();
                let kind = if head[..read].starts_with(b"GET /events") { "event-stream" } else { "plain" };
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-type: text/{kind}\r\nconnection: close\r\n\r\n");
                for piece in [&head, "data: 1\n\n", "data: 2\n\n"] {
                    let _ = stream.write_all(piece.as_bytes());
                    std::thread::sleep(Duration::from_millis(300));
                }
            });
        }
    });
    let mut model = model(&[address], Protocol::Http1);
    model.routes[0].timeouts.total = Duration::from_millis(450);
    let proxy = Proxy::start(model);
    for (path, accept, whole) in [("events", "*/*", true), ("text", "text/event-stream", false)] {
        let mut stream = TcpStream::connect(proxy.address).expect("the proxy listens");
        let request =
            format!("GET /{path} HTTP/1.1\r\nhost: a\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is read");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert_eq!(
            answer.contains("data: 2") && answer.ends_with("\r\n0\r\n\r\n"),
            whole,
            "{path}: {answer}"
        );
    }
}

#[test]
fn a_connection_that_says_nothing_holds_no_drain() {
    let service = Service::start("a");
    let mut model = model(&[service.address], Protocol::Http1);
    model.listeners[0].clocks.drain = Duration::from_hours(1);
    let proxy = Proxy::start(model);
    let _silent = TcpStream::connect(proxy.address).expect("the proxy listens");
    assert_eq!(ask(proxy.address, "GET /", "").status, 200);
    assert_eq!(proxy.end().len(), 1);
}

/// An endpoint of HTTP/2 that answers nothing; `speaks`: whether it sends anything at all after its settings.
fn mute(speaks: bool) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                frame(&mut bytes, SETTINGS, 0, 0, &[]);
                // Bound: until the proxy closes.
                while stream.write_all(&bytes).is_ok() {
                    bytes.clear();
                    if speaks {
                        frame(&mut bytes, PING, 0, 0, &[0; 8]);
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    (address, connections)
}

#[test]
fn a_connection_on_which_nothing_comes_is_not_used_again() {
    for (speaks, expected) in [(false, 2), (true, 1)] {
        let (address, connections) = mute(speaks);
        let mut model = model(&[address], Protocol::Http2);
        model.routes[0].timeouts.total = Duration::from_millis(300);
        let proxy = Proxy::start(model);
        for _ in 0..2 {
            assert_eq!(ask(proxy.address, "GET /", "").status, 504);
        }
        assert_eq!(connections.load(Ordering::Relaxed), expected, "{speaks}");
    }
}
