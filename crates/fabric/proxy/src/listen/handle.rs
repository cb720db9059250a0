//! One request of a client, whatever it came on.

use std::time::Instant;

use h2::Reason;
use http::header::{self, HeaderValue};
use http::{Method, StatusCode, Version};

use super::worker::Worker;
use crate::forward::{
    Account, Answer, Client, Failure, Terms, Unread, decide, put_answer, request_id, run, stamp,
};
use crate::gate::Request;
use crate::wire::{Alarm, Channel};

/// What a connection does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It takes another request.
    Next,
    /// It is closed once the client has read what it was told.
    Linger,
    /// It is cut, or its stream reset by this.
    Cut(Reason),
}

/// Carries out a request.
pub(super) async fn handle(
    worker: &Worker,
    client: &Client,
    channel: &mut Channel,
    mut request: Request,
    alarm: &mut Alarm,
) -> Then {
    match hops(&request) {
        Some(0) => return answer_here(worker, client, channel, request).await,
        Some(hops) => drop(request.fields.insert(header::MAX_FORWARDS, HeaderValue::from(hops - 1))),
        None => {}
    }
    let started = Instant::now();
    let id = worker.id();
    client.strip(&mut request, id);
    let order = decide(&worker.plane, worker.local_of(&client.door().bound), client, &request, id);
    let note = |account: &Account| worker.ledger.note(worker.number, account);
    let terms = Terms {
        plane: &worker.plane,
        pool: &worker.pool,
        client,
        id,
        started,
        last: client.door().bound.is_draining(),
        date: worker.date(),
        alarm,
        note: &note,
    };
    let ended = run(channel, request, order, terms).await;
    match (ended.reusable, ended.broken) {
        (_, Some(reason)) => Then::Cut(reason),
        (true, None) => Then::Next,
        (false, None) => Then::Linger,
    }
}

/// Answers a request that is about the server and not about anything behind it.
async fn answer_here(worker: &Worker, client: &Client, channel: &mut Channel, request: Request) -> Then {
    let mut answer = Answer::bare(StatusCode::NO_CONTENT);
    answer.fields.insert(header::ALLOW, allowed(client));
    let close = !request.keep_alive || !channel.has_read_all();
    answer.close = close;
    let mut account = Account::unread(client, request.version, answer.status);
    account.method = Some(request.method);
    account.authority = Some(request.authority);
    account.target = Some(request.target);
    let told = put(worker, client, channel, answer, account).await;
    if told.is_ok() && !close { Then::Next } else { Then::Linger }
}

/// Answers a request whose head was no request.
pub(super) async fn refuse(worker: &Worker, client: &Client, channel: &mut Channel, failure: Failure) {
    let mut answer = Answer { close: true, ..Answer::of(&failure, crate::forward::Reply::default()) };
    if failure.status() == StatusCode::METHOD_NOT_ALLOWED {
        answer.fields.insert(header::ALLOW, allowed(client));
    }
    let version = match channel {
        Channel::One(_) => Version::HTTP_11,
        Channel::Two(_) => Version::HTTP_2,
    };
    let mut account = Account::unread(client, version, answer.status);
    account.fail(&failure);
    // The connection ends, whether that is read or not.
    let _ = put(worker, client, channel, answer, account).await;
}

/// Sends an answer to a request that no route is looked for, and tells of it.
async fn put(
    worker: &Worker,
    client: &Client,
    channel: &mut Channel,
    mut answer: Answer,
    mut account: Account,
) -> Result<(), Unread> {
    let started = Instant::now();
    let id = request_id(worker.id());
    stamp(&mut answer.fields, &worker.date(), Some(id.clone()));
    let told = put_answer(channel, &answer, false, answer.close, client.door().listener.clocks.body).await;
    account.id = Some(id);
    account.bytes = channel.counted();
    account.took = started.elapsed();
    worker.ledger.note(worker.number, &account);
    told
}

/// The methods that pass at a listener.
fn allowed(client: &Client) -> HeaderValue {
    HeaderValue::try_from(client.door().limits.allowed()).expect("methods are tokens")
}

/// How many times a request may still be sent on: 0 when it is for this server. None when it does not say
/// (RFC 9110 §7.6.2, §9.3.7).
fn hops(request: &Request) -> Option<u64> {
    if request.method != Method::OPTIONS {
        return None;
    }
    if request.target.is_asterisk() {
        return Some(0);
    }
    request.fields.get(header::MAX_FORWARDS)?.to_str().ok()?.parse().ok()
}
