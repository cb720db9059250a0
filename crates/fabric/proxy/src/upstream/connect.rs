//! New connections to endpoints.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::StatusCode;
use tokio::net::TcpStream;

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
}

impl ConnectError {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            ConnectError::Refused(_) | ConnectError::Handshake(_) => StatusCode::BAD_GATEWAY,
            ConnectError::Time => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The registered name of the error in `Proxy-Status` (RFC 9209 §2.3).
    pub fn proxy_error(&self) -> &'static str {
        match self {
            ConnectError::Refused(_) => "connection_refused",
            ConnectError::Time => "connection_timeout",
            ConnectError::Handshake(_) => "http_protocol_error",
        }
    }
}

/// Makes a connection, within a time.
pub(super) async fn connect(endpoint: SocketAddr, within: Duration) -> Result<Socket, ConnectError> {
    let stream = tokio::time::timeout(within, TcpStream::connect(endpoint))
        .await
        .map_err(|_| ConnectError::Time)?
        .map_err(ConnectError::Refused)?;
    // Small writes leave at once; a failure only costs time.
    let _ = stream.set_nodelay(true);
    Ok(Socket::plain(stream))
}

/// What an endpoint may send ahead on one stream, and on all of a connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 2 << 20;

/// Begins HTTP/2 on a connection. A task of its own reads and writes it until it ends.
pub(super) async fn begin(socket: Socket, limits: &Limits) -> Result<SendRequest<Bytes>, ConnectError> {
    let (sender, connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .handshake(socket)
        .await
        .map_err(ConnectError::Handshake)?;
    tokio::spawn(async move {
        // Its end is seen by all streams that are on it.
        let _ = connection.await;
    });
    Ok(sender)
}
