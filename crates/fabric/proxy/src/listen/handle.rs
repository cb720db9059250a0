//! One request of a client, whatever it came on.

use std::time::Instant;

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};

use super::worker::Worker;
use crate::forward::{Account, Answer, Client, Failure, Terms, decide, put_answer, run, stamp};
use crate::gate::Request;
use crate::wire::{Alarm, Channel};

/// What a connection does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It takes another request.
    Next,
    /// It is closed once the client has read what it was told.
    Linger,
    /// It is cut.
    Cut,
}

/// The methods that pass without being listed.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Carries out a request.
pub(super) async fn handle(
    worker: &Worker,
    client: &Client,
    channel: &mut Channel,
    mut request: Request,
    alarm: &mut Alarm,
) -> Then {
    let clocks = &client.door().listener.clocks;
    if is_for_us(&request) {
        let mut answer = Answer::bare(StatusCode::NO_CONTENT);
        answer.fields.insert(header::ALLOW, HeaderValue::from_static(METHODS));
        stamp(&mut answer.fields, &worker.date(), None);
        let close = !request.keep_alive || !channel.has_read_all();
        let told = put_answer(channel, &answer, false, close, clocks.body).await;
        return if told.is_ok() && !close { Then::Next } else { Then::Linger };
    }
    let started = Instant::now();
    let id = worker.id();
    client.strip(&mut request, id);
    let order = decide(&worker.plane, worker.local(), client, &request, id);
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
        (_, true) => Then::Cut,
        (true, false) => Then::Next,
        (false, false) => Then::Linger,
    }
}

/// Answers a request whose head was no request.
pub(super) async fn refuse(worker: &Worker, client: &Client, channel: &mut Channel, failure: Failure) {
    let mut answer = Answer::of(&failure, crate::forward::Reply::default());
    if failure.status() == StatusCode::METHOD_NOT_ALLOWED {
        answer.fields.insert(header::ALLOW, HeaderValue::from_static(METHODS));
    }
    stamp(&mut answer.fields, &worker.date(), None);
    let mut account = Account::unread(client.peer, failure.status());
    account.error = Some(failure.proxy_error());
    // The connection ends, whether that is read or not.
    let _ = put_answer(channel, &answer, false, true, client.door().listener.clocks.body).await;
    worker.ledger.note(worker.number, &account);
}

/// Whether a request is about the server and not about anything behind it (RFC 9110 §7.6.2, §9.3.7).
fn is_for_us(request: &Request) -> bool {
    request.method == Method::OPTIONS
        && (request.target.is_asterisk()
            || request.fields.get(header::MAX_FORWARDS).is_some_and(|left| left.as_bytes() == b"0"))
}
