//! What is told of a request when it has ended.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode, Version};

use crate::gate::Request;

/// One request, for the access log and the metrics.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who asked.
    pub peer: SocketAddr,
    /// The method; none when the head could not be read.
    pub method: Option<Method>,
    /// The host that was asked for.
    pub host: String,
    /// The path, without the query.
    pub path: String,
    /// What the client speaks.
    pub version: Version,
    /// The status that the client was told, or 499 when it went away.
    pub status: StatusCode,
    /// Whether the head of a response has been given to the client.
    pub(super) status_sent: bool,
    /// The registered name of the error, when the answer is our own or broke.
    pub error: Option<&'static str>,
    /// The cluster that was asked.
    pub cluster: String,
    /// The endpoint that was asked last.
    pub endpoint: Option<SocketAddr>,
    /// How often it was sent.
    pub attempts: u32,
    /// Bytes from the client and to it.
    pub bytes: (u64, u64),
    /// From the head to the end.
    pub took: Duration,
}

impl Account {
    /// Of a request that begins.
    pub(super) fn of(request: &Request, peer: SocketAddr) -> Self {
        Self {
            method: Some(request.method.clone()),
            host: request.authority.host().to_owned(),
            path: request.target.path().to_owned(),
            version: request.version,
            ..Self::unread(peer, StatusCode::INTERNAL_SERVER_ERROR)
        }
    }

    /// Of a request whose head could not be read.
    pub fn unread(peer: SocketAddr, status: StatusCode) -> Self {
        Self {
            peer,
            method: None,
            host: String::new(),
            path: String::new(),
            version: Version::HTTP_11,
            status,
            status_sent: false,
            error: None,
            cluster: String::new(),
            endpoint: None,
            attempts: 0,
            bytes: (0, 0),
            took: Duration::ZERO,
        }
    }
}
