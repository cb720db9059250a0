//! Connections that are kept between requests.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::header::{self, HeaderValue};

use super::ConnectError;
use super::connect::{begin, connect};
use crate::forward::Cluster;
use crate::gate::{Body, Limits, Request};
use crate::model::Protocol;
use crate::wire::{Channel, Connection, Stream};

/// The connections of one worker. The lock is never contended: only that worker's tasks take it.
#[derive(Debug)]
pub struct Pool {
    limits: Arc<Limits>,
    kept: Mutex<HashMap<Place, Kept>>,
}

/// A cluster by number, and an endpoint.
type Place = (usize, SocketAddr);

#[derive(Debug, Default)]
struct Kept {
    /// Connections of HTTP/1 with the time since which they are idle, that of the latest last.
    idle: Vec<(Box<Connection>, Instant)>,
    shared: Vec<Shared>,
}

/// A connection of HTTP/2.
#[derive(Clone, Debug)]
struct Shared {
    sender: SendRequest<Bytes>,
    streams: Arc<AtomicUsize>,
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
    place: Place,
    carrier: Carrier,
    reused: bool,
}

#[derive(Debug)]
enum Carrier {
    One(Box<Connection>),
    Two(Shared),
}

/// A stream of a shared connection is counted until this is dropped.
#[derive(Debug)]
pub struct Counted(Arc<AtomicUsize>);

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
    pub async fn lease(&self, cluster: &Cluster, endpoint: SocketAddr) -> Result<Lease, ConnectError> {
        let place = (cluster.number, endpoint);
        let kept = match cluster.protocol {
            Protocol::Auto | Protocol::Http1 => self.take_idle(place, cluster).map(Carrier::One),
            Protocol::Http2 => self.take_shared(place).await.map(Carrier::Two),
        };
        if let Some(carrier) = kept {
            return Ok(Lease { place, carrier, reused: true });
        }
        let socket = connect(endpoint, cluster.connect).await?;
        let carrier = match cluster.protocol {
            Protocol::Auto | Protocol::Http1 => {
                Carrier::One(Box::new(Connection::new(socket, Arc::clone(&self.limits))))
            }
            Protocol::Http2 => {
                let sender = tokio::time::timeout(cluster.connect, begin(socket, &self.limits))
                    .await
                    .map_err(|_| ConnectError::Time)??;
                let shared = Shared { sender, streams: Arc::default(), idle_since: None };
                self.lock().entry(place).or_default().shared.push(shared.clone());
                Carrier::Two(shared)
            }
        };
        Ok(Lease { place, carrier, reused: false })
    }

    /// Takes a connection back after a whole exchange, unless something about it is odd.
    pub fn give_back(&self, place: Place, mut connection: Box<Connection>) {
        if !connection.is_reusable() {
            return;
        }
        connection.begin();
        let mut kept = self.lock();
        let idle = &mut kept.entry(place).or_default().idle;
        if idle.len() < IDLE_MAX {
            idle.push((connection, Instant::now()));
        }
    }

    /// Closes connections that nobody has used for this long.
    pub fn sweep(&self, idle: Duration) {
        let now = Instant::now();
        let is_recent = |since: Instant| now.duration_since(since) < idle;
        self.lock().retain(|_, kept| {
            kept.idle.retain(|(_, since)| is_recent(*since));
            kept.shared.retain_mut(|shared| {
                let unused = shared.streams.load(Ordering::Relaxed) == 0;
                shared.idle_since = unused.then(|| shared.idle_since.unwrap_or(now));
                shared.idle_since.is_none_or(is_recent)
            });
            !kept.idle.is_empty() || !kept.shared.is_empty()
        });
    }

    fn take_idle(&self, place: Place, cluster: &Cluster) -> Option<Box<Connection>> {
        let mut kept = self.lock();
        let idle = &mut kept.get_mut(&place)?.idle;
        // Bound: each turn takes one away.
        while let Some((mut connection, since)) = idle.pop() {
            if since.elapsed() < cluster.idle && connection.is_reusable() {
                return Some(connection);
            }
        }
        None
    }

    async fn take_shared(&self, place: Place) -> Option<Shared> {
        // Bound: each turn takes a dead one away.
        loop {
            let mut shared = {
                let mut kept = self.lock();
                let free = |shared: &&mut Shared| shared.streams.load(Ordering::Relaxed) < STREAMS_MAX;
                let shared = kept.get_mut(&place)?.shared.iter_mut().find(free)?;
                shared.idle_since = None;
                shared.clone()
            };
            if poll_fn(|cx| shared.sender.poll_ready(cx)).await.is_ok() {
                return Some(shared);
            }
            if let Some(kept) = self.lock().get_mut(&place) {
                kept.shared.retain(|other| !Arc::ptr_eq(&other.streams, &shared.streams));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Whether the connection has carried a request before.
    pub fn is_reused(&self) -> bool {
        self.reused
    }

    /// Where the connection leads, for [`Pool::give_back`].
    pub fn place(&self) -> (usize, SocketAddr) {
        self.place
    }

    /// Sends a request's head; its body is put into the channel.
    ///
    /// # Errors
    /// When the connection takes no more requests. Nothing was sent.
    pub fn begin(self, request: &Request) -> Result<(Channel, Option<Counted>), ConnectError> {
        match self.carrier {
            Carrier::One(mut connection) => {
                connection.put_request(request);
                Ok((Channel::One(connection), None))
            }
            Carrier::Two(mut shared) => {
                let ended = request.body.is_empty();
                let head = stream_head(request).ok_or_else(|| ConnectError::Handshake(unfit()))?;
                let (response, sending) =
                    shared.sender.send_request(head, ended).map_err(ConnectError::Handshake)?;
                shared.streams.fetch_add(1, Ordering::Relaxed);
                let stream = Box::new(Stream::opened(sending, response, ended));
                Ok((Channel::Two(stream), Some(Counted(shared.streams))))
            }
        }
    }
}

fn unfit() -> h2::Error {
    h2::Reason::PROTOCOL_ERROR.into()
}

/// A request's head as HTTP/2 has it; none when the path has characters that the library takes for none of a path.
fn stream_head(request: &Request) -> Option<http::Request<()>> {
    let uri = http::Uri::builder()
        .scheme("http")
        .authority(request.authority.as_str())
        .path_and_query(request.target.as_str())
        .build()
        .ok()?;
    let mut head = http::Request::new(());
    *head.method_mut() = request.method.clone();
    *head.uri_mut() = uri;
    *head.version_mut() = http::Version::HTTP_2;
    let mut fields = request.fields.clone();
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
