//! New connections to endpoints.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::PingPong;
use h2::client::SendRequest;
use http::StatusCode;
use tokio::net::TcpStream;

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
    /// TLS cannot be agreed on: the certificate is not believed, or is another's.
    #[error("the endpoint and we cannot agree on TLS")]
    Tls(#[source] io::Error),
    /// The request's host is no name that a certificate could have.
    #[error("the host is no name that the endpoint's certificate could have")]
    Name,
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
            | ConnectError::Name => StatusCode::BAD_GATEWAY,
            ConnectError::Time => StatusCode::GATEWAY_TIMEOUT,
            ConnectError::Wait | ConnectError::Pending => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The registered name of the error in `Proxy-Status` (RFC 9209 §2.3).
    pub fn proxy_error(&self) -> &'static str {
        match self {
            ConnectError::Refused(_) => "connection_refused",
            ConnectError::Time => "connection_timeout",
            ConnectError::Handshake(_) => "http_protocol_error",
            ConnectError::Tls(_) | ConnectError::Name => "tls_certificate_error",
            ConnectError::Wait | ConnectError::Pending => "connection_limit_reached",
        }
    }
}

/// Makes a connection for requests of a host.
pub(crate) async fn connect(
    endpoint: SocketAddr,
    security: Option<&Security>,
    host: &str,
) -> Result<Socket, ConnectError> {
    let stream = TcpStream::connect(endpoint).await.map_err(ConnectError::Refused)?;
    // Small writes leave at once; a failure only costs time.
    let _ = stream.set_nodelay(true);
    let Some(security) = security else { return Ok(Socket::plain(stream)) };
    let name = security.name_for(host).ok_or(ConnectError::Name)?;
    let stream = security.connector().connect(name, stream).await.map_err(ConnectError::Tls)?;
    Ok(Socket::tls(stream.into()))
}

/// What an endpoint may send ahead on one stream, and on all of a connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 2 << 20;

/// Begins HTTP/2 on a connection, and gives what asks whether it is alive. A task of its own reads and writes it until
/// it ends, and lets go then of what is `held` for it.
pub(crate) async fn begin(
    socket: Socket,
    limits: &Limits,
    held: impl Send + 'static,
) -> Result<(SendRequest<Bytes>, PingPong), ConnectError> {
    let (sender, mut connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .handshake(socket)
        .await
        .map_err(ConnectError::Handshake)?;
    let pings = connection.ping_pong().expect("nobody else has taken it");
    tokio::spawn(async move {
        // Its end is seen by all streams that are on it.
        let _ = connection.await;
        drop(held);
    });
    Ok((sender, pings))
}
