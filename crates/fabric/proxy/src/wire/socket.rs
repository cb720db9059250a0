//! A TCP connection, plain or with TLS.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use super::guard::{Guard, Watched};

/// A connection's bytes.
#[derive(Debug)]
pub struct Socket {
    carrier: Carrier,
    /// What was read before and is to be read again.
    ahead: Bytes,
    /// Looks at what is read, on connections of HTTP/2 of clients.
    guard: Option<Box<Guard>>,
    /// Counts what is read, on connections of HTTP/2 to endpoints.
    heard: Option<Arc<AtomicU64>>,
    /// Bytes that were read only to be dropped.
    dropped: usize,
}

/// What is dropped at a time, and in all.
const DROPPED_BYTES: usize = 4 << 10;
const DROPPED_BYTES_MAX: usize = 4 << 20;

#[derive(Debug)]
enum Carrier {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// Bytes as they are.
    pub fn plain(stream: TcpStream) -> Self {
        Self::over(Carrier::Plain(stream))
    }

    /// Bytes encrypted, by either side of a handshake.
    pub fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self::over(Carrier::Tls(Box::new(stream)))
    }

    fn over(carrier: Carrier) -> Self {
        Self { carrier, ahead: Bytes::new(), guard: None, heard: None, dropped: 0 }
    }

    /// The same, which counts there how many bytes have come.
    #[must_use]
    pub fn counting(self, heard: Arc<AtomicU64>) -> Self {
        Self { heard: Some(heard), ..self }
    }

    /// The socket, with bytes that were read of it and are to be read again.
    #[must_use]
    pub fn with_ahead(self, ahead: Bytes) -> Self {
        Self { ahead, ..self }
    }

    /// The socket of a client that speaks HTTP/2, from its first words on: frames that carry nothing are counted, and
    /// nothing more is read once there are too many.
    #[must_use]
    pub fn guarded(self) -> (Self, Watched) {
        let (guard, watched) = Guard::new();
        (Self { guard: Some(Box::new(guard)), ..self }, watched)
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

    fn poll_carrier(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let take = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(take));
            return Poll::Ready(Ok(()));
        }
        match &mut self.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Carrier::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }

    /// Reads what the peer still sends and drops it, up to a bound: a connection that is closed with bytes unread is
    /// reset, and the peer may lose what it was told last.
    fn poll_drop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut piece = [0; DROPPED_BYTES];
        // Bound: each turn takes some of the bytes that may be dropped, or returns.
        while self.dropped < DROPPED_BYTES_MAX {
            let mut buffer = ReadBuf::new(&mut piece);
            if ready!(self.poll_carrier(cx, &mut buffer)).is_err() || buffer.filled().is_empty() {
                break;
            }
            self.dropped += buffer.filled().len();
        }
        Poll::Ready(())
    }

    /// Whether the peer has sent nothing and the connection is open, as far as can be told without waiting.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        let read = poll_fn(|cx| Pin::new(&mut *self).poll_read(cx, &mut buffer));
        // A task that has done much already would be told to wait, whatever the socket has.
        let read = pin!(tokio::task::unconstrained(read));
        read.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        let before = buffer.filled().len();
        if socket.guard.as_ref().is_some_and(|guard| guard.is_flooded()) {
            return Poll::Pending;
        }
        let read = socket.poll_carrier(cx, buffer);
        if let Some(guard) = &mut socket.guard {
            guard.look(&buffer.filled()[before..]);
            if guard.is_flooded() || guard.begins_to_wait() {
                // Who owns the connection looks at it, and ends it or waits no longer than it may.
                cx.waker().wake_by_ref();
            }
        }
        if let Some(heard) = &socket.heard {
            heard.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        let written = ready!(match &mut socket.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Carrier::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        });
        if let (Some(guard), Ok(written)) = (&mut socket.guard, &written) {
            guard.sent(*written);
        }
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Carrier::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        ready!(match &mut socket.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Carrier::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        })?;
        if socket.guard.as_ref().is_some_and(|guard| guard.is_flooded()) {
            ready!(socket.poll_drop(cx));
        }
        Poll::Ready(Ok(()))
    }
}
