//! A request's body on its way, kept for another try as long as it is small.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;

use super::Failure;
use super::pieces::Pieces;
use crate::base64;
use crate::wire::{Broken, Channel, Frame};

/// The body of one request, over all its tries.
#[derive(Debug)]
pub(super) struct Upload {
    kept: Pieces,
    kept_bytes: usize,
    /// None once more has passed than is kept: there is no other try then.
    kept_bytes_max: Option<usize>,
    end: Option<HeaderMap>,
    /// The piece that this try sends next.
    next: usize,
    /// Whether this try has sent the end.
    ended: bool,
    /// Whether it stands still because the client sends nothing.
    waits: bool,
    bytes: u64,
    bytes_max: Option<u64>,
    /// What reads it, when it comes as base64.
    decoder: Option<base64::Decoder>,
    /// All pieces, when a copy of the request is to be sent.
    copy: Option<Pieces>,
    /// What all requests together keep.
    kept_in_all: Arc<AtomicUsize>,
}

/// More is not kept for another try, over all requests.
const KEPT_IN_ALL_BYTES_MAX: usize = 32 << 20;

impl Upload {
    /// Of a body of which so much may be kept, and which may be so large.
    pub(super) fn new(kept_bytes_max: usize, bytes_max: Option<u64>, kept_in_all: &Arc<AtomicUsize>) -> Self {
        Self {
            kept: Pieces::default(),
            kept_bytes: 0,
            kept_bytes_max: Some(kept_bytes_max),
            end: None,
            next: 0,
            ended: false,
            waits: false,
            bytes: 0,
            bytes_max,
            decoder: None,
            copy: None,
            kept_in_all: Arc::clone(kept_in_all),
        }
    }

    /// Whether all of it can be sent once more.
    pub(super) fn can_restart(&self) -> bool {
        self.kept_bytes_max.is_some()
    }

    /// Begins another try.
    pub(super) fn restart(&mut self) {
        debug_assert!(self.can_restart(), "it was asked for first");
        self.kept.seal();
        (self.next, self.ended) = (0, false);
    }

    /// Forgets what is kept and sent: a response has begun, and there is no other try.
    pub(super) fn commit(&mut self) {
        self.kept_bytes_max = None;
        let left = self.kept.forget(self.next);
        self.next = 0;
        self.kept_in_all.fetch_sub(self.kept_bytes - left, Ordering::Relaxed);
        self.kept_bytes = left;
    }

    /// What comes is base64: what it stands for is sent.
    pub(super) fn decode(&mut self) {
        self.decoder = Some(base64::Decoder::default());
    }

    /// There is nothing to be sent.
    pub(super) fn end(&mut self) {
        self.end = Some(HeaderMap::new());
        self.ended = true;
    }

    /// Keeps a copy of what comes from now on.
    pub(super) fn copy(&mut self) {
        self.copy = Some(Pieces::default());
    }

    /// The copy, when all of the body has come.
    pub(super) fn take_copy(&mut self) -> Option<Vec<Bytes>> {
        self.end.as_ref()?;
        self.copy.take().map(Pieces::into_vec)
    }

    /// Whether this try has sent all of it.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether it stands still because the client sends nothing, and not because the endpoint takes nothing.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Moves pieces from the client to the endpoint, as there is room. Ready when all is written.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Channel,
        server: &mut Channel,
    ) -> Poll<Result<(), Stop>> {
        self.waits = false;
        // Bound: each turn moves a piece or returns.
        while !self.ended {
            ready!(server.poll_room(cx)).map_err(|_| Stop::Server)?;
            let frame = match self.poll_frame(cx, client) {
                Poll::Ready(frame) => frame?,
                Poll::Pending => {
                    self.waits = true;
                    let _ = server.poll_flush(cx).map_err(|_| Stop::Server)?;
                    return Poll::Pending;
                }
            };
            match frame {
                Frame::Data(data) => server.put_data(data),
                Frame::End(trailers) => {
                    server.put_end(trailers).map_err(Stop::Client)?;
                    self.ended = true;
                }
            }
        }
        server.poll_flush(cx).map_err(|_| Stop::Server)
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>, client: &mut Channel) -> Poll<Result<Frame, Stop>> {
        if let Some(piece) = self.kept.get(self.next) {
            self.next += 1;
            return Poll::Ready(Ok(Frame::Data(piece.clone())));
        }
        if let Some(end) = &self.end {
            return Poll::Ready(Ok(Frame::End(end.clone())));
        }
        // Bound: each turn takes a piece of the client's, or returns.
        loop {
            let frame = self.taken(ready!(client.poll_body(cx)).map_err(Stop::Client)?)?;
            match &frame {
                // Of what was sent as text there is no byte yet.
                Frame::Data(data) if data.is_empty() => continue,
                Frame::Data(data) => {
                    if let Some(copy) = &mut self.copy {
                        copy.push(data);
                    }
                    self.keep(data);
                }
                Frame::End(trailers) => self.end = Some(trailers.clone()),
            }
            return Poll::Ready(Ok(frame));
        }
    }

    /// What a piece of the client's is to the endpoint.
    fn taken(&mut self, frame: Frame) -> Result<Frame, Stop> {
        let not_base64 = |base64::NotBase64| Stop::Failed(Failure::NotBase64);
        match frame {
            Frame::Data(data) => {
                self.bytes += data.len() as u64;
                if self.bytes_max.is_some_and(|max| self.bytes > max) {
                    return Err(Stop::Failed(Failure::BodyLarge));
                }
                let Some(decoder) = &mut self.decoder else { return Ok(Frame::Data(data)) };
                Ok(Frame::Data(decoder.read(&data).map_err(not_base64)?.into()))
            }
            Frame::End(_) if self.decoder.as_ref().is_some_and(|decoder| !decoder.is_whole()) => {
                Err(not_base64(base64::NotBase64))
            }
            Frame::End(trailers) => Ok(Frame::End(trailers)),
        }
    }

    fn keep(&mut self, data: &Bytes) {
        let Some(max) = self.kept_bytes_max else { return };
        let before = self.kept_in_all.fetch_add(data.len(), Ordering::Relaxed);
        self.kept_bytes += data.len();
        if self.kept_bytes > max || before + data.len() > KEPT_IN_ALL_BYTES_MAX {
            self.commit();
        } else {
            self.kept.push(data);
            self.next = self.kept.len();
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.kept_in_all.fetch_sub(self.kept_bytes, Ordering::Relaxed);
    }
}

/// Why a body stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client's side broke.
    Client(Broken),
    /// The endpoint's side broke; its response may still be there.
    Server,
    /// It may not go on.
    Failed(Failure),
}
