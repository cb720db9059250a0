//! New connections to endpoints.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use h2::client::SendRequest;
use http::StatusCode;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::rustls;

use super::Security;
use crate::gate::Limits;
use crate::wire::Socket;

/// Why there is no connection to an endpoint. Nothing of the request was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The endpoint, or the network, refuses.
    #[error("the endpoint refuses connections")]
    Refused(#[source] io::Error),
    /// It was not made in time.
    #[error("the connection was not made in time")]
    Time,
    /// The endpoint does not speak HTTP/2, or not any more.
    #[error("the endpoint does not speak HTTP/2")]
    Handshake(#[source] h2::Error),
    /// It takes no streams now.
    #[error("the endpoint takes no requests")]
    NoStreams,
    /// We cannot make connections: there are no file descriptors or ports left, or there is no way to the network.
    #[error("no connection can be made here")]
    Ours(#[source] io::Error),
    /// TLS cannot be agreed on: the certificate is not believed, or is another's.
    #[error("the endpoint and we cannot agree on TLS")]
    Tls(#[source] io::Error),
    /// It cannot be agreed on for the host that the request asks for.
    #[error("the endpoint and we cannot agree on TLS for this host")]
    TlsForHost(#[source] io::Error),
    /// The request's host is no name that the certificate has, or that one could have.
    #[error("the host is no name of the endpoint's certificate")]
    Name,
    /// The request's target has a character that HTTP/2 does not carry.
    #[error("the target has a character that cannot be sent to the endpoint")]
    Unfit,
    /// None of those that there may be became free in time.
    #[error("no connection to the endpoint became free in time")]
    Wait,
    /// More requests than are allowed wait for one.
    #[error("too many requests wait for a connection")]
    Pending,
}

impl ConnectError {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            ConnectError::Refused(_)
            | ConnectError::Handshake(_)
            | ConnectError::Tls(_)
            | ConnectError::TlsForHost(_)
            | ConnectError::Name => StatusCode::BAD_GATEWAY,
            ConnectError::Time => StatusCode::GATEWAY_TIMEOUT,
            ConnectError::NoStreams | ConnectError::Ours(_) | ConnectError::Wait | ConnectError::Pending => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ConnectError::Unfit => StatusCode::BAD_REQUEST,
        }
    }

    /// The registered name of the error in `Proxy-Status` (RFC 9209 §2.3).
    pub fn proxy_error(&self) -> &'static str {
        match self {
            ConnectError::Refused(_) => "connection_refused",
            ConnectError::Time => "connection_timeout",
            ConnectError::Handshake(_) => "http_protocol_error",
            ConnectError::NoStreams => "destination_unavailable",
            ConnectError::Ours(_) => "proxy_internal_error",
            ConnectError::Tls(_) | ConnectError::TlsForHost(_) | ConnectError::Name => {
                "tls_certificate_error"
            }
            ConnectError::Wait | ConnectError::Pending => "connection_limit_reached",
            ConnectError::Unfit => "http_request_error",
        }
    }

    /// Whether it was the endpoint's fault, and not ours or that of what the client asks for.
    pub(crate) fn speaks_against_the_endpoint(&self) -> bool {
        match self {
            ConnectError::Refused(_)
            | ConnectError::Time
            | ConnectError::Handshake(_)
            | ConnectError::NoStreams
            | ConnectError::Tls(_) => true,
            ConnectError::Ours(_)
            | ConnectError::TlsForHost(_)
            | ConnectError::Name
            | ConnectError::Wait
            | ConnectError::Pending
            | ConnectError::Unfit => false,
        }
    }

    /// Whether it may be otherwise at another endpoint.
    pub(crate) fn may_be_better_elsewhere(&self) -> bool {
        match self {
            ConnectError::Refused(_)
            | ConnectError::Time
            | ConnectError::Handshake(_)
            | ConnectError::NoStreams
            | ConnectError::Tls(_)
            | ConnectError::TlsForHost(_)
            | ConnectError::Wait => true,
            ConnectError::Ours(_) | ConnectError::Name | ConnectError::Pending | ConnectError::Unfit => false,
        }
    }
}

/// Makes a connection for requests of a host.
pub(crate) async fn connect(
    endpoint: SocketAddr,
    security: Option<&Security>,
    host: &str,
) -> Result<Socket, ConnectError> {
    let stream = TcpStream::connect(endpoint).await.map_err(of_connect)?;
    // Small writes leave at once; a failure only costs time.
    let _ = stream.set_nodelay(true);
    let Some(security) = security else { return Ok(Socket::plain(stream)) };
    let name = security.name_for(host).ok_or(ConnectError::Name)?;
    let connected = security.connector().connect(name, stream).await;
    let stream = connected.map_err(|error| {
        if !security.goes_by_host() {
            ConnectError::Tls(error)
        } else if is_of_another(&error) {
            ConnectError::Name
        } else {
            // A server may do anything when it is asked for a name that it does not have.
            ConnectError::TlsForHost(error)
        }
    })?;
    Ok(Socket::tls(stream.into()))
}

/// Whose fault it is that there is no connection.
fn of_connect(error: io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::TimedOut => ConnectError::Refused(error),
        _ => {
            tracing::error!(%error, "no connection to an endpoint can be made here");
            ConnectError::Ours(error)
        }
    }
}

/// Whether a certificate is that of another host.
fn is_of_another(error: &io::Error) -> bool {
    use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
    let error = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    matches!(error, Some(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })))
}

/// What an endpoint may send ahead on one stream, and on all of a connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 2 << 20;
/// How many streams there may be as long as the endpoint has not said so; it cannot say this.
const UNSAID: usize = 1 << 32;

/// Begins HTTP/2 on a connection, and waits until the endpoint has said how many streams it takes. A task of its own
/// reads and writes the connection until it ends, and lets go then of what is `held` for it.
pub(crate) async fn begin(
    socket: Socket,
    limits: &Limits,
    held: impl Send + 'static,
) -> Result<SendRequest<Bytes>, ConnectError> {
    let (sender, connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_max_send_streams(UNSAID)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .handshake(socket)
        .await
        .map_err(ConnectError::Handshake)?;
    let (settled, told) = oneshot::channel();
    tokio::spawn(carry(connection, sender.clone(), settled, held));
    let ended = |_| Err(h2::Error::from(h2::Reason::PROTOCOL_ERROR));
    told.await.unwrap_or_else(ended).map_err(ConnectError::Handshake)?;
    if sender.current_max_send_streams() == 0 {
        return Err(ConnectError::NoStreams);
    }
    Ok(sender)
}

/// Reads and writes a connection until it ends, and tells once how many streams it may have, or that it has failed
/// before that was said.
async fn carry(
    mut connection: h2::client::Connection<Socket>,
    sender: SendRequest<Bytes>,
    settled: oneshot::Sender<Result<(), h2::Error>>,
    held: impl Send,
) {
    let mut waiting = Some((sender, settled));
    let ended = poll_fn(|cx| {
        let polled = Pin::new(&mut connection).poll(cx);
        if let Some((sender, mut settled)) = waiting.take()
            // Where nobody waits any more the connection is not kept open.
            && settled.poll_closed(cx).is_pending()
        {
            if sender.current_max_send_streams() == UNSAID {
                waiting = Some((sender, settled));
            } else {
                let _ = settled.send(Ok(()));
            }
        }
        polled
    })
    .await;
    // Later its end is seen by all streams that are on it.
    if let (Some((_, settled)), Err(error)) = (waiting, ended) {
        let _ = settled.send(Err(error));
    }
    drop(held);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_not_to_blame_for_what_is_lacking_here() {
        use io::ErrorKind::{
            AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, Other, TimedOut,
        };
        for (kind, blamed) in [
            (ConnectionRefused, true),
            (HostUnreachable, true),
            (TimedOut, true),
            (AddrNotAvailable, false),
            (NetworkUnreachable, false),
            // No file descriptors are left.
            (Other, false),
        ] {
            let error = of_connect(kind.into());
            assert_eq!(error.speaks_against_the_endpoint(), blamed, "{kind}");
            assert_eq!(error.may_be_better_elsewhere(), blamed, "{kind}");
        }
    }
}
