//! A response on its way to the client: what it says of its endpoint, how it is changed, and its body.

use std::future::poll_fn;

use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use super::Failure;
use super::answer::Reply;
use super::attempts::{Attempts, Try};
use super::exchange::{Deadlines, Exchange, Flow};
use super::failed::{Failed, verdict};
use super::run::{GRPC_STATUS, stamp, stream_head};
use super::upload::Upload;
use crate::filter::{self, Encoder};
use crate::gate::{Body, Request, Response};
use crate::model::Route;
use crate::upstream::{Place, Upstream};
use crate::wire::Channel;

/// The endpoint's side of a try whose response has begun, and what is left of the request.
pub(super) struct Sides<'a> {
    pub(super) server: &'a mut Channel,
    pub(super) upload: &'a mut Upload,
    pub(super) upload_broken: bool,
    /// What moves the response's body.
    pub(super) flow: Flow,
}

/// What goes on for as long as there is something to tell.
pub(super) const EVENTS: &[u8] = b"text/event-stream";
/// What calls are answered in.
pub(super) const GRPC: &[u8] = b"application/grpc";

/// Whether a response is of one of these media types, or of one that is named after it.
pub(super) fn is_of(fields: &HeaderMap, kinds: &[&[u8]]) -> bool {
    let told = fields.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let begins = |kind: &&[u8]| told.get(..kind.len()).is_some_and(|told| told.eq_ignore_ascii_case(kind));
    kinds.iter().any(begins)
}

impl Attempts<'_, '_> {
    /// What is wrong with an answer that the client cannot be given as it is.
    pub(super) fn unfit(&self, response: &Response, tried: &Try<'_>) -> Option<Failed> {
        if tried.socket.is_some() && response.status.is_success() {
            // To the client it would say that the tunnel is open.
            return Some(Failed::sent(Failure::Upgrade));
        }
        if matches!(self.shape.reply, Reply::Grpc) && !is_of(&response.fields, &[GRPC]) {
            // What its status says of the endpoint is noted.
            return Some(Failed { late: true, ..Failed::sent(Failure::NotGrpc(response.status)) });
        }
        None
    }

    /// Takes in what the head of a response says of the endpoint. Whether that is said at the end: by calls that go on.
    pub(super) fn note_head(&mut self, place: &mut Place, response: &Response, tried: &Try<'_>) -> bool {
        self.account.waited = Some(self.terms.started.elapsed());
        place.heard(self.now());
        let goes_on = !response.fields.contains_key(GRPC_STATUS) && is_of(&response.fields, &[GRPC]);
        if !goes_on {
            self.note_end(place, verdict(response), tried);
        }
        goes_on
    }

    pub(super) fn note_end(&self, place: &mut Place, status: StatusCode, tried: &Try<'_>) {
        // A client that gives too little time says nothing of the endpoint.
        let hurried = tried.hurried && status == StatusCode::GATEWAY_TIMEOUT;
        let unhealthy = matches!(
            status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        );
        let failed = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        place.answered(self.now(), failed && !hurried, unhealthy && !hurried);
    }

    /// Makes the changes of the route to a response's head, and adds what we say ourselves.
    pub(super) fn dress(&self, fields: &mut HeaderMap, place: &Place, upstream: &Upstream) {
        stamp(fields, &self.terms.date, Some(self.name.clone()));
        self.order.dress(&self.shape.asking, fields);
        if let Some(cookies) = upstream.cookies()
            && self.way.token != Some(cookies.token(place.address()))
            // A client that another endpoint knows does not stay where it was sent to try it out.
            && (self.way.token.is_none() || !place.probe)
        {
            let cookie = cookies.set(place.address(), self.terms.client.secure);
            fields.append(header::SET_COOKIE, HeaderValue::try_from(cookie).expect("a cookie is text"));
        }
    }

    /// Passes a response on. Whether the client's connection can take another request.
    pub(super) async fn respond(
        &mut self,
        response: Response,
        sides: Sides<'_>,
        deadlines: Deadlines,
    ) -> Result<bool, Failed> {
        // A body that may not be read to its end leaves bytes that would be taken for the next request; once the head
        // is sent it is too late to say so.
        let unread = sides.upload_broken || !sides.upload.is_ended();
        let close = !self.shape.keep_alive || self.shape.old || self.terms.last || unread;
        self.put_head(response, close).map_err(Failed::sent)?;
        let mut flow = sides.flow;
        let mut exchange =
            Exchange::new(self.client, sides.server, sides.upload, self.terms.alarm, deadlines);
        exchange.upload_broken = sides.upload_broken;
        let rest = poll_fn(|cx| exchange.poll_rest(cx, &mut flow)).await;
        let late = exchange.late;
        if flow.grpc_status.is_some() {
            self.account.grpc_status = flow.grpc_status;
        }
        rest.map_err(|failure| Failed { late, ..Failed::sent(failure) })?;
        Ok(sides.upload.is_ended() && !close && self.client.has_read_all())
    }

    /// Puts the response's head, and says so in the account.
    pub(super) fn put_head(&mut self, response: Response, close: bool) -> Result<(), Failure> {
        let Response { status, fields, body, length, .. } = response;
        self.account.status = status;
        self.account.status_sent = true;
        self.account.grpc_status = fields.get(GRPC_STATUS).cloned();
        let bare =
            self.shape.asked.head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let told = if status == StatusCode::NO_CONTENT { None } else { length };
        match self.client {
            Channel::One(connection) if bare => connection.put_bare_response(status, &fields, told, close),
            Channel::One(connection) => {
                let body = if body == Body::Empty { Body::Known(0) } else { body };
                connection.put_response(status, &fields, body, close, self.shape.old);
            }
            Channel::Two(stream) => {
                let ended = bare || body.is_empty();
                stream.put_response(stream_head(status, fields, told), ended).map_err(Failure::ClientGone)?;
            }
        }
        Ok(())
    }
}

/// Makes the head of a response that is to be smaller fit its body, and gives what makes it so.
pub(super) fn compress(request: &Request, response: &mut Response, route: &Route) -> Option<Encoder> {
    let compression = route.filters.compression.as_ref()?;
    let Response { status, fields, body, length, .. } = response;
    // The head of an answer to HEAD is the one that a body would have.
    if body.is_empty() && request.method != Method::HEAD {
        return None;
    }
    let offered = filter::offer(compression, &request.method, &request.fields, *status, fields, *length);
    let encoder = offered.and_then(|coding| Some((coding, Encoder::new(coding).ok()?)));
    let coding = encoder.as_ref().map(|(coding, _)| *coding);
    filter::note_encoding(compression, *status, coding, fields, *length);
    let (_, encoder) = encoder?;
    (*body, *length) = (Body::Chunked, None);
    Some(encoder)
}
