//! One request, from its head to its end.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Version};

use super::account::Account;
use super::answer::{Answer, Reply};
use super::exchange::{Deadlines, Exchange, Flow};
use super::fields::{Client, X_REQUEST_ID};
use super::order::Order;
use super::upload::Upload;
use super::{Failure, tunnel};
use crate::gate::{Asked, Body, Request, Response};
use crate::upstream::Pool;
use crate::wire::{Alarm, Channel};

/// What a connection of clients lends to each of its requests.
pub struct Terms<'a> {
    /// Connections to endpoints.
    pub pool: &'a Pool,
    /// Who asks.
    pub client: &'a Client,
    /// Names the request, unless somebody we believe has.
    pub id: u128,
    /// How long the client may be silent within a body.
    pub body: Duration,
    /// Whether the connection takes no more requests after this one.
    pub last: bool,
    /// The time now, as fields say it.
    pub date: HeaderValue,
    /// Rings at the nearest of all times.
    pub alarm: &'a mut Alarm,
}

/// How a request ended.
#[derive(Debug)]
pub struct Ended {
    /// Whether its connection can take another one.
    pub reusable: bool,
    /// Whether the response broke off: its connection or stream is cut, so that nobody takes it for whole.
    pub broken: bool,
    /// What is told of it.
    pub account: Account,
}

/// What of a request is needed after its head was sent.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a request is or is not")]
struct Shape {
    asked: Asked,
    old: bool,
    keep_alive: bool,
    stream: bool,
    interim: bool,
    reply: Reply,
    idempotent: bool,
}

impl Shape {
    fn of(request: &Request) -> Self {
        let accept = request.fields.get(header::ACCEPT).map_or(&b""[..], HeaderValue::as_bytes);
        let reply = Reply::to(request);
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE];
        Self {
            asked: Asked { head: request.method == Method::HEAD, upgrade: request.upgrade.clone() },
            old: request.version == Version::HTTP_10,
            keep_alive: request.keep_alive,
            stream: reply.grpc || accept.starts_with(b"text/event-stream"),
            interim: request.version != Version::HTTP_10,
            reply,
            idempotent: safe.contains(&request.method) || request.fields.contains_key("idempotency-key"),
        }
    }
}

/// Carries a request out: sends it where `order` says and passes the response on, or answers why not.
pub async fn run(
    client: &mut Channel,
    mut request: Request,
    order: Result<Order, Failure>,
    mut terms: Terms<'_>,
) -> Ended {
    let started = Instant::now();
    let mut account = Account::of(&request, terms.client.peer);
    let shape = Shape::of(&request);
    let marked = terms.client.mark(&mut request, terms.id);
    let (result, id) = match marked {
        Err(failure) => (Err(failure), None),
        Ok(id) => match order {
            Err(failure) => (Err(failure), Some(id)),
            Ok(order) => {
                let mut run =
                    Run { client, order: &order, terms: &mut terms, shape: &shape, account: &mut account };
                (run.attempts(request, started, &id).await, Some(id))
            }
        },
    };
    let (reusable, broken) = match result {
        Ok(reusable) => (reusable, false),
        Err(failure) => {
            account.error = Some(failure.proxy_error());
            if account.status_sent {
                (false, true)
            } else {
                account.status = failure.status();
                let close = !shape.keep_alive || shape.old || terms.last || failure.is_of_client();
                let close = close || !client.has_read_all();
                let mut answer = Answer::of(&failure, shape.reply);
                stamp(&mut answer.fields, &terms.date, id);
                let gone = matches!(failure, Failure::ClientGone(_));
                let told = !gone && put_answer(client, &answer, shape.asked.head, close).await;
                (told && !close, gone)
            }
        }
    };
    account.bytes = client.counted();
    account.took = started.elapsed();
    Ended { reusable, broken, account }
}

struct Run<'a, 'b> {
    client: &'a mut Channel,
    order: &'a Order,
    terms: &'a mut Terms<'b>,
    shape: &'a Shape,
    account: &'a mut Account,
}

impl Run<'_, '_> {
    /// Tries, and tries again where that is allowed. Whether the client's connection can take another request.
    async fn attempts(
        &mut self,
        mut request: Request,
        started: Instant,
        id: &HeaderValue,
    ) -> Result<bool, Failure> {
        let order = self.order;
        if let (Some(max), Body::Known(length)) = (order.body_bytes_max, request.body)
            && length > max
        {
            return Err(Failure::BodyLarge);
        }
        if request.upgrade.as_ref().is_some_and(|upgrade| !order.allows_switch_to(upgrade)) {
            request.upgrade = None;
        }
        let kept = if order.retry.attempts == 0 { 0 } else { order.retry.body_bytes_max };
        let mut upload = Upload::new(kept, order.body_bytes_max);
        let total = started + order.timeouts.total;
        let mut last = None;
        // Bound: a try after the first takes one of the attempts.
        loop {
            let endpoint = order.cluster.choose(last).ok_or(Failure::NoEndpoint)?;
            last = Some(endpoint);
            (self.account.endpoint, self.account.attempts) = (Some(endpoint), self.account.attempts + 1);
            let failed = match self.attempt(&request, endpoint, &mut upload, total, id).await {
                Ok(reusable) => return Ok(reusable),
                Err(failed) => failed,
            };
            let may = !self.account.status_sent
                && self.account.attempts <= order.retry.attempts
                && upload.can_restart()
                && failed.may_repeat(self.shape.idempotent || order.retry.unsafe_methods);
            if !may {
                return Err(failed.failure);
            }
            upload.restart();
        }
    }

    async fn attempt(
        &mut self,
        request: &Request,
        endpoint: SocketAddr,
        upload: &mut Upload,
        total: Instant,
        id: &HeaderValue,
    ) -> Result<bool, Failed> {
        let leased = self.terms.pool.lease(&self.order.cluster, endpoint);
        let lease = match tokio::time::timeout_at(total.into(), leased).await {
            Ok(lease) => lease.map_err(|error| Failed::unsent(error.into()))?,
            Err(_) => return Err(Failed::unsent(Failure::TotalTime)),
        };
        let (place, reused) = (lease.place(), lease.is_reused());
        let (mut server, _counted) = lease.begin(request).map_err(|error| Failed::unsent(error.into()))?;
        let deadlines = Deadlines {
            total,
            head: self.order.timeouts.per_try.map(|per_try| Instant::now() + per_try),
            body: self.terms.body,
            idle: self.order.timeouts.idle,
        };
        let asked = Asked { upgrade: request.upgrade.clone(), ..self.shape.asked };
        let mut exchange = Exchange::new(self.client, &mut server, upload, self.terms.alarm, deadlines);
        exchange.interim = self.shape.interim;
        if request.expects {
            exchange.expects();
        }
        let answered = poll_fn(|cx| exchange.poll_head(cx, &asked)).await;
        let upload_broken = exchange.upload_broken;
        let mut response = answered.map_err(|failure| {
            let heard = server.counted().0 > 0;
            Failed { failure, reused, heard, sent: true }
        })?;
        upload.commit();
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            let upgrade = asked.upgrade.as_ref().ok_or(Failed::after(Failure::Upgrade))?;
            return self.switch(&mut server, &response, upgrade).await.map_err(Failed::after);
        }
        stamp(&mut response.fields, &self.terms.date, Some(id.clone()));
        let sides = Sides { server: &mut server, upload, upload_broken };
        let reusable = self.respond(&response, sides, deadlines).await.map_err(Failed::after)?;
        if let Channel::One(connection) = server
            && upload.is_ended()
            && response.keep_alive
        {
            self.terms.pool.give_back(place, connection);
        }
        Ok(reusable)
    }

    /// Passes a response on. Whether the client's connection can take another request.
    async fn respond(
        &mut self,
        response: &Response,
        sides: Sides<'_>,
        mut deadlines: Deadlines,
    ) -> Result<bool, Failure> {
        if self.shape.stream {
            deadlines.total = Instant::now() + STREAM_MAX;
        }
        // A body that is not read to its end leaves bytes that would be taken for the next request.
        let close = !self.shape.keep_alive || self.shape.old || self.terms.last || sides.upload_broken;
        self.put_head(response, close)?;
        let mut flow = Flow::default();
        let mut exchange =
            Exchange::new(self.client, sides.server, sides.upload, self.terms.alarm, deadlines);
        exchange.upload_broken = sides.upload_broken;
        poll_fn(|cx| exchange.poll_rest(cx, &mut flow)).await?;
        Ok(sides.upload.is_ended() && !close && self.client.has_read_all())
    }

    /// Puts the response's head, and says so in the account.
    fn put_head(&mut self, response: &Response, close: bool) -> Result<(), Failure> {
        self.account.status = response.status;
        self.account.status_sent = true;
        let bare = self.shape.asked.head
            || matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let told = if response.status == StatusCode::NO_CONTENT { None } else { response.length };
        match self.client {
            Channel::One(connection) if bare => {
                connection.put_bare_response(response.status, &response.fields, told, close);
            }
            Channel::One(connection) => {
                let body = match response.body {
                    Body::Empty => Body::Known(0),
                    body => body,
                };
                connection.put_response(response.status, &response.fields, body, close, self.shape.old);
            }
            Channel::Two(stream) => {
                let ended = bare || response.body.is_empty();
                let head = stream_head(response.status, response.fields.clone(), told);
                stream.put_response(head, ended).map_err(Failure::ClientGone)?;
            }
        }
        Ok(())
    }

    async fn switch(
        &mut self,
        server: &mut Channel,
        response: &Response,
        to: &HeaderValue,
    ) -> Result<bool, Failure> {
        self.account.status = response.status;
        self.account.status_sent = true;
        if let (Channel::One(client), Channel::One(server)) = (&mut *self.client, &mut *server) {
            client.put_switch(&response.fields, to.as_bytes());
            client.tunnel();
            server.tunnel();
        }
        tunnel::run(self.client, server, self.terms.alarm, self.order.timeouts.upgrade_idle).await?;
        Ok(false)
    }
}

/// The endpoint's side of a try whose response has begun, and what is left of the request.
struct Sides<'a> {
    server: &'a mut Channel,
    upload: &'a mut Upload,
    upload_broken: bool,
}

/// Streams have no end of their own; the silence in them is bounded.
const STREAM_MAX: Duration = Duration::from_hours(24 * 365);

/// A try that failed.
struct Failed {
    failure: Failure,
    /// Whether anything of it was sent.
    sent: bool,
    /// Whether anything of a response came.
    heard: bool,
    /// Whether its connection had carried another request before.
    reused: bool,
}

impl Failed {
    fn unsent(failure: Failure) -> Self {
        Self { failure, sent: false, heard: false, reused: false }
    }

    fn after(failure: Failure) -> Self {
        Self { failure, sent: true, heard: true, reused: false }
    }

    /// Whether the request may be sent again; `twice`: whether it may also happen twice.
    fn may_repeat(&self, twice: bool) -> bool {
        match &self.failure {
            Failure::Connect(_) => true,
            Failure::Closed(broken) => {
                let refused = broken.reason() == Some(h2::Reason::REFUSED_STREAM);
                refused || (self.sent && self.reused && !self.heard && twice)
            }
            _ => false,
        }
    }
}

/// Adds what every response says.
pub(crate) fn stamp(fields: &mut HeaderMap, date: &HeaderValue, id: Option<HeaderValue>) {
    fields.entry(header::DATE).or_insert_with(|| date.clone());
    if let Some(id) = id {
        fields.insert(X_REQUEST_ID, id);
    }
}

fn stream_head(status: StatusCode, fields: HeaderMap, length: Option<u64>) -> http::Response<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = fields;
    if let Some(length) = length {
        head.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    head
}

/// Sends an answer of our own, whole. Whether that went well.
pub(crate) async fn put_answer(client: &mut Channel, answer: &Answer, head: bool, close: bool) -> bool {
    let length = answer.body.len() as u64;
    match client {
        Channel::One(connection) if head => {
            connection.put_bare_response(answer.status, &answer.fields, Some(length), close);
        }
        Channel::One(connection) => {
            connection.put_response(answer.status, &answer.fields, answer.framing(), close, false);
            connection.put_data(&answer.body);
        }
        Channel::Two(stream) => {
            let ended = head || answer.body.is_empty();
            let length = (!answer.body.is_empty()).then_some(length);
            if stream.put_response(stream_head(answer.status, answer.fields.clone(), length), ended).is_err()
            {
                return false;
            }
            if !ended {
                stream.put_data(answer.body.clone());
                stream.put_end(HeaderMap::new());
            }
        }
    }
    poll_fn(|cx| client.poll_flush(cx)).await.is_ok()
}
