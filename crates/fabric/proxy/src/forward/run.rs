//! One request, from its head to its end.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use h2::Reason;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Version};

use super::Failure;
use super::account::Account;
use super::answer::{Answer, Reply};
use super::attempts::Attempts;
use super::fields::{Client, X_REQUEST_ID};
use super::order::{Asking, Deed, Order};
use super::tale::Tale;
use crate::gate::{Asked, Request};
use crate::plane::Plane;
use crate::upstream::Pool;
use crate::wire::{Alarm, Channel};

/// What a connection of clients lends to each of its requests.
pub(crate) struct Terms<'a> {
    /// The clock, and what is counted for all.
    pub(crate) plane: &'a Arc<Plane>,
    /// Connections to endpoints.
    pub(crate) pool: &'a Arc<Pool>,
    /// Who asks.
    pub(crate) client: &'a Client,
    /// The request's own number.
    pub(crate) id: u128,
    /// When its head had come.
    pub(crate) started: Instant,
    /// Whether the connection takes no more requests after this one.
    pub(crate) last: bool,
    /// The time now, as fields say it.
    pub(crate) date: HeaderValue,
    /// Rings at the nearest of all times.
    pub(crate) alarm: &'a mut Alarm,
    /// Is told of the request when it has ended.
    pub(crate) note: &'a (dyn Fn(&Account) + Sync),
}

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whether its connection can take another one.
    pub(crate) reusable: bool,
    /// Why the response broke off, if it did: its connection or stream is cut, so that nobody takes it for whole.
    pub(crate) broken: Option<Reason>,
}

/// What of a request is needed after its head was sent.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a request is or is not")]
pub(super) struct Shape {
    pub(super) asked: Asked,
    pub(super) old: bool,
    pub(super) keep_alive: bool,
    pub(super) interim: bool,
    pub(super) reply: Reply,
    pub(super) idempotent: bool,
    /// What decides how its response looks.
    pub(super) asking: Asking,
}

impl Shape {
    fn of(request: &Request) -> Self {
        let reply = Reply::to(request);
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE];
        Self {
            asked: Asked { head: request.method == Method::HEAD, upgrade: request.upgrade.clone() },
            old: request.version == Version::HTTP_10,
            keep_alive: request.keep_alive,
            interim: request.version != Version::HTTP_10,
            reply,
            idempotent: safe.contains(&request.method) || request.fields.contains_key("idempotency-key"),
            asking: Asking::of(request),
        }
    }
}

/// Carries a request out: sends it on its way and passes the response on, or answers it here.
pub(crate) async fn run(
    client: &mut Channel,
    mut request: Request,
    (order, deed): (Order, Deed),
    mut terms: Terms<'_>,
) -> Ended {
    let account = Account::of(&request, &order, terms.client);
    let shape = Shape::of(&request);
    let mut tale = Tale::new(client, account, &shape, &terms);
    let name = terms.client.name(&request, terms.id);
    tale.account.id = Some(name.clone());
    let result = match deed {
        Deed::Forward(way) => {
            let marked = terms.client.mark(&mut request, name.clone(), terms.plane.via());
            let (terms, client, account) = (&mut terms, &mut *tale.client, &mut tale.account);
            let attempts =
                Attempts { client, order: &order, way: &way, terms, shape: &shape, account, name: &name };
            match marked {
                Ok(()) => attempts.run(request).await.map(Done::Passed),
                Err(failure) => Err(failure),
            }
        }
        Deed::Answer(answer) => Ok(Done::Own(answer)),
        Deed::Refuse(failure) => Err(failure),
    };
    let answer = match result {
        Ok(Done::Passed(reusable)) => return tale.end(reusable, None),
        Ok(Done::Own(answer)) => answer,
        Err(failure) => {
            let account = &mut tale.account;
            account.fail(&failure);
            let gone = matches!(failure, Failure::ClientGone(_));
            if account.status_sent || gone {
                if !account.status_sent {
                    account.status = failure.status();
                }
                return tale.end(false, Some(failure.reset()));
            }
            let close = failure.is_of_client();
            Answer { close, ..Answer::of(&failure, shape.reply) }
        }
    };
    let reusable = put_own(tale.client, answer, &order, &shape, &terms, &mut tale.account).await;
    tale.end(reusable, None)
}

/// What became of a request.
enum Done {
    /// Its response was passed on whole; whether the client's connection can take another request.
    Passed(bool),
    /// It is answered here.
    Own(Answer),
}

/// Sends an answer of our own as the request's route wants it. Whether the connection can take another request.
async fn put_own(
    client: &mut Channel,
    mut answer: Answer,
    order: &Order,
    shape: &Shape,
    terms: &Terms<'_>,
    account: &mut Account,
) -> bool {
    account.status = answer.status;
    account.grpc_status = answer.fields.get(GRPC_STATUS).cloned();
    stamp(&mut answer.fields, &terms.date, account.id.clone());
    order.dress(&shape.asking, &mut answer.fields);
    let close = answer.close || !shape.keep_alive || shape.old || terms.last || !client.has_read_all();
    let within = terms.client.door().listener.clocks.body;
    let told = put_answer(client, &answer, shape.asked.head, close, within).await;
    if told.is_err() {
        account.error.get_or_insert(Failure::Unread.proxy_error());
    }
    told.is_ok() && !close
}

/// The status of a call, in trailers or where there are no others.
pub(super) const GRPC_STATUS: header::HeaderName = header::HeaderName::from_static("grpc-status");

/// Adds what every response says.
pub(crate) fn stamp(fields: &mut HeaderMap, date: &HeaderValue, id: Option<HeaderValue>) {
    fields.entry(header::DATE).or_insert_with(|| date.clone());
    if let Some(id) = id {
        fields.insert(X_REQUEST_ID, id);
    }
}

pub(super) fn stream_head(status: StatusCode, fields: HeaderMap, length: Option<u64>) -> http::Response<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = fields;
    if let Some(length) = length {
        head.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    head
}

/// A client has gone, or has not read what it was answered in time.
#[derive(Debug)]
pub(crate) struct Unread;

/// Sends an answer of our own, whole.
pub(crate) async fn put_answer(
    client: &mut Channel,
    answer: &Answer,
    head: bool,
    close: bool,
    within: Duration,
) -> Result<(), Unread> {
    put_whole(client, answer, head, close)?;
    let flushed = tokio::time::timeout(within, poll_fn(|cx| client.poll_flush(cx))).await;
    if matches!(flushed, Ok(Ok(()))) { Ok(()) } else { Err(Unread) }
}

/// Puts an answer of our own, whole.
pub(super) fn put_whole(
    client: &mut Channel,
    answer: &Answer,
    head: bool,
    close: bool,
) -> Result<(), Unread> {
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
            let head = stream_head(answer.status, answer.fields.clone(), length);
            stream.put_response(head, ended).map_err(|_| Unread)?;
            if !ended {
                stream.put_data(answer.body.clone());
                stream.put_end(HeaderMap::new());
            }
        }
    }
    Ok(())
}
