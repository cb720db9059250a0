//! Connections that are kept between requests.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use h2::ext::Protocol as Switch;
use http::Method;
use http::header::{self, HeaderValue, SEC_WEBSOCKET_KEY};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{timeout, timeout_at};

use super::connect::{begin, connect};
use super::kept::{Counted, Idle, Kept, Line, Shared};
use super::{ConnectError, Member, Security, Upstream};
use crate::gate::{Authority, Body, Limits, Request};
use crate::model::{Cluster, Protocol};
use crate::wire::{Channel, Connection, Stream};

/// The connections of one worker. The lock is never contended: only that worker's tasks take it.
#[derive(Debug)]
pub struct Pool {
    limits: Arc<Limits>,
    calls: Calls,
    kept: Mutex<HashMap<Way, Kept>>,
}

/// By which workers tell each other that a connection is wanted where there may be no more of them.
#[derive(Clone, Debug, Default)]
pub struct Calls(watch::Sender<()>);

/// A connection is given up so long before its server does.
const MARGIN: Duration = Duration::from_secs(1);

/// A cluster by the number of its connections, an endpoint, and the host where that is what certificates are for.
type Way = (u64, SocketAddr, Option<String>);

/// What takes one request.
#[derive(Debug)]
pub struct Lease {
    carrier: Carrier,
    reused: bool,
}

#[derive(Debug)]
enum Carrier {
    One(Box<Connection>, OwnedSemaphorePermit),
    Two(Shared, Counted),
}

/// What a request holds of its connection beside the bytes.
#[derive(Debug)]
pub(crate) enum Hold {
    /// A connection of its own, which is one of those that there may be.
    One(OwnedSemaphorePermit),
    /// A stream of a shared one.
    Two(Counted),
}

impl Hold {
    /// The time of its request is over, and the endpoint was waited for.
    pub(crate) fn note_time_over(&self) {
        match self {
            Hold::One(_) => {}
            Hold::Two(counted) => counted.note_time_over(),
        }
    }
}

impl Pool {
    /// An empty pool. `limits`: how large a response's head may be; `calls`: those of all workers.
    pub fn new(limits: Arc<Limits>, calls: Calls) -> Self {
        Self { limits, calls, kept: Mutex::default() }
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
        let permit = if let Ok(permit) = Arc::clone(&member.room.connections).try_acquire_owned() {
            permit
        } else {
            let waited = timeout(cluster.wait, self.wait(&way, member)).await;
            match waited.map_err(|_| ConnectError::Wait)? {
                Waited::Kept(carrier) => return Ok(Lease { carrier, reused: true }),
                Waited::Permit(permit) => permit,
            }
        };
        let made = timeout(cluster.connect, self.open(way, upstream, member, permit, host.host())).await;
        let counts = upstream.counts();
        let count = if matches!(made, Ok(Ok(_))) { &counts.connects } else { &counts.connect_failures };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Lease { carrier: made.map_err(|_| ConnectError::Time)??, reused: false })
    }

    /// A kept connection, or one of HTTP/2 that is being made for another request.
    async fn take(&self, way: &Way, cluster: &Cluster) -> Option<Carrier> {
        let until = Instant::now() + cluster.connect;
        // Bound: until a connection could have been made; then the request makes one of its own.
        loop {
            if let Some(carrier) = self.take_kept(way).await {
                return Some(carrier);
            }
            let opening = {
                let kept = self.lock();
                kept.get(way).filter(|kept| kept.opening).map(|kept| Arc::clone(&kept.free))
            };
            let told = opening?;
            timeout_at(until.into(), told.notified()).await.ok()?;
        }
    }

    /// Waits until a connection or a stream is given back, or another connection may be made.
    async fn wait(&self, way: &Way, member: &Arc<Member>) -> Waited {
        let _waiting = Waiting::enter(self, way, member);
        self.let_go();
        self.calls.call();
        let free = Arc::clone(&entry(&mut self.lock(), way, member).free);
        let mut permit = std::pin::pin!(Arc::clone(&member.room.connections).acquire_owned());
        // Bound: each turn something was given back; the time is bounded by the caller.
        loop {
            let mut told = std::pin::pin!(free.notified());
            told.as_mut().enable();
            if let Some(carrier) = self.take_kept(way).await {
                return Waited::Kept(carrier);
            }
            tokio::select! {
                permit = &mut permit => return Waited::Permit(permit.expect("it is never closed")),
                () = told => {}
            }
        }
    }

    async fn open(
        &self,
        way: Way,
        upstream: &Upstream,
        member: &Member,
        permit: OwnedSemaphorePermit,
        host: &str,
    ) -> Result<Carrier, ConnectError> {
        let two = upstream.cluster().protocol == Protocol::Http2;
        let one = entry(&mut self.lock(), &way, member).speaks_one;
        let _opening =
            (two || is_open(upstream.cluster()) && !one).then(|| Opening::begin(self, way.clone(), member));
        let socket = connect(way.1, upstream.security(), host).await?;
        if !two && !socket.agreed_on_two() {
            entry(&mut self.lock(), &way, member).speaks_one = true;
            let connection = Connection::new(socket, Arc::clone(&self.limits));
            return Ok(Carrier::One(Box::new(connection), permit));
        }
        let secure = socket.is_secure();
        let line = Arc::<Line>::default();
        let socket = socket.counting(Arc::clone(&line.heard));
        let sender = begin(socket, &self.limits, permit).await?;
        let idle_max = upstream.cluster().idle;
        let shared = entry(&mut self.lock(), &way, member).share(sender, line, secure, idle_max);
        let counted = shared.enter();
        Ok(Carrier::Two(shared, counted))
    }

    /// Takes a connection back after a whole exchange, unless something about it is odd. `kept_for`: how long the
    /// endpoint keeps it, if it says so.
    pub(crate) fn give_back(
        &self,
        upstream: &Upstream,
        member: &Member,
        host: &Authority,
        mut connection: Box<Connection>,
        hold: Hold,
        kept_for: Option<Duration>,
    ) {
        let Hold::One(permit) = hold else { return };
        if !connection.is_reusable() {
            return;
        }
        connection.begin();
        // The server is not to close it just as it is used.
        let safe = kept_for.map_or(Duration::MAX, |time| time.saturating_sub(MARGIN));
        let idle = upstream.cluster().idle.min(safe);
        entry(&mut self.lock(), &way(upstream, member, host), member).put(connection, permit, idle);
    }

    /// Closes connections that nobody has used for as long as their clusters keep them.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.lock().retain(|_, kept| kept.sweep(now));
    }

    /// Gives up connections for which other workers wait.
    pub(crate) fn let_go(&self) {
        self.lock().values_mut().for_each(Kept::let_go);
    }

    async fn take_kept(&self, way: &Way) -> Option<Carrier> {
        if let Some((shared, counted)) = self.take_shared(way).await {
            return Some(Carrier::Two(shared, counted));
        }
        self.take_idle(way)
    }

    fn take_idle(&self, way: &Way) -> Option<Carrier> {
        let Idle { connection, permit, .. } = self.lock().get_mut(way)?.take()?;
        Some(Carrier::One(connection, permit))
    }

    async fn take_shared(&self, way: &Way) -> Option<(Shared, Counted)> {
        // Bound: each turn takes a dead one away.
        loop {
            let mut shared = self.lock().get_mut(way)?.sharing()?;
            let counted = shared.enter();
            if poll_fn(|cx| shared.sender.poll_ready(cx)).await.is_ok() {
                return Some((shared, counted));
            }
            self.lock().get_mut(way)?.forget(&shared);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Way, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn call(&self) {
        self.0.send_replace(());
    }

    /// What is told of each call from now on.
    pub(crate) fn heard(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

fn entry<'k>(kept: &'k mut HashMap<Way, Kept>, way: &Way, member: &Member) -> &'k mut Kept {
    kept.entry(way.clone()).or_insert_with(|| Kept::new(Arc::clone(&member.room)))
}

/// Whether an endpoint chooses between HTTP/1 and HTTP/2 as a connection is made.
fn is_open(cluster: &Cluster) -> bool {
    cluster.tls.is_some() && cluster.protocol == Protocol::Auto
}

fn way(upstream: &Upstream, member: &Member, host: &Authority) -> Way {
    let by_host = upstream.security().is_some_and(Security::goes_by_host);
    (upstream.id(), member.address(), by_host.then(|| host.host().to_ascii_lowercase()))
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
        entry(&mut pool.lock(), way, member).waiting += 1;
        member.room.wanted.fetch_add(1, Ordering::Relaxed);
        Self { pool, way, member }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(kept) = self.pool.lock().get_mut(self.way) {
            kept.waiting -= 1;
        }
        self.member.room.wanted.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says that a connection of HTTP/2 is being made, until it is dropped.
struct Opening<'a> {
    pool: &'a Pool,
    way: Way,
}

impl<'a> Opening<'a> {
    fn begin(pool: &'a Pool, way: Way, member: &Member) -> Self {
        entry(&mut pool.lock(), &way, member).opening = true;
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
    /// that allows it (RFC 8441 §3).
    pub(crate) fn may_switch(&self) -> bool {
        match &self.carrier {
            Carrier::One(..) => true,
            Carrier::Two(shared, _) => shared.sender.is_extended_connect_protocol_enabled(),
        }
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
            Carrier::Two(mut shared, counted) => {
                let ended = request.body.is_empty() && request.upgrade.is_none();
                let head = stream_head(request, shared.secure).ok_or(ConnectError::Unfit)?;
                let (response, sending) =
                    shared.sender.send_request(head, ended).map_err(ConnectError::Handshake)?;
                let stream = Box::new(Stream::opened(sending, response, ended));
                Ok((Channel::Two(stream), Hold::Two(counted)))
            }
        }
    }
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
