//! One connection of HTTP/1, of a client or to an upstream.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::write::{self, Encoder};
use super::{Broken, Frame, Socket};
use crate::gate::{self, Asked, Body, Decoder, Fault, Limits, Reader, Request, Response, Step};

/// A connection with what has been read of it and what is still to be written.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    limits: Arc<Limits>,
    inbox: BytesMut,
    /// Whether the peer will send nothing more.
    closed: bool,
    reader: Reader,
    decoder: Decoder,
    outbox: BytesMut,
    encoder: Encoder,
    /// Whether the connection is to be shut down for writing once the outbox is empty.
    finish: bool,
    finished: bool,
    /// Bytes that were there when the message now being read began, that have come since, and that have gone.
    ahead: u64,
    received: u64,
    sent: u64,
}

/// Room for what is read at a time: of heads, and of bodies.
const HEAD_BYTES: usize = 4 << 10;
const BODY_BYTES: usize = 16 << 10;
/// Above this much unwritten, there is no room.
const OUTBOX_BYTES_MAX: usize = 64 << 10;
/// What a client may send ahead of its turn before it is no longer read.
const AHEAD_BYTES_MAX: usize = 16 << 10;

impl Connection {
    /// A connection on which nothing has been said.
    pub fn new(socket: Socket, limits: Arc<Limits>) -> Self {
        Self {
            socket,
            limits,
            inbox: BytesMut::new(),
            closed: false,
            reader: Reader::default(),
            decoder: Decoder::new(Body::Empty),
            outbox: BytesMut::new(),
            encoder: Encoder::Ended,
            finish: false,
            finished: false,
            ahead: 0,
            received: 0,
            sent: 0,
        }
    }

    /// The bytes below.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Gives the socket back; what was read of it and not used is read again.
    pub fn into_socket(self) -> Socket {
        self.socket.with_ahead(self.inbox.freeze())
    }

    /// Whether the client begins as one of HTTP/2 does (RFC 9113 §3.4).
    pub fn poll_preface(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Broken>> {
        const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        // Bound: each turn reads some bytes or returns.
        loop {
            let common = self.inbox.len().min(PREFACE.len());
            if common == PREFACE.len() || self.inbox[..common] != PREFACE[..common] || self.closed {
                return Poll::Ready(Ok(self.inbox.starts_with(PREFACE)));
            }
            ready!(self.poll_fill(cx))?;
        }
    }

    /// Bytes of the message being read that were taken in, and bytes that have gone since the last
    /// [`Connection::begin`].
    pub fn counted(&self) -> (u64, u64) {
        (self.ahead + self.received - self.inbox.len() as u64, self.sent)
    }

    /// Whether anything has come since the last [`Connection::begin`], be it a part of a head.
    pub fn has_heard(&self) -> bool {
        self.received > 0
    }

    /// Makes ready for the next message: the body of the one before is over.
    pub fn begin(&mut self) {
        (self.ahead, self.received, self.sent) = (self.inbox.len() as u64, 0, 0);
        self.reader = Reader::default();
        self.decoder = Decoder::new(Body::Empty);
        if self.inbox.is_empty() {
            self.inbox = BytesMut::new();
        }
        if self.outbox.is_empty() {
            self.outbox = BytesMut::new();
        }
    }

    /// Whether anything of the next message has come.
    pub fn has_begun(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether another message may be exchanged: all was read and written, and the peer sent nothing unasked.
    pub fn is_reusable(&mut self) -> bool {
        self.decoder.is_ended()
            && self.encoder == Encoder::Ended
            && self.outbox.is_empty()
            && self.inbox.is_empty()
            && !self.closed
            && !self.finish
            && self.socket.is_quiet()
    }

    /// Whether the body being read is at its end.
    pub fn has_read_all(&self) -> bool {
        self.decoder.is_ended()
    }

    /// Whether the body being written is at its end.
    pub fn has_written_all(&self) -> bool {
        self.encoder == Encoder::Ended
    }

    /// A whole head of a request; none when the client has closed between messages.
    pub fn poll_request(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Request>, Broken>> {
        // Bound: each turn reads some bytes or returns; the reader refuses more than a head's worth.
        loop {
            if let Some(head) = self.reader.request(&mut self.inbox, &self.limits)? {
                let request = gate::read_request(&head, self.socket.is_secure(), &self.limits)?;
                self.decoder = Decoder::new(request.body);
                return Poll::Ready(Ok(Some(request)));
            }
            if ready!(self.poll_fill(cx))? == 0 {
                let between = matches!(self.inbox[..], [] | [b'\r']);
                return Poll::Ready(if between { Ok(None) } else { Err(Broken::closed()) });
            }
        }
    }

    /// A whole head of a response to what was `asked`; others may follow an informational one.
    pub fn poll_response(&mut self, cx: &mut Context<'_>, asked: &Asked) -> Poll<Result<Response, Broken>> {
        // Bound: each turn reads some bytes or returns; the reader refuses more than a head's worth.
        loop {
            if let Some(head) = self.reader.response(&mut self.inbox, &self.limits)? {
                let response = gate::read_response(&head, asked, &self.limits)?;
                if !response.is_informational() {
                    self.decoder = Decoder::new(response.body);
                }
                return Poll::Ready(Ok(response));
            }
            if ready!(self.poll_fill(cx))? == 0 {
                return Poll::Ready(Err(Broken::closed()));
            }
        }
    }

    /// The next piece of the body being read.
    pub fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Broken>> {
        // Bound: each turn reads some bytes or returns.
        loop {
            match self.decoder.read(&mut self.inbox, self.closed, &self.limits)? {
                Step::Data(data) => return Poll::Ready(Ok(Frame::Data(data))),
                Step::End(trailers) => return Poll::Ready(Ok(Frame::End(trailers))),
                Step::More => {
                    ready!(self.poll_fill(cx))?;
                }
            }
        }
    }

    /// Ready when the peer has closed while it had nothing to say. What it says ahead of its turn is kept, up to
    /// a bound.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        // Bound: each turn reads some bytes, of which so many are taken, or returns.
        loop {
            if self.closed {
                return Poll::Ready(Broken::closed());
            }
            if self.inbox.len() >= AHEAD_BYTES_MAX {
                return Poll::Pending;
            }
            if let Err(broken) = ready!(self.poll_fill(cx)) {
                return Poll::Ready(broken);
            }
        }
    }

    /// Puts a request's head; its body follows.
    pub fn put_request(&mut self, request: &Request) {
        self.encoder = Encoder::of(request.body);
        write::request(&mut self.outbox, request);
        self.settle();
    }

    /// Puts a response's head. `body`: how it is said to come, or empty; `old`: whether the client speaks
    /// HTTP/1.0, to which a body of unknown length ends with the connection.
    pub fn put_response(
        &mut self,
        status: StatusCode,
        fields: &HeaderMap,
        body: Body,
        close: bool,
        old: bool,
    ) {
        self.encoder = match Encoder::of(body) {
            Encoder::Chunked if old => Encoder::Raw,
            encoder => encoder,
        };
        write::response(&mut self.outbox, status, fields, close, self.encoder);
        self.settle();
    }

    /// Puts the head of a response without a body whose length is told all the same: to HEAD, or 304.
    pub fn put_bare_response(
        &mut self,
        status: StatusCode,
        fields: &HeaderMap,
        length: Option<u64>,
        close: bool,
    ) {
        write::response(
            &mut self.outbox,
            status,
            fields,
            close,
            length.map_or(Encoder::Ended, Encoder::Sized),
        );
        self.encoder = Encoder::Ended;
    }

    /// Puts an informational response.
    pub fn put_interim(&mut self, status: StatusCode, fields: &HeaderMap) {
        write::interim(&mut self.outbox, status, fields, None);
    }

    /// Puts the response that ends HTTP on this connection.
    pub fn put_switch(&mut self, fields: &HeaderMap, upgrade: &[u8]) {
        write::interim(&mut self.outbox, StatusCode::SWITCHING_PROTOCOLS, fields, Some(upgrade));
    }

    /// From now on all that comes and goes is bytes, until the connection ends.
    pub fn tunnel(&mut self) {
        self.decoder = Decoder::new(Body::UntilClose);
        self.encoder = Encoder::Raw;
    }

    /// Puts a piece of the body being written. What is more than its length said is dropped: the gate on the
    /// other side has counted.
    pub fn put_data(&mut self, data: &[u8]) {
        match &mut self.encoder {
            Encoder::Ended => {}
            Encoder::Raw => self.outbox.extend_from_slice(data),
            Encoder::Chunked => write::chunk(&mut self.outbox, data),
            Encoder::Sized(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                *left -= take as u64;
                self.outbox.extend_from_slice(&data[..take]);
                self.settle();
            }
        }
    }

    /// Puts the end of the body being written.
    ///
    /// # Errors
    /// When the body is shorter than was said.
    pub fn put_end(&mut self, trailers: &HeaderMap) -> Result<(), Broken> {
        match self.encoder {
            Encoder::Ended => {}
            Encoder::Sized(_) => return Err(Broken::Fault(Fault::BodyShort)),
            Encoder::Raw => self.finish = true,
            Encoder::Chunked => write::last_chunk(&mut self.outbox, trailers),
        }
        self.encoder = Encoder::Ended;
        Ok(())
    }

    /// Ready when there is room for more.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.outbox.len() <= OUTBOX_BYTES_MAX { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    /// Ready when all that was put is written.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        while !self.outbox.is_empty() {
            let written =
                ready!(Pin::new(&mut self.socket).poll_write(cx, &self.outbox)).map_err(Broken::Gone)?;
            if written == 0 {
                return Poll::Ready(Err(Broken::Gone(io::ErrorKind::WriteZero.into())));
            }
            self.outbox.advance(written);
            self.sent += written as u64;
        }
        ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(Broken::Gone)?;
        if self.finish && !self.finished {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx)).map_err(Broken::Gone)?;
            self.finished = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more is written, and waits until the peer has closed too; what it still sends is dropped,
    /// up to a bound. A connection that is closed with bytes unread is reset, and the peer may lose what it was
    /// told last.
    pub fn poll_linger(&mut self, cx: &mut Context<'_>, bytes_max: u64) -> Poll<()> {
        self.finish = true;
        match self.poll_flush(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
        // Bound: each turn reads some bytes, of which so many are taken, or returns.
        while !self.closed && self.counted().0 < bytes_max {
            self.inbox.clear();
            if ready!(self.poll_fill(cx)).is_err() {
                break;
            }
        }
        Poll::Ready(())
    }

    /// Makes the connection end in a reset if the body that is being written has no other mark of its end.
    pub fn reset_if_unmarked(&self) {
        if self.encoder == Encoder::Raw {
            self.socket.end_in_reset();
        }
    }

    /// A body with a length of nothing, and its end.
    fn settle(&mut self) {
        if self.encoder == Encoder::Sized(0) {
            self.encoder = Encoder::Ended;
        }
    }

    /// Reads once; none when the peer has closed.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Broken>> {
        if self.closed {
            return Poll::Ready(Ok(0));
        }
        let read = if self.inbox.is_empty() && self.decoder.is_ended() {
            ready!(self.poll_head_bytes(cx))
        } else {
            ready!(self.poll_more_bytes(cx))
        }
        .map_err(Broken::Gone)?;
        self.closed = read == 0;
        self.received += read as u64;
        Poll::Ready(Ok(read))
    }

    /// Reads the first bytes of a head by way of the stack: most connections wait for them most of the time, and
    /// hold no buffer meanwhile.
    fn poll_head_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [MaybeUninit::uninit(); HEAD_BYTES];
        let mut buffer = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer))?;
        self.inbox.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_more_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.inbox.capacity() - self.inbox.len() < HEAD_BYTES / 4 {
            self.inbox.reserve(if self.decoder.is_ended() { HEAD_BYTES } else { BODY_BYTES });
        }
        pin!(self.socket.read_buf(&mut self.inbox)).poll(cx)
    }
}
