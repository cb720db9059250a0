//! Requests of our own that ask endpoints whether they are well.

use std::collections::HashMap;
use std::error::Error;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Version};
use tokio::task::JoinSet;

use crate::chance::Dice;
use crate::gate::{Asked, Authority, Body, Limits, Request, Target};
use crate::health::{Checks, Verdict};
use crate::model::{Health, Protocol};
use crate::plane::Plane;
use crate::upstream::{Upstream, begin, connect, stream_head};
use crate::wire::{Connection, Socket};

/// New endpoints are found at least as often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Checks a cluster's endpoints, each at its own times.
pub(super) async fn check(plane: Arc<Plane>, upstream: Arc<Upstream>, health: Health) {
    let mut dice = Dice::seeded(RandomState::new().hash_one(&health.path));
    let mut checks: HashMap<SocketAddr, Checks> = HashMap::new();
    let mut asking = JoinSet::new();
    let mut asked: Vec<SocketAddr> = Vec::new();
    // Bound: until the cluster is gone.
    loop {
        let now = plane.now();
        let endpoints: Vec<SocketAddr> =
            upstream.endpoints().iter().map(|endpoint| endpoint.address).collect();
        checks.retain(|address, _| endpoints.contains(address));
        let mut next = LOOK_EVERY;
        for address in endpoints {
            let check = checks.entry(address).or_insert_with(|| Checks::new(&health, now, &mut dice));
            if asked.contains(&address) {
                continue;
            }
            if check.due() > now {
                next = next.min(check.due().since(now));
                continue;
            }
            asked.push(address);
            let (upstream, health) = (Arc::clone(&upstream), health.clone());
            asking.spawn(async move {
                let answered = tokio::time::timeout(health.timeout, ask(&upstream, &health, address)).await;
                (address, answered.unwrap_or_else(|_| Err("no answer came in time".to_owned())))
            });
        }
        tokio::select! {
            Some(told) = asking.join_next() => {
                let Ok((address, answered)) = told else { continue };
                asked.retain(|other| *other != address);
                let Some(check) = checks.get_mut(&address) else { continue };
                if check.record(&health, answered.is_ok(), plane.now(), &mut dice) {
                    let failing = check.verdict() == Verdict::Bad;
                    let cluster = upstream.cluster().name.as_str();
                    if let Err(reason) = answered {
                        tracing::warn!(cluster, endpoint = %address, reason, "an endpoint fails its checks");
                    } else {
                        tracing::info!(cluster, endpoint = %address, "an endpoint is well");
                    }
                    upstream.set_failing(address, failing);
                }
            }
            () = tokio::time::sleep(next) => {}
        }
    }
}

/// Asks an endpoint once; an error says what was wrong.
async fn ask(upstream: &Upstream, health: &Health, address: SocketAddr) -> Result<(), String> {
    let request = request(health, address).ok_or("the request cannot be made")?;
    let limits = Arc::new(Limits { underscores: true, ..Limits::default() });
    let socket = connect(address, upstream.security(), request.authority.host()).await.map_err(why)?;
    let two = upstream.cluster().protocol == Protocol::Http2 || socket.agreed_on_two();
    let status =
        if two { ask_two(socket, &limits, &request).await } else { ask_one(socket, limits, &request).await }?;
    if status.is_success() { Ok(()) } else { Err(format!("the answer is {}", status.as_u16())) }
}

async fn ask_two(socket: Socket, limits: &Limits, request: &Request) -> Result<StatusCode, String> {
    let secure = socket.is_secure();
    let mut sender = begin(socket, limits, ()).await.map_err(why)?;
    poll_fn(|cx| sender.poll_ready(cx)).await.map_err(why)?;
    let head = stream_head(request, secure).ok_or("the path cannot be sent over HTTP/2")?;
    let (response, _) = sender.send_request(head, true).map_err(why)?;
    Ok(response.await.map_err(why)?.status())
}

async fn ask_one(socket: Socket, limits: Arc<Limits>, request: &Request) -> Result<StatusCode, String> {
    let mut connection = Connection::new(socket, limits);
    connection.put_request(request);
    poll_fn(|cx| connection.poll_flush(cx)).await.map_err(why)?;
    let asked = Asked::default();
    // Bound: informational responses, within the time of the check.
    loop {
        let response = poll_fn(|cx| connection.poll_response(cx, &asked)).await.map_err(why)?;
        if !response.is_informational() {
            return Ok(response.status);
        }
    }
}

/// An error with all that it comes from.
fn why(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    // Bound: a chain of causes is short.
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn request(health: &Health, address: SocketAddr) -> Option<Request> {
    let host = health.host.clone().unwrap_or_else(|| address.to_string());
    let mut fields = HeaderMap::new();
    fields.insert(header::USER_AGENT, HeaderValue::from_static("coreto"));
    Some(Request {
        method: Method::GET,
        authority: Authority::read(Bytes::from(host)).ok()?,
        target: Target::read(Bytes::from(health.path.clone()), &Limits::default()).ok()?,
        fields,
        version: Version::HTTP_11,
        body: Body::Empty,
        keep_alive: false,
        expects: false,
        trailers: false,
        upgrade: None,
        protocol: None,
        claims: false,
        dropped: 0,
    })
}
