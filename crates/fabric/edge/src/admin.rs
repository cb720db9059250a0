//! The gateway's management: what runs, how it does, and another configuration.
//!
//! It is served on loopback unless the configuration says otherwise, and to programs only: what a page in a browser
//! sends (`Origin`) is refused. So is a request by another name than this machine's on loopback: a page can let its
//! own name stand for 127.0.0.1, and then asks without `Origin`.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use coreto_proxy::gate::{Body, Limits, Request};
use coreto_proxy::model::Source;
use coreto_proxy::plane::Inherited;
use coreto_proxy::wire::{Connection, Socket};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

use crate::Fault;
use crate::diff::{Change, Kind};
use crate::fault::chain;
use crate::gateway::{Error, Shared};
use crate::metrics;

/// A socket for the management that is bound.
pub(crate) struct Admin {
    listener: TcpListener,
    asked: SocketAddr,
    address: SocketAddr,
}

/// Connections at a time.
const PLACES: u32 = 64;
/// How long a client may be silent.
const IDLE: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Admin {
    /// Binds an address, or takes the socket that listens there already.
    pub(crate) fn bind(asked: SocketAddr, inherited: Option<Inherited>) -> io::Result<Self> {
        let listener = match inherited.filter(|inherited| inherited.asked == asked) {
            Some(inherited) => inherited.socket,
            None => TcpListener::bind(asked)?,
        };
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "the gateway's management is open to other machines, and asks nobody who they are");
        }
        Ok(Self { listener, asked, address })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A copy of its socket for a gateway that takes over.
    pub(crate) fn bequeathed(&self) -> io::Result<Inherited> {
        Ok(Inherited { asked: self.asked, socket: self.listener.try_clone()? })
    }

    /// Serves on a thread of its own until told that the gateway has ended.
    pub(crate) fn start(self, shared: Arc<Shared>, ended: Arc<Notify>) -> io::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = move || {
            let local = self.address.ip().is_loopback();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(self.listener, local, shared) => {}
                    () = ended.notified() => {}
                }
            });
        };
        std::thread::Builder::new().name("admin".to_owned()).spawn(serve)
    }
}

async fn serve(listener: TcpListener, local: bool, shared: Arc<Shared>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the gateway's management cannot be served");
            return;
        }
    };
    let places = Arc::new(Semaphore::new(PLACES as usize));
    let left = shared.until_left();
    tokio::pin!(left);
    // Bound: until another gateway has taken over, or this one has ended.
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut left => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            connection(stream, local, &shared).await;
            drop(place);
        });
    }
    drop(listener);
    // Who asked this one is still answered.
    let _ = places.acquire_many(PLACES).await;
}

async fn connection(stream: TcpStream, local: bool, shared: &Arc<Shared>) {
    let mut connection = Connection::new(Socket::plain(stream), Arc::new(Limits::default()));
    // Bound: each turn is a request of the client, or the last.
    loop {
        connection.begin();
        let request = tokio::time::timeout(IDLE, poll_fn(|cx| connection.poll_request(cx)));
        let Ok(Ok(Some(request))) = request.await else { return };
        // A page whose name stands for this machine must not read the configuration, whoever else may ask.
        let closed = local || request.target.path() == "/config_dump";
        let answer = if closed && !is_of_this_machine(request.authority.host()) {
            text(StatusCode::FORBIDDEN, "the management is asked by an address, or as `localhost`\n")
        } else {
            answer(&request, shared).await
        };
        let close = !request.keep_alive || !connection.has_read_all();
        put(&mut connection, &answer, request.method == Method::HEAD, close);
        let flushed = tokio::time::timeout(IDLE, poll_fn(|cx| connection.poll_flush(cx))).await;
        if close || !matches!(flushed, Ok(Ok(()))) {
            return;
        }
    }
}

/// An answer of the management.
struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Vec<u8>,
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

fn put(connection: &mut Connection, answer: &Answer, head: bool, close: bool) {
    let mut fields = HeaderMap::new();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let length = answer.body.len() as u64;
    if head {
        connection.put_bare_response(answer.status, &fields, Some(length), close);
    } else {
        connection.put_response(answer.status, &fields, Body::Known(length), close, false);
        connection.put_data(&Bytes::copy_from_slice(&answer.body));
    }
}

async fn answer(request: &Request, shared: &Arc<Shared>) -> Answer {
    if request.fields.contains_key(header::ORIGIN) {
        return text(StatusCode::FORBIDDEN, "pages in browsers are not served\n");
    }
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    match (request.target.path(), reads) {
        ("/healthz", true) if shared.says_that_it_drains() => {
            text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        }
        ("/healthz", true) => text(StatusCode::OK, "ok\n"),
        ("/stats", true) if request.target.query() != Some("format=prometheus") => {
            Answer { status: StatusCode::OK, kind: JSON, body: stats(shared) }
        }
        ("/stats" | "/metrics", true) => Answer {
            status: StatusCode::OK,
            kind: "text/plain; version=0.0.4; charset=utf-8",
            body: metrics::prometheus(&shared.metrics.sum(), shared.plane()).into_bytes(),
        },
        ("/config_dump", true) => {
            Answer { status: StatusCode::OK, kind: "application/toml", body: shared.config().into_bytes() }
        }
        ("/reload", false) if request.method == Method::POST => {
            let shared = Arc::clone(shared);
            let reloaded = tokio::task::spawn_blocking(move || shared.reload()).await;
            reloaded.map_or_else(
                |_| text(StatusCode::INTERNAL_SERVER_ERROR, "it panicked\n"),
                |reloaded| told(&reloaded),
            )
        }
        ("/healthz" | "/stats" | "/metrics" | "/config_dump" | "/reload", _) => {
            text(StatusCode::METHOD_NOT_ALLOWED, "another method is wanted here\n")
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "there are GET /healthz, /stats, /metrics, /config_dump and POST /reload\n",
        ),
    }
}

/// Whether a host is one that no page can have: an address, or this machine's own name.
fn is_of_this_machine(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    inner.parse::<IpAddr>().is_ok() || host.trim_end_matches('.').eq_ignore_ascii_case("localhost")
}

fn text(status: StatusCode, body: &str) -> Answer {
    Answer { status, kind: TEXT, body: body.as_bytes().to_vec() }
}

/// What became of another configuration.
fn told(reloaded: &Result<Vec<Change>, Error>) -> Answer {
    let (status, told) = match reloaded {
        Ok(changes) => {
            let change = |change: &Change| json!({ "part": change.part, "change": kind(&change.kind) });
            (StatusCode::OK, json!({ "changes": changes.iter().map(change).collect::<Vec<_>>() }))
        }
        Err(Error::Faults { faults, .. }) => {
            let fault =
                |fault: &Fault| json!({ "line": fault.line, "place": fault.place, "message": fault.message });
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                json!({ "faults": faults.iter().map(fault).collect::<Vec<_>>() }),
            )
        }
        Err(error) => (StatusCode::CONFLICT, json!({ "error": chain(error) })),
    };
    Answer { status, kind: JSON, body: line(&told) }
}

fn line(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Added => "added",
        Kind::Removed => "removed",
        Kind::Changed(..) => "changed",
        Kind::Moved => "moved",
    }
}

fn stats(shared: &Shared) -> Vec<u8> {
    let sum = shared.metrics.sum();
    let force = shared.plane().in_force();
    let listeners = shared.plane().addresses().into_iter();
    let listeners = listeners.map(|(name, address)| json!({ "name": name, "address": address }));
    let routes = sum.routes.iter().map(|(route, counts)| {
        json!({
            "name": route,
            "requests": counts.requests(),
            "client_errors": counts.classes[3],
            "server_errors": counts.classes[4],
            "retries": counts.retries,
            "bytes_in": counts.bytes_in,
            "bytes_out": counts.bytes_out,
        })
    });
    let clusters = force.upstreams().iter().map(|upstream| {
        let endpoints = upstream.members().into_iter().map(|(member, fitness)| {
            let endpoint = &member.endpoint;
            let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
            json!({
                "address": endpoint.address,
                "weight": endpoint.weight,
                "state": metrics::state(fitness),
                "tries": count(&member.tries().all),
                "failures": count(&member.tries().failed),
            })
        });
        let mut told = json!({
            "name": upstream.cluster().name,
            "in_flight": upstream.in_flight(),
            "endpoints": endpoints.collect::<Vec<_>>(),
        });
        if let Source::Service(service) = &upstream.cluster().source {
            let followed = shared.catalog.followed(service);
            let age = followed.told.map(|told| u64::try_from(told.elapsed().as_millis()).unwrap_or(u64::MAX));
            told["service"] = json!({
                "name": service.name,
                "tags": service.tags,
                "catalog": if followed.away { "away" } else { "there" },
                "age_ms": age,
            });
        }
        told
    });
    line(&json!({
        "listeners": listeners.collect::<Vec<_>>(),
        "routes": routes.collect::<Vec<_>>(),
        "clusters": clusters.collect::<Vec<_>>(),
    }))
}
