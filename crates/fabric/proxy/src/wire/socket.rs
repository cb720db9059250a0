//! A TCP connection, plain or with TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// A connection's bytes.
#[derive(Debug)]
pub struct Socket {
    carrier: Carrier,
    /// What was read before and is to be read again.
    ahead: Bytes,
}

#[derive(Debug)]
enum Carrier {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// Bytes as they are.
    pub fn plain(stream: TcpStream) -> Self {
        Self { carrier: Carrier::Plain(stream), ahead: Bytes::new() }
    }

    /// Bytes encrypted, by either side of a handshake.
    pub fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self { carrier: Carrier::Tls(Box::new(stream)), ahead: Bytes::new() }
    }

    /// The socket, with bytes that were read of it and are to be read again.
    #[must_use]
    pub fn with_ahead(self, ahead: Bytes) -> Self {
        Self { ahead, ..self }
    }

    /// Whether the bytes are encrypted.
    pub fn is_secure(&self) -> bool {
        matches!(self.carrier, Carrier::Tls(_))
    }

    /// Whether both sides have agreed on HTTP/2.
    pub fn agreed_on_two(&self) -> bool {
        match &self.carrier {
            Carrier::Plain(_) => false,
            Carrier::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    /// Makes the connection end in a reset, not in an orderly close.
    pub(super) fn end_in_reset(&self) {
        let stream = match &self.carrier {
            Carrier::Plain(stream) => stream,
            Carrier::Tls(stream) => stream.get_ref().0,
        };
        // Where that cannot be had the connection ends all the same.
        let _ = stream.set_zero_linger();
    }

    /// Whether the peer has sent nothing and the connection is open, as far as can be told without waiting.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        Pin::new(self).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer).is_pending()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        if !socket.ahead.is_empty() {
            let take = socket.ahead.len().min(buffer.remaining());
            buffer.put_slice(&socket.ahead.split_to(take));
            return Poll::Ready(Ok(()));
        }
        match &mut socket.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Carrier::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Carrier::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Carrier::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Carrier::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
