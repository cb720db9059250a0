//! One stream of HTTP/2, of a client or to an upstream.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;

use super::{Broken, Frame};
use crate::gate::{self, Asked, Response};

/// A stream with what is still to be sent of its body.
#[derive(Debug)]
pub struct Stream {
    received: Option<RecvStream>,
    sending: Option<SendStream<Bytes>>,
    /// On the server's side, until the response's head is sent.
    respond: Option<SendResponse<Bytes>>,
    /// On the client's side, until the response's head has come.
    response: Option<ResponseFuture>,
    waiting: Bytes,
    /// The end, once it is put: it is sent behind what waits.
    end: Option<HeaderMap>,
    read_all: bool,
    counted: (u64, u64),
}

impl Stream {
    /// A stream that a client has opened.
    pub fn accepted(received: RecvStream, respond: SendResponse<Bytes>) -> Self {
        let read_all = received.is_end_stream();
        Self { received: Some(received), respond: Some(respond), read_all, ..Self::empty() }
    }

    /// A stream that was opened to an upstream. `ended`: whether its request has no body.
    pub fn opened(sending: SendStream<Bytes>, response: ResponseFuture, ended: bool) -> Self {
        let sending = (!ended).then_some(sending);
        Self { sending, response: Some(response), ..Self::empty() }
    }

    fn empty() -> Self {
        Self {
            received: None,
            sending: None,
            respond: None,
            response: None,
            waiting: Bytes::new(),
            end: None,
            read_all: false,
            counted: (0, 0),
        }
    }

    /// Bytes of the bodies that have come and gone.
    pub fn counted(&self) -> (u64, u64) {
        self.counted
    }

    /// Whether the body being read is at its end.
    pub fn has_read_all(&self) -> bool {
        self.read_all
    }

    /// The head of the response to what was `asked`; others may follow an informational one.
    pub fn poll_response(&mut self, cx: &mut Context<'_>, asked: &Asked) -> Poll<Result<Response, Broken>> {
        let Some(response) = &mut self.response else { return Poll::Ready(Err(Broken::closed())) };
        if let Poll::Ready(Some(interim)) = response.poll_informational(cx) {
            let (parts, ()) = interim.map_err(Broken::Stream)?.into_parts();
            return Poll::Ready(Ok(gate::stream_response(parts, asked, true)?));
        }
        let (parts, body) =
            ready!(std::pin::Pin::new(response).poll(cx)).map_err(Broken::Stream)?.into_parts();
        self.response = None;
        self.read_all = body.is_end_stream();
        let response = gate::stream_response(parts, asked, self.read_all)?;
        self.received = Some(body);
        Poll::Ready(Ok(response))
    }

    /// The next piece of the body being read.
    pub fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Broken>> {
        let Some(received) = &mut self.received else { return Poll::Ready(Ok(Frame::End(HeaderMap::new()))) };
        // Bound: an empty frame is passed over, and the library bounds how many come.
        while let Some(data) = ready!(received.poll_data(cx)) {
            let data = data.map_err(Broken::Stream)?;
            // It is asked for only when there is room for it, so the sender may send as much again.
            received.flow_control().release_capacity(data.len()).map_err(Broken::Stream)?;
            if !data.is_empty() {
                self.counted.0 += data.len() as u64;
                return Poll::Ready(Ok(Frame::Data(data)));
            }
        }
        let trailers = ready!(received.poll_trailers(cx)).map_err(Broken::Stream)?;
        self.read_all = true;
        Poll::Ready(Ok(Frame::End(gate::trailers(trailers.unwrap_or_default()))))
    }

    /// Ready when the peer has given the stream up.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        let reset = match (&mut self.respond, &mut self.sending) {
            (Some(respond), _) => respond.poll_reset(cx),
            (None, Some(sending)) => sending.poll_reset(cx),
            (None, None) => return Poll::Pending,
        };
        reset.map(|reset| match reset {
            Ok(reason) => Broken::Reset(reason),
            Err(error) => Broken::Stream(error),
        })
    }

    /// Sends an informational response.
    pub fn put_interim(&mut self, status: http::StatusCode, fields: &HeaderMap) {
        if let Some(respond) = &mut self.respond {
            let mut response = http::Response::new(());
            *response.status_mut() = status;
            fields.clone_into(response.headers_mut());
            // A stream that is gone is found so when its response is sent.
            let _ = respond.send_informational(response);
        }
    }

    /// Sends the response's head. `ended`: whether it has no body.
    ///
    /// # Errors
    /// When the stream is gone.
    pub fn put_response(&mut self, response: http::Response<()>, ended: bool) -> Result<(), Broken> {
        let Some(mut respond) = self.respond.take() else { return Err(Broken::closed()) };
        let sending = respond.send_response(response, ended).map_err(Broken::Stream)?;
        self.sending = (!ended).then_some(sending);
        Ok(())
    }

    /// Puts a piece of the body being written.
    pub fn put_data(&mut self, data: Bytes) {
        debug_assert!(self.waiting.is_empty(), "room was asked for first");
        self.waiting = data;
        if let Some(sending) = &mut self.sending {
            sending.reserve_capacity(self.waiting.len());
        }
    }

    /// Puts the end of the body being written.
    pub fn put_end(&mut self, trailers: HeaderMap) {
        self.end = Some(trailers);
    }

    /// Ready when all that was put is with the library, whose own buffer the peer's window bounds.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let Some(sending) = &mut self.sending else { return Poll::Ready(Ok(())) };
        while !self.waiting.is_empty() {
            let room = match ready!(sending.poll_capacity(cx)) {
                Some(room) => room.map_err(Broken::Stream)?,
                None => return Poll::Ready(Err(Broken::closed())),
            };
            let piece = self.waiting.split_to(room.min(self.waiting.len()));
            self.counted.1 += piece.len() as u64;
            sending.send_data(piece, false).map_err(Broken::Stream)?;
        }
        if let Some(trailers) = self.end.take() {
            let sent = if trailers.is_empty() {
                sending.send_data(Bytes::new(), true)
            } else {
                sending.send_trailers(trailers)
            };
            self.sending = None;
            sent.map_err(Broken::Stream)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Gives the stream up.
    pub fn abort(&mut self, reason: Reason) {
        if let Some(respond) = &mut self.respond {
            respond.send_reset(reason);
        }
        if let Some(sending) = &mut self.sending {
            sending.send_reset(reason);
        }
        // What the library finds dropped while it is open it resets itself.
        *self = Self::empty();
    }
}
