//! A proxy and an upstream for one case.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coreto_proxy::model::{Balance, Cors, EncodedSlash, Model, Protocol, Source};

use super::case::Case;
use super::origin::{self, Seen};
use super::proxy::{self, Proxy};

/// Runs until it is dropped.
pub(crate) struct Stage {
    proxy: Proxy,
    seen: Arc<Mutex<Seen>>,
}

impl Stage {
    /// For a case, whose upstream answers what it says.
    pub(crate) fn new(case: &Case) -> Self {
        let script = case.reply.clone().map(|reply| (reply, case.reply_close));
        let (upstream, seen) = origin::start(script.filter(|_| !case.warm), case.reply_never);
        Self { proxy: Proxy::start(model(case, &endpoints(case, upstream))), seen }
    }

    /// A connection to the proxy on which nothing takes longer than a person would wait.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.proxy.address).expect("the proxy listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket takes a time");
        stream.set_nodelay(true).expect("a socket takes the option");
        stream
    }

    /// What a case sends, with the proxy's own name for `coreto-self`.
    pub(crate) fn filled(&self, bytes: &[u8]) -> Vec<u8> {
        let at = bytes.windows(SELF.len()).position(|found| found == SELF);
        let Some(at) = at else { return bytes.to_vec() };
        [&bytes[..at], self.proxy.plane.name().as_bytes(), &bytes[at + SELF.len()..]].concat()
    }

    /// What has reached the upstream, without the fields that every request is given.
    pub(crate) fn reached(&self) -> String {
        let seen = self.seen.lock().expect("no test panics with it");
        let text: String = seen.bytes.iter().map(|byte| char::from(*byte)).collect();
        let port = self.proxy.address.port().to_string();
        text.split_inclusive("\r\n").filter(|line| !is_usual(line.trim_end(), &port)).collect()
    }

    /// Lets the upstream answer what the case says, from the next request on.
    pub(crate) fn arm(&self, case: &Case) {
        let script = case.reply.clone().map(|reply| (reply, case.reply_close));
        self.seen.lock().expect("no test panics with it").script = script;
    }

    /// How many connections the upstream has been given.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().expect("no test panics with it").connections
    }
}

const SELF: &[u8] = b"coreto-self";

fn endpoints(case: &Case, upstream: SocketAddr) -> Vec<SocketAddr> {
    // A port that was free a moment ago refuses.
    let closed = || std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    match case.endpoints.as_str() {
        "dead" => vec![closed().expect("a port is free")],
        "dead-first" => vec![closed().expect("a port is free"), upstream],
        _ => vec![upstream],
    }
}

fn model(case: &Case, endpoints: &[SocketAddr]) -> Model {
    let mut model = proxy::model(endpoints, Protocol::Http1);
    model.clusters[0].balance = Balance::RoundRobin;
    if let Source::Static(endpoints) = &mut model.clusters[0].source {
        // The first turns are the first endpoint's, so that a case knows who is asked first.
        endpoints[0].weight = 1_000;
    }
    let clocks = &mut model.listeners[0].clocks;
    let route = &mut model.routes[0];
    route.encoded_slash = EncodedSlash::Keep;
    route.upgrades = vec!["websocket".to_owned()];
    route.filters.grpc_web = case.is_with("grpc-web");
    route.filters.cors = case.is_with("cors").then(|| Cors {
        origins: vec!["https://app.example".to_owned()],
        expose: vec!["x-own".to_owned()],
        ..Cors::default()
    });
    let times = &mut route.timeouts;
    for (name, time) in [
        ("head", &mut clocks.header),
        ("idle", &mut clocks.idle),
        ("body", &mut clocks.body),
        ("total", &mut times.total),
        ("silence", &mut times.idle),
    ] {
        *time = case.time(name).unwrap_or(*time);
    }
    times.per_try = case.time("try");
    model
}

fn is_usual(line: &str, port: &str) -> bool {
    let Some((name, value)) = line.split_once(": ") else { return false };
    match name {
        "via" => value.split_once(' ').is_some_and(|(version, name)| {
            ["1.1", "1.0", "2"].contains(&version) && name.starts_with("coreto-")
        }),
        "x-forwarded-for" | "x-real-ip" => value == "127.0.0.1",
        "x-forwarded-proto" => value == "http",
        "x-forwarded-host" => value == "a" || value == "b",
        "x-forwarded-port" => value == port,
        "forwarded" => value.starts_with("for=127.0.0.1;host=\"") && value.ends_with("\";proto=http"),
        "x-request-id" => value.len() == 32,
        "traceparent" => value.len() == 55 && value.starts_with("00-") && value.ends_with("-01"),
        _ => false,
    }
}
