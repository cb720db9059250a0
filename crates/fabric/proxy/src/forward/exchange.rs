//! One try: a request on its way to an endpoint, and the response on its way back.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Failure;
use super::frames::Frames;
use super::run::GRPC_STATUS;
use super::upload::{Stop, Upload};
use crate::filter::{Bridge, Encoder};
use crate::gate::{Asked, Fault, Response};
use crate::wire::{Alarm, Broken, Channel, Frame};

/// The times of one try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// When all of it is to be over.
    pub(super) total: Instant,
    /// How long the endpoint may take for the response's head, once it has what there is of the request.
    pub(super) head: Option<Duration>,
    /// How long the client may be silent within its body.
    pub(super) body: Duration,
    /// How long the endpoint may be silent.
    pub(super) idle: Duration,
}

/// How long a client that waits for a 100 is left waiting for the endpoint's.
const CONTINUE_AFTER: Duration = Duration::from_secs(1);

/// Informational responses before the final one. They wait for a client that does not read them.
const INTERIMS_MAX: u32 = 100;

/// Both sides of one try.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a mut Channel,
    pub(super) server: &'a mut Channel,
    pub(super) upload: &'a mut Upload,
    pub(super) alarm: &'a mut Alarm,
    pub(super) deadlines: Deadlines,
    /// When a client that waits for a 100 is told one by us.
    pub(super) go_on_at: Option<Instant>,
    /// Whether the client understands informational responses.
    pub(super) interim: bool,
    /// How many of them the endpoint has sent.
    interims: u32,
    /// Whether the endpoint takes no more of the request.
    pub(super) upload_broken: bool,
    /// Whether it was the client that was waited for when the time was over.
    pub(super) late: bool,
    /// When the client last went on, or was not waited for.
    client_at: Instant,
    /// When the endpoint last went on, or was not waited for.
    server_at: Instant,
    began: Instant,
}

/// An endpoint that has said nothing for so long, or for half of the time, is silent.
const SILENT: Duration = Duration::from_secs(5);

impl<'a> Exchange<'a> {
    pub(super) fn new(
        client: &'a mut Channel,
        server: &'a mut Channel,
        upload: &'a mut Upload,
        alarm: &'a mut Alarm,
        deadlines: Deadlines,
    ) -> Self {
        let now = Instant::now();
        Self {
            client,
            server,
            upload,
            alarm,
            deadlines,
            go_on_at: None,
            interim: true,
            interims: 0,
            upload_broken: false,
            late: false,
            client_at: now,
            server_at: now,
            began: now,
        }
    }

    /// The client waits for a 100 before it sends its body.
    pub(super) fn expects(&mut self) {
        self.go_on_at = Some(Instant::now() + CONTINUE_AFTER);
    }

    /// Ready with the response's head. Informational ones are passed on.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        asked: &Asked,
    ) -> Poll<Result<Response, Failure>> {
        // Bound: each turn takes a response that has come, or leaves the loop.
        loop {
            match self.server.poll_response(cx, asked) {
                Poll::Pending => break,
                Poll::Ready(Ok(response)) if response.is_informational() => {
                    self.interims += 1;
                    if self.interims > INTERIMS_MAX {
                        return Poll::Ready(Err(Failure::Response(Fault::InterimMany)));
                    }
                    self.pass_interim(response.status, &response.fields);
                }
                Poll::Ready(response) => return Poll::Ready(response.map_err(closed)),
            }
        }
        self.poll_upload(cx)?;
        let _ = self.client.poll_flush(cx).map_err(Failure::ClientGone)?;
        let waits = self.waits_for_upload();
        if waits {
            self.server_at = Instant::now();
        }
        let head_at = self.deadlines.head.map(|head| self.server_at + head);
        let mut next = self.deadlines.total;
        next = head_at.map_or(next, |at| next.min(at));
        next = self.go_on_at.map_or(next, |at| next.min(at));
        next = self.body_deadline().map_or(next, |at| next.min(at));
        self.alarm.set(next);
        ready!(self.alarm.poll(cx));
        let now = Instant::now();
        if self.go_on_at.is_some_and(|at| at <= now) {
            self.pass_interim(StatusCode::CONTINUE, &HeaderMap::new());
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.late = waits || !self.is_silent();
        Poll::Ready(Err(if self.deadlines.total <= now && !waits {
            Failure::TotalTime
        } else if head_at.is_some_and(|at| at <= now) {
            Failure::TryTime
        } else {
            Failure::BodyTime
        }))
    }

    /// Ready when all of the response's body is with the client, or cannot be.
    pub(super) fn poll_rest(&mut self, cx: &mut Context<'_>, flow: &mut Flow) -> Poll<Result<(), Failure>> {
        let before = flow.moved;
        match flow.poll(cx, self.server, self.client) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
            Poll::Ready(Err(Side::From(broken))) => return Poll::Ready(Err(Failure::Incomplete(broken))),
            Poll::Ready(Err(Side::To(broken))) => return Poll::Ready(Err(Failure::ClientGone(broken))),
            Poll::Pending => {}
        }
        self.poll_upload(cx)?;
        if flow.moved != before {
            self.server_at = Instant::now();
        }
        let next = self.deadlines.total.min(self.server_at + self.deadlines.idle);
        self.alarm.set(next);
        ready!(self.alarm.poll(cx));
        self.late = flow.is_blocked() || self.waits_for_upload() || !self.is_silent();
        let total = self.deadlines.total <= Instant::now();
        Poll::Ready(Err(match (flow.is_blocked(), total) {
            (true, _) => Failure::Unread,
            (false, true) => Failure::TotalTime,
            (false, false) => Failure::IdleTime,
        }))
    }

    /// Whether the endpoint has had its time. One that goes on is not to blame for how much there is to be sent.
    fn is_silent(&self) -> bool {
        let silence = self.server_at.elapsed();
        silence >= SILENT || silence * 2 >= self.began.elapsed()
    }

    /// Whether the request goes on with what the client sends next.
    fn waits_for_upload(&self) -> bool {
        !self.upload_broken && self.upload.waits()
    }

    /// Lets more of the request's body go. A broken endpoint is no failure yet: its response may be there.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.upload_broken {
            return Ok(());
        }
        let before = self.client.counted().0;
        match self.upload.poll(cx, self.client, self.server) {
            Poll::Ready(Err(Stop::Server)) => self.upload_broken = true,
            Poll::Ready(Err(Stop::Client(broken))) => return Err(of_client(broken)),
            Poll::Ready(Err(Stop::Failed(failure))) => return Err(failure),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if self.upload.is_ended()
            && let Poll::Ready(broken) = self.client.poll_gone(cx)
        {
            return Err(Failure::ClientGone(broken));
        }
        if self.client.counted().0 != before {
            // A client that sends its body does not wait any more.
            self.go_on_at = None;
            self.client_at = Instant::now();
            self.server_at = self.client_at;
        } else if !self.upload.waits() {
            self.client_at = Instant::now();
        }
        Ok(())
    }

    fn body_deadline(&self) -> Option<Instant> {
        (!self.upload.is_ended() && !self.upload_broken).then(|| self.client_at + self.deadlines.body)
    }

    fn pass_interim(&mut self, status: StatusCode, fields: &HeaderMap) {
        if status == StatusCode::CONTINUE {
            self.go_on_at = None;
            self.client_at = Instant::now();
        }
        if self.interim {
            match self.client {
                Channel::One(connection) => connection.put_interim(status, fields),
                Channel::Two(stream) => stream.put_interim(status, fields),
            }
        }
    }
}

/// Why there is no response's head.
fn closed(broken: Broken) -> Failure {
    match broken {
        Broken::Fault(fault) => Failure::Response(fault),
        broken => Failure::Closed(broken),
    }
}

/// What is wrong with the client's side.
pub(super) fn of_client(broken: Broken) -> Failure {
    match broken {
        Broken::Fault(fault) => Failure::Request(fault),
        broken => Failure::ClientGone(broken),
    }
}

/// Moves a body from one side to the other.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) ended: bool,
    pub(super) moved: u64,
    /// What makes an answer of gRPC-Web of it.
    bridge: Option<Bridge>,
    /// What makes it smaller on its way.
    encoder: Option<Encoder>,
    /// Whether one of them has taken something in that has not come out.
    held_back: bool,
    /// Whether the side that it goes to takes nothing more now.
    blocked: bool,
    /// The end, once it has come and all before it is put.
    ending: Option<HeaderMap>,
    /// What follows the frames of a WebSocket.
    pub(super) frames: Option<Frames>,
    /// What the trailers say of a call.
    pub(super) grpc_status: Option<HeaderValue>,
}

/// The side that broke.
#[derive(Debug)]
pub(super) enum Side {
    From(Broken),
    To(Broken),
}

impl Flow {
    /// One that writes the body in another way, where there is something to do so.
    pub(super) fn through(bridge: Option<Bridge>, encoder: Option<Encoder>) -> Self {
        Self { bridge, encoder, ..Self::default() }
    }

    /// One that knows where frames of a WebSocket end, if it passes such.
    pub(super) fn of_frames(frames: bool) -> Self {
        Self { frames: frames.then(Frames::default), ..Self::default() }
    }

    /// Whether the side that it goes to was waited for.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Ready when all is moved and written.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Channel,
        to: &mut Channel,
    ) -> Poll<Result<(), Side>> {
        self.blocked = true;
        // Bound: each turn moves a piece or returns.
        while !self.ended {
            ready!(to.poll_room(cx)).map_err(Side::To)?;
            if let Some(trailers) = self.ending.take() {
                to.put_end(trailers).map_err(Side::From)?;
                self.ended = true;
                break;
            }
            match from.poll_body(cx) {
                Poll::Ready(Ok(Frame::Data(data))) => {
                    self.moved += data.len() as u64;
                    if let Some(frames) = &mut self.frames {
                        frames.pass(&data);
                    }
                    let data = match &mut self.bridge {
                        Some(bridge) => bridge.write(data),
                        None => data,
                    };
                    self.held_back = true;
                    self.put(data, false, to)?;
                }
                Poll::Ready(Ok(Frame::End(trailers))) => self.finish(trailers, to)?,
                Poll::Ready(Err(broken)) => return Poll::Ready(Err(Side::From(broken))),
                Poll::Pending => {
                    self.blocked = false;
                    if std::mem::take(&mut self.held_back) {
                        // Nothing more is there: what has come so far is not kept from the client.
                        let left = self.bridge.as_mut().map(Bridge::flush).unwrap_or_default();
                        self.put(left, true, to)?;
                    }
                    let _ = to.poll_flush(cx).map_err(Side::To)?;
                    return Poll::Pending;
                }
            }
        }
        to.poll_flush(cx).map_err(Side::To)
    }

    /// Puts a piece, and with `flush` all that is held back.
    fn put(&mut self, data: Bytes, flush: bool, to: &mut Channel) -> Result<(), Side> {
        let data = match &mut self.encoder {
            None => data,
            Some(encoder) => {
                let written = encoder.write(&data).map_err(broken)?;
                if flush { join(written, encoder.flush().map_err(broken)?) } else { written }
            }
        };
        put_some(data, to);
        Ok(())
    }

    /// Takes the end in, and puts what is left before it.
    fn finish(&mut self, mut trailers: HeaderMap, to: &mut Channel) -> Result<(), Side> {
        self.grpc_status = trailers.get(GRPC_STATUS).cloned();
        let mut last = Bytes::new();
        if let Some(bridge) = self.bridge.take() {
            last = bridge.finish(&trailers);
            trailers = HeaderMap::new();
        }
        if let Some(mut encoder) = self.encoder.take() {
            let written = encoder.write(&last).map_err(broken)?;
            last = join(written, encoder.finish().map_err(broken)?);
        }
        put_some(last, to);
        self.ending = Some(trailers);
        Ok(())
    }
}

fn join(first: Bytes, second: Bytes) -> Bytes {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second,
        (_, true) => first,
        (false, false) => [first, second].concat().into(),
    }
}

fn put_some(data: Bytes, to: &mut Channel) {
    if !data.is_empty() {
        to.put_data(data);
    }
}

/// A body that cannot be encoded breaks off like one that did not come.
fn broken(error: io::Error) -> Side {
    Side::From(Broken::Gone(error))
}
