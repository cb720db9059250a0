//! Why a request has no response of an upstream.

use std::time::Duration;

use h2::Reason;
use http::{Method, StatusCode};

use crate::gate::Fault;
use crate::route::Refused;
use crate::upstream::ConnectError;
use crate::wire::Broken;

/// Why a request has no response of an upstream, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request is malformed.
    #[error("{0}")]
    Request(#[from] Fault),
    /// Another certificate than the one that the client was shown is for its host.
    #[error("this connection is for other hosts")]
    Misdirected,
    /// No route takes it.
    #[error("no route takes this request")]
    NoRoute,
    /// Its route is for other methods.
    #[error("the route takes other methods")]
    NoMethod(Vec<Method>),
    /// Its route does not take its path.
    #[error("{}", .0.message())]
    Path(Refused),
    /// It comes too soon after others; not before this time has passed.
    #[error("there are too many requests")]
    Limited(Duration),
    /// Its cluster has as many requests as it may.
    #[error("the cluster has as many requests as it may")]
    Overload,
    /// Its head did not come in time.
    #[error("the request's head did not come in time")]
    HeadTime,
    /// Its body did not go on in time.
    #[error("the request's body did not go on in time")]
    BodyTime,
    /// Its body is larger than the route allows.
    #[error("the request's body is larger than allowed")]
    BodyLarge,
    /// Its body is said to be base64 and is not.
    #[error("the request's body is not base64")]
    NotBase64,
    /// Its client has gone.
    #[error("the client has gone")]
    ClientGone(#[source] Broken),
    /// The request has been here before.
    #[error("the request has passed here before")]
    Loop,
    /// No endpoint is there to take it.
    #[error("no endpoint is available")]
    NoEndpoint,
    /// There is no connection to an endpoint.
    #[error("no connection to the endpoint")]
    Connect(#[from] ConnectError),
    /// The endpoint closed, or reset the stream, before its response began.
    #[error("the endpoint closed without a response")]
    Closed(#[source] Broken),
    /// The endpoint answered that it cannot.
    #[error("the endpoint answered {0}")]
    Status(StatusCode),
    /// The endpoint answered a call of gRPC with something else.
    #[error("the endpoint answered {0} and not in gRPC")]
    NotGrpc(StatusCode),
    /// What the endpoint sent is no response.
    #[error("the endpoint's response is malformed")]
    Response(#[source] Fault),
    /// The response ended before its end.
    #[error("the endpoint's response is not whole")]
    Incomplete(#[source] Broken),
    /// Its route does not switch to the protocol that it asks for.
    #[error("the route does not switch to this protocol")]
    Protocol,
    /// The endpoint did not switch to the protocol that was asked for.
    #[error("the endpoint did not switch protocols")]
    Upgrade,
    /// The endpoint speaks HTTP/2 and lets no stream switch protocols, or the request has a body before it.
    #[error("the endpoint lets no stream of HTTP/2 switch protocols")]
    NoUpgrade,
    /// What asks for a WebSocket does not say all that an answer is made of.
    #[error("the request for a WebSocket has no key")]
    NoKey,
    /// The response did not come in the time that the request had in all.
    #[error("the endpoint's response did not come in time")]
    TotalTime,
    /// The response did not come in the time of one try.
    #[error("the endpoint's response did not come in time for one try")]
    TryTime,
    /// The response did not go on in time.
    #[error("the endpoint's response did not go on in time")]
    IdleTime,
    /// The client did not read the response in time.
    #[error("the client did not read the response in time")]
    Unread,
    /// The time that a drain leaves for requests is over, or this program has failed at it.
    #[error("the request was cut off")]
    Cut,
}

impl Failure {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Request(fault) => fault.status(),
            Failure::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Failure::NoRoute => StatusCode::NOT_FOUND,
            Failure::NoMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Failure::Path(_) | Failure::NotBase64 | Failure::NoKey => StatusCode::BAD_REQUEST,
            Failure::Protocol => StatusCode::NOT_IMPLEMENTED,
            Failure::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            Failure::HeadTime | Failure::BodyTime | Failure::Unread => StatusCode::REQUEST_TIMEOUT,
            Failure::BodyLarge => StatusCode::PAYLOAD_TOO_LARGE,
            // Only for the log: there is nobody to be told.
            Failure::ClientGone(_) => StatusCode::from_u16(499).expect("it has three digits"),
            Failure::NoEndpoint | Failure::Overload | Failure::Cut => StatusCode::SERVICE_UNAVAILABLE,
            Failure::Connect(error) => error.status(),
            Failure::Status(status) => *status,
            Failure::Loop
            | Failure::Closed(_)
            | Failure::NotGrpc(_)
            | Failure::Response(_)
            | Failure::Incomplete(_)
            | Failure::Upgrade
            | Failure::NoUpgrade => StatusCode::BAD_GATEWAY,
            Failure::TotalTime | Failure::TryTime | Failure::IdleTime => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// What is wrong with the message that failed.
    pub(super) fn fault(&self) -> Option<Fault> {
        let (Failure::Request(fault) | Failure::Response(fault)) = self else { return None };
        Some(*fault)
    }

    /// The registered name of the error in `Proxy-Status` (RFC 9209 §2.3).
    pub fn proxy_error(&self) -> &'static str {
        match self {
            Failure::Request(_)
            | Failure::BodyLarge
            | Failure::NotBase64
            | Failure::NoKey
            | Failure::Misdirected
            | Failure::NoMethod(_)
            | Failure::Path(_)
            | Failure::Protocol
            | Failure::HeadTime
            | Failure::BodyTime
            | Failure::Unread
            | Failure::ClientGone(_) => "http_request_error",
            Failure::Limited(_) => "http_request_denied",
            Failure::Overload => "connection_limit_reached",
            Failure::NoRoute => "destination_not_found",
            Failure::Loop => "proxy_loop_detected",
            Failure::NoEndpoint | Failure::Status(_) => "destination_unavailable",
            Failure::Connect(error) => error.proxy_error(),
            Failure::Closed(_) => "connection_terminated",
            Failure::Response(_) | Failure::NotGrpc(_) => "http_protocol_error",
            Failure::Incomplete(_) | Failure::Cut => "http_response_incomplete",
            Failure::Upgrade | Failure::NoUpgrade => "http_upgrade_failed",
            Failure::TotalTime | Failure::TryTime | Failure::IdleTime => "http_response_timeout",
        }
    }

    /// The status of gRPC.
    pub fn grpc_status(&self) -> u8 {
        match self {
            Failure::Request(_)
            | Failure::NotBase64
            | Failure::NoKey
            | Failure::Path(_)
            | Failure::Response(_)
            | Failure::Upgrade
            | Failure::NoUpgrade => INTERNAL,
            Failure::Incomplete(broken) => of_reset(broken.reason()).unwrap_or(INTERNAL),
            Failure::Closed(broken) => of_reset(broken.reason()).unwrap_or(UNAVAILABLE),
            Failure::NotGrpc(status) => of_http(*status),
            Failure::Misdirected | Failure::NoRoute | Failure::NoMethod(_) | Failure::Protocol => {
                UNIMPLEMENTED
            }
            Failure::BodyLarge
            | Failure::Limited(_)
            | Failure::Overload
            | Failure::Connect(ConnectError::Pending) => RESOURCE_EXHAUSTED,
            Failure::HeadTime
            | Failure::BodyTime
            | Failure::Unread
            | Failure::TotalTime
            | Failure::TryTime
            | Failure::IdleTime => DEADLINE_EXCEEDED,
            Failure::ClientGone(_)
            | Failure::Loop
            | Failure::NoEndpoint
            | Failure::Connect(_)
            | Failure::Status(_)
            | Failure::Cut => UNAVAILABLE,
        }
    }

    /// By what a stream is reset that cannot be ended. What would be taken for no failure, or for a request that
    /// nobody has begun with, is told as a failure of ours.
    pub(crate) fn reset(&self) -> Reason {
        match self {
            Failure::Incomplete(broken) => broken.reason(),
            _ => None,
        }
        .filter(|reason| ![Reason::NO_ERROR, Reason::REFUSED_STREAM].contains(reason))
        .unwrap_or(Reason::INTERNAL_ERROR)
    }

    /// Whether it is of the client's side, so that nobody knows where the next request on its connection would begin.
    pub fn is_of_client(&self) -> bool {
        matches!(
            self,
            Failure::Request(_)
                | Failure::HeadTime
                | Failure::BodyTime
                | Failure::Unread
                | Failure::BodyLarge
                | Failure::NotBase64
                | Failure::ClientGone(_)
        )
    }
}

const CANCELLED: u8 = 1;
const UNKNOWN: u8 = 2;
const DEADLINE_EXCEEDED: u8 = 4;
const PERMISSION_DENIED: u8 = 7;
const RESOURCE_EXHAUSTED: u8 = 8;
const UNIMPLEMENTED: u8 = 12;
const INTERNAL: u8 = 13;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;

/// The status of a call whose stream was reset, as gRPC over HTTP/2 has it.
fn of_reset(reason: Option<Reason>) -> Option<u8> {
    Some(match reason? {
        Reason::REFUSED_STREAM => UNAVAILABLE,
        Reason::CANCEL => CANCELLED,
        Reason::ENHANCE_YOUR_CALM => RESOURCE_EXHAUSTED,
        Reason::INADEQUATE_SECURITY => PERMISSION_DENIED,
        _ => INTERNAL,
    })
}

/// The status of a call that was answered in HTTP alone, as gRPC has it.
fn of_http(status: StatusCode) -> u8 {
    match status.as_u16() {
        400 | 431 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}
