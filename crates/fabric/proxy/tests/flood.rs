//! Clients that send much of what carries nothing, or more than a window can hold: they are told so, and others are
//! served meanwhile.

#[path = "run/frames.rs"]
mod frames;
#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/service.rs"]
mod service;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

use coreto_proxy::model::Protocol;

use frames::{
    CONTINUATION, DATA, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, literals,
};
use proxy::{Proxy, model};
use service::{Service, ask};

const FLOW_CONTROL_ERROR: u32 = 3;
const ENHANCE_YOUR_CALM: u32 = 11;
const END_HEADERS: u8 = 4;

/// Sends bytes, and gives the reason of the GOAWAY that comes; none when the connection ends without.
fn goaway(address: SocketAddr, bytes: &[u8]) -> Option<u32> {
    let mut stream = TcpStream::connect(address).expect("the proxy listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket takes a time");
    let mut reading = stream.try_clone().expect("a socket");
    let bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bytes].concat();
    // What the proxy does not read any more cannot all be sent.
    let sending = std::thread::spawn(move || drop(stream.write_all(&bytes)));
    let mut found = None;
    let mut head = [0; 9];
    while found.is_none() && reading.read_exact(&mut head).is_ok() {
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        if reading.read_exact(&mut payload).is_err() {
            break;
        }
        let reason = payload.get(4..8).and_then(|reason| reason.try_into().ok()).map(u32::from_be_bytes);
        found = reason.filter(|reason| head[3] == GOAWAY && *reason != 0);
    }
    drop(reading.shutdown(std::net::Shutdown::Both));
    sending.join().expect("it sends");
    found
}

fn request() -> Vec<u8> {
    let fields = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
    literals(&fields.map(|(name, value)| (name.into(), value.into())))
}

/// So many frames of a kind, each with its stream's number.
fn many(count: u32, each: impl Fn(&mut Vec<u8>, u32)) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame(&mut bytes, SETTINGS, 0, 0, &[]);
    (0..count).for_each(|number| each(&mut bytes, number * 2 + 1));
    bytes
}

#[test]
fn who_floods_is_told_to_calm_down_and_others_are_served() {
    let service = Service::start("well");
    let proxy = Proxy::start(model(&[service.address], Protocol::Http1));
    let opened = |bytes: &mut Vec<u8>, stream| {
        if stream == 1 {
            frame(bytes, HEADERS, END_HEADERS, 1, &request());
        }
    };
    for (claim, bytes) in [
        ("PING", many(30_000, |bytes, _| frame(bytes, PING, 0, 0, &[0; 8]))),
        ("SETTINGS", many(30_000, |bytes, _| frame(bytes, SETTINGS, 0, 0, &[]))),
        ("PRIORITY", many(30_000, |bytes, stream| frame(bytes, PRIORITY, 0, stream, &[0, 0, 0, 0, 1]))),
        ("WINDOW_UPDATE", many(30_000, |bytes, _| frame(bytes, WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))),
        (
            "empty DATA",
            many(30_000, |bytes, stream| {
                opened(bytes, stream);
                frame(bytes, DATA, 0, 1, &[]);
            }),
        ),
        (
            "streams that are opened and reset",
            many(3_000, |bytes, stream| {
                frame(bytes, HEADERS, END_HEADERS, stream, &request());
                frame(bytes, RST_STREAM, 0, stream, &[0, 0, 0, 8]);
            }),
        ),
        (
            "a head that does not end",
            many(10_000, |bytes, stream| {
                let kind = if stream == 1 { HEADERS } else { CONTINUATION };
                frame(bytes, kind, 0, 1, &literals(&[(b"x-more".to_vec(), b"0123456789".to_vec())]));
            }),
        ),
    ] {
        assert_eq!(goaway(proxy.address, &bytes), Some(ENHANCE_YOUR_CALM), "{claim}");
        assert_eq!(ask(proxy.address, "GET /", "").body, "well", "after {claim}");
    }
}

#[test]
fn a_window_that_overflows_ends_the_connection() {
    let service = Service::start("well");
    let proxy = Proxy::start(model(&[service.address], Protocol::Http1));
    let all = [0x7f, 0xff, 0xff, 0xff];
    let overflow = many(2, |bytes, _| frame(bytes, WINDOW_UPDATE, 0, 0, &all));
    assert_eq!(goaway(proxy.address, &overflow), Some(FLOW_CONTROL_ERROR));
    assert_eq!(ask(proxy.address, "GET /", "").body, "well");
}

#[test]
fn a_head_that_does_not_end_is_not_waited_for() {
    let service = Service::start("well");
    let mut model = model(&[service.address], Protocol::Http1);
    model.listeners[0].clocks.header = Duration::from_millis(300);
    let proxy = Proxy::start(model);
    let half = |bytes: &mut Vec<u8>, _| {
        frame(bytes, HEADERS, END_HEADERS, 1, &request());
        bytes.truncate(bytes.len() - 1);
    };
    let open = |bytes: &mut Vec<u8>, _| frame(bytes, HEADERS, 0, 1, &request());
    for bytes in [many(1, half), many(1, open)] {
        assert_eq!(goaway(proxy.address, &bytes), Some(ENHANCE_YOUR_CALM));
    }
    let force = proxy.plane.in_force();
    let (_, _, refused) = force.listeners().next().expect("a listener");
    assert_eq!(refused.flood.load(Ordering::Relaxed), 2);
    assert_eq!(service.count(), 0);
}
