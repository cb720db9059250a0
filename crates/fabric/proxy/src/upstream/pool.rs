//! Connections that are kept between requests.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol as Switch;
use h2::{Ping, PingPong};
use http::Method;
use http::header::{self, HeaderValue, SEC_WEBSOCKET_KEY};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::cluster::{Member, Upstream};
use super::connect::{begin, connect};
use super::{ConnectError, Security};
use crate::gate::{Authority, Body, Limits, Request};
use crate::model::{Cluster, Protocol};
use crate::wire::{Channel, Connection, Stream};

/// The connections of one worker. The lock is never contended: only that worker's tasks take it.
#[derive(Debug)]
pub struct Pool {
    limits: Arc<Limits>,
    kept: Mutex<HashMap<Way, Kept>>,
}

/// A cluster by the number of its connections, an endpoint, and the host where that is what certificates are for.
type Way = (u64, SocketAddr, Option<Bytes>);

#[derive(Debug, Default)]
struct Kept {
    /// Connections of HTTP/1, the latest last.
    idle: Vec<Idle>,
    shared: Vec<Shared>,
    /// Requests of this worker that wait for a connection.
    waiting: usize,
    /// Whether a connection of HTTP/2 is being made, for which others wait.
    opening: bool,
    /// Told when a connection is free, or one of HTTP/2 is made or cannot be.
    free: Arc<Notify>,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    permit: OwnedSemaphorePermit,
    since: Instant,
}

/// A connection of HTTP/2.
#[derive(Clone, Debug)]
struct Shared {
    sender: SendRequest<Bytes>,
    streams: Arc<AtomicUsize>,
    secure: bool,
    /// Until it is known whether streams may switch protocols: the endpoint's settings have come when it answers.
    pings: Arc<tokio::sync::Mutex<Option<PingPong>>>,
    /// Since when it has been seen without a stream.
    idle_since: Option<Instant>,
}

/// More idle connections to one endpoint are closed.
const IDLE_MAX: usize = 256;
/// A connection of HTTP/2 with so many streams gets a second one beside it.
const STREAMS_MAX: usize = 100;

/// What takes one request.
#[derive(Debug)]
pub struct Lease {
    carrier: Carrier,
    reused: bool,
}

#[derive(Debug)]
enum Carrier {
    One(Box<Connection>, OwnedSemaphorePermit),
    Two(Shared),
}

/// What a request holds of its connection beside the bytes.
#[derive(Debug)]
pub(crate) enum Hold {
    /// A connection of its own, which is one of those that there may be.
    One(OwnedSemaphorePermit),
    /// A stream of a shared one.
    Two(#[expect(dead_code, reason = "the stream is counted until this is dropped")] Counted),
}

/// A stream of a shared connection is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// An empty pool. `limits`: how large a response's head may be.
    pub fn new(limits: Arc<Limits>) -> Self {
        Self { limits, kept: Mutex::default() }
    }

    /// A kept connection to the endpoint, or a new one.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn lease(
        &self,
        upstream: &Upstream,
        member: &Arc<Member>,
        host: &Authority,
    ) -> Result<Lease, ConnectError> {
        let way = way(upstream, member, host);
        let cluster = upstream.cluster();
        if let Some(carrier) = self.take(&way, cluster).await {
            return Ok(Lease { carrier, reused: true });
        }
        let _pending = upstream.gates().pending.enter().ok_or(ConnectError::Pending)?;
        let permit = if let Ok(permit) = Arc::clone(&member.connections).try_acquire_owned() {
            permit
        } else {
            let waited = tokio::time::timeout(cluster.wait, self.wait(&way, cluster, member)).await;
            match waited.map_err(|_| ConnectError::Wait)? {
                Waited::Kept(carrier) => return Ok(Lease { carrier, reused: true }),
                Waited::Permit(permit) => permit,
            }
        };
        let made = tokio::time::timeout(cluster.connect, self.open(way, upstream, permit, host.host())).await;
        let counts = upstream.counts();
        let count = if matches!(made, Ok(Ok(_))) { &counts.connects } else { &counts.connect_failures };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Lease { carrier: made.map_err(|_| ConnectError::Time)??, reused: false })
    }

    /// A kept connection, or one of HTTP/2 that is being made for another request.
    async fn take(&self, way: &Way, cluster: &Cluster) -> Option<Carrier> {
        if cluster.protocol == Protocol::Http1 || cluster.tls.is_none() && cluster.protocol == Protocol::Auto
        {
            return self.take_idle(way, cluster);
        }
        // Bound: who has waited once makes a connection of its own.
        for _ in 0..2 {
            if let Some(shared) = self.take_shared(way).await {
                return Some(Carrier::Two(shared));
            }
            if let Some(carrier) = self.take_idle(way, cluster) {
                return Some(carrier);
            }
            let opening = {
                let kept = self.lock();
                kept.get(way).filter(|kept| kept.opening).map(|kept| Arc::clone(&kept.free))
            };
            let told = opening?;
            // One that cannot be made is found so by the next who tries.
            let _ = tokio::time::timeout(cluster.connect, told.notified()).await;
        }
        None
    }

    /// Waits until a connection is given back, or another one may be made.
    async fn wait(&self, way: &Way, cluster: &Cluster, member: &Arc<Member>) -> Waited {
        let _waiting = Waiting::enter(self, way, member);
        let free = Arc::clone(&self.lock().entry(way.clone()).or_default().free);
        // Bound: each turn something was given back; the time is bounded by the caller.
        loop {
            tokio::select! {
                permit = Arc::clone(&member.connections).acquire_owned() => {
                    return Waited::Permit(permit.expect("it is never closed"));
                }
                () = free.notified() => {
                    if let Some(carrier) = self.take_idle(way, cluster) {
                        return Waited::Kept(carrier);
                    }
                }
            }
        }
    }

    async fn open(
        &self,
        way: Way,
        upstream: &Upstream,
        permit: OwnedSemaphorePermit,
        host: &str,
    ) -> Result<Carrier, ConnectError> {
        let two = upstream.cluster().protocol == Protocol::Http2;
        let _opening = two.then(|| Opening::begin(self, way.clone()));
        let socket = connect(way.1, upstream.security(), host).await?;
        if !two && !socket.agreed_on_two() {
            let connection = Connection::new(socket, Arc::clone(&self.limits));
            return Ok(Carrier::One(Box::new(connection), permit));
        }
        let secure = socket.is_secure();
        let (sender, pings) = begin(socket, &self.limits, permit).await?;
        let pings = Arc::new(tokio::sync::Mutex::new(Some(pings)));
        let shared = Shared { sender, streams: Arc::default(), secure, pings, idle_since: None };
        self.lock().entry(way).or_default().shared.push(shared.clone());
        Ok(Carrier::Two(shared))
    }

    /// Takes a connection back after a whole exchange, unless something about it is odd.
    pub(crate) fn give_back(
        &self,
        upstream: &Upstream,
        member: &Member,
        host: &Authority,
        mut connection: Box<Connection>,
        hold: Hold,
    ) {
        let Hold::One(permit) = hold else { return };
        if !connection.is_reusable() {
            return;
        }
        connection.begin();
        let mut kept = self.lock();
        let kept = kept.entry(way(upstream, member, host)).or_default();
        // Another worker waits for one: it can make it when this one is gone.
        let taken_away = kept.waiting == 0 && member.wanted.load(Ordering::Relaxed) > 0;
        if kept.idle.len() < IDLE_MAX && !taken_away {
            kept.idle.push(Idle { connection, permit, since: Instant::now() });
            if kept.waiting > 0 {
                kept.free.notify_one();
            }
        }
    }

    /// Closes connections that nobody has used for this long.
    pub fn sweep(&self, idle: Duration) {
        let now = Instant::now();
        let is_recent = |since: Instant| now.duration_since(since) < idle;
        self.lock().retain(|_, kept| {
            kept.idle.retain(|idle| is_recent(idle.since));
            kept.shared.retain_mut(|shared| {
                let unused = shared.streams.load(Ordering::Relaxed) == 0;
                shared.idle_since = unused.then(|| shared.idle_since.unwrap_or(now));
                shared.idle_since.is_none_or(is_recent)
            });
            !kept.idle.is_empty() || !kept.shared.is_empty() || kept.waiting > 0 || kept.opening
        });
    }

    fn take_idle(&self, way: &Way, cluster: &Cluster) -> Option<Carrier> {
        let mut kept = self.lock();
        let idle = &mut kept.get_mut(way)?.idle;
        // Bound: each turn takes one away.
        while let Some(Idle { mut connection, permit, since }) = idle.pop() {
            if since.elapsed() < cluster.idle && connection.is_reusable() {
                return Some(Carrier::One(connection, permit));
            }
        }
        None
    }

    async fn take_shared(&self, way: &Way) -> Option<Shared> {
        // Bound: each turn takes a dead one away.
        loop {
            let mut shared = {
                let mut kept = self.lock();
                let free = |shared: &&mut Shared| shared.streams.load(Ordering::Relaxed) < STREAMS_MAX;
                let shared = kept.get_mut(way)?.shared.iter_mut().find(free)?;
                shared.idle_since = None;
                shared.clone()
            };
            if poll_fn(|cx| shared.sender.poll_ready(cx)).await.is_ok() {
                return Some(shared);
            }
            if let Some(kept) = self.lock().get_mut(way) {
                kept.shared.retain(|other| !Arc::ptr_eq(&other.streams, &shared.streams));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Way, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn way(upstream: &Upstream, member: &Member, host: &Authority) -> Way {
    let by_host = upstream.security().is_some_and(Security::goes_by_host);
    (upstream.id(), member.endpoint.address, by_host.then(|| host.bytes().clone()))
}

/// What became of a wait.
enum Waited {
    Kept(Carrier),
    Permit(OwnedSemaphorePermit),
}

/// Counts a request that waits, until it is dropped.
struct Waiting<'a> {
    pool: &'a Pool,
    way: &'a Way,
    member: &'a Member,
}

impl<'a> Waiting<'a> {
    fn enter(pool: &'a Pool, way: &'a Way, member: &'a Member) -> Self {
        pool.lock().entry(way.clone()).or_default().waiting += 1;
        member.wanted.fetch_add(1, Ordering::Relaxed);
        Self { pool, way, member }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(kept) = self.pool.lock().get_mut(self.way) {
            kept.waiting -= 1;
        }
        self.member.wanted.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says that a connection of HTTP/2 is being made, until it is dropped.
struct Opening<'a> {
    pool: &'a Pool,
    way: Way,
}

impl<'a> Opening<'a> {
    fn begin(pool: &'a Pool, way: Way) -> Self {
        pool.lock().entry(way.clone()).or_default().opening = true;
        Self { pool, way }
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if let Some(kept) = self.pool.lock().get_mut(&self.way) {
            kept.opening = false;
            kept.free.notify_waiters();
        }
    }
}

impl Lease {
    /// Whether the connection has carried a request before.
    pub fn is_reused(&self) -> bool {
        self.reused
    }

    /// Whether the connection is the request's own, so that it can switch to another protocol.
    pub(crate) fn is_lone(&self) -> bool {
        matches!(self.carrier, Carrier::One(..))
    }

    /// Whether a request can switch to another protocol: on a connection of its own, or on a stream of an endpoint
    /// that allows it (RFC 8441 §3), which may have to be asked for `within` a time.
    pub(crate) async fn may_switch(&self, within: Duration) -> bool {
        let Carrier::Two(shared) = &self.carrier else { return true };
        if !shared.sender.is_extended_connect_protocol_enabled() {
            let mut pings = shared.pings.lock().await;
            if let Some(pings) = &mut *pings {
                let _ = tokio::time::timeout(within, pings.ping(Ping::opaque())).await;
            }
            *pings = None;
        }
        shared.sender.is_extended_connect_protocol_enabled()
    }

    /// Sends a request's head; its body is put into the channel.
    ///
    /// # Errors
    /// When the connection takes no more requests. Nothing was sent.
    pub(crate) fn begin(self, request: &Request) -> Result<(Channel, Hold), ConnectError> {
        match self.carrier {
            Carrier::One(mut connection, permit) => {
                connection.put_request(request);
                Ok((Channel::One(connection), Hold::One(permit)))
            }
            Carrier::Two(mut shared) => {
                let ended = request.body.is_empty() && request.upgrade.is_none();
                let head =
                    stream_head(request, shared.secure).ok_or_else(|| ConnectError::Handshake(unfit()))?;
                let (response, sending) =
                    shared.sender.send_request(head, ended).map_err(ConnectError::Handshake)?;
                shared.streams.fetch_add(1, Ordering::Relaxed);
                let stream = Box::new(Stream::opened(sending, response, ended));
                Ok((Channel::Two(stream), Hold::Two(Counted(shared.streams))))
            }
        }
    }
}

fn unfit() -> h2::Error {
    h2::Reason::PROTOCOL_ERROR.into()
}

/// A request's head as HTTP/2 has it; none when the path has characters that the library takes for none of a path.
pub(crate) fn stream_head(request: &Request, secure: bool) -> Option<http::Request<()>> {
    let uri = http::Uri::builder()
        .scheme(if secure { "https" } else { "http" })
        .authority(request.authority.as_str())
        .path_and_query(request.target.as_str())
        .build()
        .ok()?;
    let mut head = http::Request::new(());
    *head.method_mut() = request.method.clone();
    if let Some(to) = &request.upgrade {
        *head.method_mut() = Method::CONNECT;
        head.extensions_mut().insert(Switch::from(to.to_str().ok()?));
    }
    *head.uri_mut() = uri;
    *head.version_mut() = http::Version::HTTP_2;
    let mut fields = request.fields.clone();
    if request.upgrade.is_some() {
        // RFC 8441 §5: the stream's settings say what a key does elsewhere.
        fields.remove(SEC_WEBSOCKET_KEY);
    }
    if request.trailers {
        fields.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Body::Known(length) = request.body {
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if request.expects {
        fields.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
    }
    *head.headers_mut() = fields;
    Some(head)
}
