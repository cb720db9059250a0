//! The tries of one request.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};

use super::Failure;
use super::account::Account;
use super::answer::Reply;
use super::deadline::{self, GRPC_TIMEOUT};
use super::exchange::{Deadlines, Exchange, Flow};
use super::failed::{Failed, of_call};
use super::mirror::Mirrored;
use super::order::{Order, Way};
use super::respond::{EVENTS, GRPC, Sides, compress, is_of};
use super::run::{Shape, Terms};
use super::switch::{Switch, prepare_switch};
use super::upload::Upload;
use super::websocket::{self, Handshake};
use crate::chance::Dice;
use crate::filter::GrpcWeb;
use crate::gate::{Asked, Body, Request, Response};
use crate::limit::RetryBudget;
use crate::model::{Route, Timeouts};
use crate::moment::Moment;
use crate::upstream::{ConnectError, Lease, Place, Upstream, Wanted};
use crate::wire::Channel;

/// One request that goes to a cluster.
pub(super) struct Attempts<'a, 'b> {
    pub(super) client: &'a mut Channel,
    pub(super) order: &'a Order,
    pub(super) way: &'a Way,
    pub(super) terms: &'a mut Terms<'b>,
    pub(super) shape: &'a Shape,
    pub(super) account: &'a mut Account,
    pub(super) name: &'a HeaderValue,
}

/// What says how often a request was sent before, to services and to proxies behind us.
const ATTEMPT: HeaderName = HeaderName::from_static("coreto-attempt");
const GRPC_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

impl Attempts<'_, '_> {
    /// Tries, and tries again where that is allowed. Whether the client's connection can take another request.
    pub(super) async fn run(mut self, mut request: Request) -> Result<bool, Failure> {
        let order = self.order;
        let (route, rule) = order.rule().expect("what is forwarded has a route");
        let socket = self.prepare(&mut request)?;
        let desk = order.local.desk(self.way.cluster);
        let upstream = desk.upstream();
        self.account.cluster = Some(std::sync::Arc::clone(upstream));
        let _permit = upstream.gates().requests.enter().ok_or(Failure::Overload)?;
        let budget = rule.budget(&upstream.cluster().name);
        upstream.note_request(self.now(), budget);
        // A proxy before us does it: tries that multiply would be a flood.
        let again = request.fields.get(ATTEMPT).is_some_and(|attempt| attempt.as_bytes() != b"0");
        let attempts_max = if again { 0 } else { route.retry.attempts };
        let mut upload = self.upload(route, attempts_max > 0, socket.is_some());
        let deadline = if self.shape.reply.is_of_call() { deadline::read(&request.fields) } else { None };
        let within = deadline.map_or(route.timeouts.total, |time| time.min(route.timeouts.total));
        let total = self.terms.started + within;
        let mirror = self.mirror(&request, &mut upload);
        let mut avoid: Vec<SocketAddr> = Vec::new();
        let mut before = None;
        // Bound: a try after the first takes one of the attempts.
        loop {
            let Way { key, token, .. } = *self.way;
            let place = desk.take(self.now(), &Wanted { key, token, avoid: &avoid });
            let Some(mut place) = place else { return Err(before.unwrap_or(Failure::NoEndpoint)) };
            if let Some(Failure::Connect(ConnectError::Wait)) = before
                && avoid.contains(&place.address())
            {
                // It would wait for the same connections once more.
                return Err(Failure::Connect(ConnectError::Wait));
            }
            self.account.endpoint = Some(place.address());
            self.account.attempts += 1;
            let may_again = self.account.attempts <= attempts_max;
            let (bounded, socket) = (deadline.is_some(), socket.as_ref());
            let hurried = deadline.is_some_and(|time| time < HURRY);
            let tried = Try { route, upstream, budget, total, bounded, hurried, socket, may_again };
            if tried.bounded {
                let left = deadline::write(total.saturating_duration_since(Instant::now()));
                request.fields.insert(GRPC_TIMEOUT, left);
            }
            let failed = match self.attempt(&request, &mut place, &mut upload, &tried).await {
                Ok(reusable) => {
                    if let Some(mirror) = mirror {
                        mirror.send(&mut upload);
                    }
                    return Ok(reusable);
                }
                Err(failed) => failed,
            };
            let hurried = tried.hurried && matches!(failed.failure, Failure::TotalTime);
            if failed.speaks_against_the_endpoint() && !hurried {
                place.failed(self.now());
            }
            if !failed.granted && !self.may_repeat(&failed, &upload, &tried) {
                return Err(failed.failure);
            }
            avoid.push(place.address());
            drop(place);
            self.pause(&failed, total).await?;
            upload.restart();
            self.say_how_often(&mut request);
            before = Some(failed.failure);
        }
    }

    /// The request's body, of which some is kept if there may be another try.
    fn upload(&self, route: &Route, again: bool, switches: bool) -> Upload {
        let kept = usize::try_from(route.retry.body_bytes).unwrap_or(usize::MAX);
        let kept = if again { kept } else { 0 };
        let mut upload = Upload::new(kept, route.body_bytes, self.terms.plane.kept_bytes());
        if self.bridge().is_some_and(|web| web.writes_text) {
            upload.decode();
        }
        if switches {
            // What the stream brings is for the protocol that it switches to.
            upload.end();
        }
        upload
    }

    /// Makes the changes of the route to a request's head. Gives what a stream that switches is asked for with.
    fn prepare(&self, request: &mut Request) -> Result<Option<Handshake>, Failure> {
        let (route, rule) = self.order.rule().expect("what is forwarded has a route");
        if let (Some(max), Body::Known(length)) = (route.body_bytes, request.body)
            && length > max
        {
            return Err(Failure::BodyLarge);
        }
        let allowed = |upgrade: &HeaderValue| route.upgrades.iter().any(|to| is_same(upgrade, to));
        request.upgrade = request.upgrade.take().filter(allowed);
        let socket = match request.protocol.take() {
            Some(protocol) if allowed(&protocol) => {
                Some(websocket::translate(request, protocol, self.terms.id))
            }
            Some(_) => return Err(Failure::Protocol),
            None => None,
        };
        if let Some(web) = self.bridge() {
            web.translate(request);
        }
        rule.request_headers.make(&mut request.fields);
        if let Some(target) = &self.way.target {
            request.target = target.clone();
        }
        if let Some(host) = &rule.host {
            request.authority = host.clone();
        }
        Ok(socket)
    }

    /// How the client's call is put into gRPC, where its route does so.
    fn bridge(&self) -> Option<GrpcWeb> {
        let (route, _) = self.order.rule()?;
        match self.shape.reply {
            Reply::GrpcWeb(web) if route.filters.grpc_web => Some(web),
            _ => None,
        }
    }

    fn say_how_often(&self, request: &mut Request) {
        let sent = HeaderValue::from(self.account.attempts);
        if self.shape.reply.is_of_call() {
            request.fields.insert(GRPC_ATTEMPTS, sent.clone());
        }
        request.fields.insert(ATTEMPT, sent);
    }

    async fn attempt(
        &mut self,
        request: &Request,
        place: &mut Place,
        upload: &mut Upload,
        tried: &Try<'_>,
    ) -> Result<bool, Failed> {
        let lease = self.lease(request, place, tried).await?;
        let reused = lease.is_reused();
        let switched = prepare_switch(request, &lease, upload).map_err(Failed::unsent)?;
        let (mut server, hold) = lease.begin(request).map_err(|error| Failed::unsent(error.into()))?;
        let Timeouts { per_try, idle, .. } = tried.route.timeouts;
        let mut deadlines = Deadlines {
            total: tried.total,
            head: per_try,
            body: self.terms.client.door().listener.clocks.body,
            idle,
        };
        let asked = Asked { upgrade: request.upgrade.clone(), ..self.shape.asked };
        let answered = self.head(request, &mut server, upload, deadlines, &asked).await;
        if let Err(Failed { failure: Failure::TotalTime | Failure::TryTime, late: false, .. }) = &answered {
            hold.note_time_over();
        }
        let (mut response, upload_broken) = answered.map_err(|failed| Failed { reused, ..failed })?;
        let goes_on = self.note_head(place, &response, tried);
        if let Some(failed) = self.worth_another_try(&response, upload, tried) {
            return Err(failed);
        }
        upload.commit();
        if response.status == StatusCode::SWITCHING_PROTOCOLS
            || switched.is_some() && response.status.is_success()
        {
            let upgrade = asked.upgrade.as_ref().ok_or(Failed::sent(Failure::Upgrade))?;
            self.dress(&mut response.fields, place, tried.upstream);
            let to = Switch { upgrade, on_stream: switched, tried };
            let ended = self.switch(&mut server, response, to).await;
            // It has answered; what comes of the connection then is between both sides.
            return ended.map_err(|failure| Failed { late: true, ..Failed::sent(failure) });
        }
        if let Some(failed) = self.unfit(&response, tried) {
            return Err(failed);
        }
        if is_of(&response.fields, &[EVENTS, GRPC]) && !tried.bounded {
            deadlines.total = Instant::now() + STREAM_MAX;
        }
        let bridge = self.bridge().and_then(|web| web.answer(&mut response));
        self.dress(&mut response.fields, place, tried.upstream);
        let (keep_alive, kept_for) = (response.keep_alive, response.kept_for);
        let encoder = compress(request, &mut response, tried.route);
        let flow = Flow::through(bridge, encoder);
        let sides = Sides { server: &mut server, upload, upload_broken, flow };
        let ended = self.respond(response, sides, deadlines).await;
        if goes_on && let Some(told) = &self.account.grpc_status {
            self.note_end(place, of_call(Some(told)).unwrap_or(StatusCode::OK), tried);
        }
        let reusable = ended?;
        if let Channel::One(connection) = server
            && upload.is_ended()
            && keep_alive
        {
            let (pool, host) = (&self.terms.pool, &request.authority);
            pool.give_back(tried.upstream, &place.member, host, connection, hold, kept_for);
        }
        Ok(reusable)
    }

    /// A connection to the endpoint.
    async fn lease(&self, request: &Request, place: &Place, tried: &Try<'_>) -> Result<Lease, Failed> {
        let leased = self.terms.pool.lease(tried.upstream, &place.member, &request.authority);
        match tokio::time::timeout_at(tried.total.into(), leased).await {
            Ok(lease) => lease.map_err(|error| Failed::unsent(error.into())),
            Err(_) => Err(Failed::unsent(Failure::TotalTime)),
        }
    }

    /// The head of the response, and whether the endpoint takes no more of the request.
    async fn head(
        &mut self,
        request: &Request,
        server: &mut Channel,
        upload: &mut Upload,
        deadlines: Deadlines,
        asked: &Asked,
    ) -> Result<(Response, bool), Failed> {
        let mut exchange = Exchange::new(self.client, server, upload, self.terms.alarm, deadlines);
        exchange.interim = self.shape.interim;
        if request.expects {
            exchange.expects();
        }
        let answered = poll_fn(|cx| exchange.poll_head(cx, asked)).await;
        let (upload_broken, late) = (exchange.upload_broken, exchange.late);
        match answered {
            Ok(response) => Ok((response, upload_broken)),
            Err(failure) => Err(Failed { heard: server.has_heard(), late, ..Failed::sent(failure) }),
        }
    }

    /// A response that is worth less than another try, which is then granted.
    fn worth_another_try(&self, response: &Response, upload: &Upload, tried: &Try<'_>) -> Option<Failed> {
        let mut failed = Failed::status(response, tried.total)?;
        let pause = failed.pause(self.account.attempts, &mut self.dice()).unwrap_or_default();
        if Instant::now() + pause >= tried.total {
            return None;
        }
        failed.granted = self.may_repeat(&failed, upload, tried);
        failed.granted.then_some(failed)
    }

    /// Whether the request may be sent again, which is then counted.
    fn may_repeat(&self, failed: &Failed, upload: &Upload, tried: &Try<'_>) -> bool {
        let retry = &tried.route.retry;
        !self.account.status_sent
            && tried.may_again
            && upload.can_restart()
            && failed.may_repeat(self.shape.idempotent || retry.unsafe_methods, &retry.on)
            && tried.upstream.may_retry(self.now(), tried.budget)
    }

    /// Waits before another try, so that those who failed together do not come again together.
    async fn pause(&mut self, failed: &Failed, total: Instant) -> Result<(), Failure> {
        let Some(pause) = failed.pause(self.account.attempts, &mut self.dice()) else { return Ok(()) };
        let until = Instant::now() + pause;
        if until >= total {
            return Err(Failure::TotalTime);
        }
        self.terms.alarm.set(until);
        poll_fn(|cx| match self.client.poll_gone(cx) {
            Poll::Ready(broken) => Poll::Ready(Err(Failure::ClientGone(broken))),
            Poll::Pending => self.terms.alarm.poll(cx).map(Ok),
        })
        .await
    }

    pub(super) fn now(&self) -> Moment {
        self.terms.plane.now()
    }

    fn dice(&self) -> Dice {
        let low = self.terms.id & u128::from(u64::MAX);
        Dice::seeded(u64::try_from(low).expect("it is half of it"))
    }

    /// The copy that is to be sent, if one is.
    fn mirror(&self, request: &Request, upload: &mut Upload) -> Option<Mirrored> {
        let mirrored = Mirrored::of(self.order, self.terms, request)?;
        upload.copy();
        Some(mirrored)
    }
}

/// What a try goes by.
pub(super) struct Try<'a> {
    pub(super) route: &'a Route,
    pub(super) upstream: &'a Upstream,
    /// What the route may have of the retries.
    pub(super) budget: Option<&'a RetryBudget>,
    pub(super) total: Instant,
    /// Whether that is the end of a stream, too: its caller waits no longer.
    pub(super) bounded: bool,
    /// Whether its caller gives it so little time that nothing follows from its end.
    pub(super) hurried: bool,
    /// What a WebSocket of HTTP/2 is asked for with.
    pub(super) socket: Option<&'a Handshake>,
    /// Whether there may be another one.
    pub(super) may_again: bool,
}

/// A call that is given less says nothing of its endpoint when its time is over.
const HURRY: Duration = Duration::from_secs(1);

/// Streams have no end of their own; the silence in them is bounded.
const STREAM_MAX: Duration = Duration::from_hours(24 * 365);

fn is_same(upgrade: &HeaderValue, allowed: &str) -> bool {
    upgrade.as_bytes().eq_ignore_ascii_case(allowed.as_bytes())
}
