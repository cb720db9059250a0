//! What is told of a request when it has ended.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, Version};

use super::trace::TRACEPARENT;
use super::{Client, Failure, Order};
use crate::gate::{Authority, Fault, Request, Target};
use crate::plane::Local;
use crate::upstream::Upstream;

/// One request, for the access log and the metrics.
#[derive(Clone, Debug)]
pub struct Account {
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// Who asked, as far as we believe those who say so.
    pub client: IpAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// The method; none when the head could not be read.
    pub method: Option<Method>,
    /// The host that was asked for.
    pub authority: Option<Authority>,
    /// The path and query.
    pub target: Option<Target>,
    /// What the client speaks.
    pub version: Version,
    /// The name of the request.
    pub id: Option<HeaderValue>,
    pub(super) trace: Option<HeaderValue>,
    /// The status that the client was told, or 499 when it went away.
    pub status: StatusCode,
    /// Whether the head of a response has been given to the client.
    pub(super) status_sent: bool,
    /// The status of gRPC, when one was told.
    pub grpc_status: Option<HeaderValue>,
    /// The registered name of the error, when the answer is our own or broke.
    pub error: Option<&'static str>,
    /// What was wrong with the request, or with the response of an endpoint.
    pub detail: Option<Fault>,
    pub(super) local: Option<Arc<Local>>,
    pub(super) route: Option<usize>,
    /// The cluster that was asked.
    pub cluster: Option<Arc<Upstream>>,
    /// The endpoint that was asked last.
    pub endpoint: Option<SocketAddr>,
    /// How often it was sent.
    pub attempts: u32,
    /// Bytes from the client and to it.
    pub bytes: (u64, u64),
    /// From the head to the end.
    pub took: Duration,
    /// From the request's head to the response's, when an endpoint sent one.
    pub waited: Option<Duration>,
}

impl Account {
    /// Of a request that begins.
    pub(super) fn of(request: &Request, order: &Order, client: &Client) -> Self {
        Self {
            client: client.address_of(request),
            method: Some(request.method.clone()),
            authority: Some(request.authority.clone()),
            target: Some(request.target.clone()),
            trace: request.fields.get(TRACEPARENT).cloned(),
            local: Some(Arc::clone(&order.local)),
            route: order.route,
            ..Self::unread(client, request.version, StatusCode::INTERNAL_SERVER_ERROR)
        }
    }

    /// Of a request whose head could not be read: nobody knows for whom it was sent.
    pub(crate) fn unread(client: &Client, version: Version, status: StatusCode) -> Self {
        Self {
            peer: client.peer,
            client: client.peer.ip().to_canonical(),
            secure: client.secure,
            method: None,
            authority: None,
            target: None,
            version,
            id: None,
            trace: None,
            status,
            status_sent: false,
            grpc_status: None,
            error: None,
            detail: None,
            local: None,
            route: None,
            cluster: None,
            endpoint: None,
            attempts: 0,
            bytes: (0, 0),
            took: Duration::ZERO,
            waited: None,
        }
    }

    /// Notes why it has no response of an endpoint, or not all of it.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.error = Some(failure.proxy_error());
        self.detail = failure.fault();
    }

    /// The trace that it is part of, in hexadecimal digits.
    pub fn trace_id(&self) -> Option<&[u8]> {
        self.trace.as_ref()?.as_bytes().get(3..35)
    }

    /// The name of the route that took it.
    pub fn route(&self) -> Option<&str> {
        let plan = self.local.as_ref()?.force().plan();
        self.route.map(|route| plan.route(route).name.as_str())
    }
}
