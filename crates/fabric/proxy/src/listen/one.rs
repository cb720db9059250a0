//! A client's connection of HTTP/1.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::accept::DRAIN_IDLE;
use super::handle::{Then, handle, refuse};
use super::worker::Worker;
use crate::forward::{Client, Failure};
use crate::gate::Request;
use crate::model::Clocks;
use crate::plane::is_set;
use crate::wire::{Alarm, Broken, Channel, Connection};

/// What a client gets to read a last answer before its connection is closed.
const LINGER: Duration = Duration::from_secs(2);
/// So much of what a client still sends is read before its connection is closed.
const LINGER_BYTES_MAX: u64 = 256 << 10;

/// What a connection brings.
enum Next {
    Request(Box<Request>),
    Refused(Failure),
    End,
}

/// Serves a connection until it ends. `begun`: since when its first head comes, if that has begun.
pub(super) async fn serve(
    worker: &Worker,
    client: &Client,
    connection: Box<Connection>,
    mut begun: Option<Instant>,
) {
    let clocks = &client.door().listener.clocks;
    let mut alarm = Alarm::new(Instant::now() + clocks.idle);
    let mut channel = Channel::One(connection);
    let mut drain = client.door().bound.drained();
    // Bound: each turn is a request of the client, or the last.
    loop {
        let Channel::One(connection) = &mut channel else { return };
        connection.begin();
        let mut wait = Wait { since: Instant::now(), begun: begun.take(), idle: clocks.idle };
        let next = tokio::select! {
            biased;
            next = poll_fn(|cx| wait.poll(cx, connection, &mut alarm, clocks)) => next,
            () = is_set(&mut drain) => {
                // Another request may be on its way: it is answered, and told that it is the last.
                wait = Wait { since: Instant::now(), idle: DRAIN_IDLE, ..wait };
                poll_fn(|cx| wait.poll(cx, connection, &mut alarm, clocks)).await
            }
        };
        let then = match next {
            Next::End => return,
            // What a request needs is large, and given back before the next one is waited for.
            Next::Request(request) => {
                Box::pin(handle(worker, client, &mut channel, *request, &mut alarm)).await
            }
            Next::Refused(failure) => {
                refuse(worker, client, &mut channel, failure).await;
                Then::Linger
            }
        };
        match then {
            Then::Next => {}
            Then::Cut(_) => return cut(&mut channel, &mut alarm).await,
            Then::Linger => return linger(&mut channel, &mut alarm).await,
        }
    }
}

/// How long a connection has been waiting for a head.
struct Wait {
    since: Instant,
    /// How long it may be silent.
    idle: Duration,
    begun: Option<Instant>,
}

impl Wait {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        alarm: &mut Alarm,
        clocks: &Clocks,
    ) -> Poll<Next> {
        match connection.poll_request(cx) {
            Poll::Ready(Ok(Some(request))) => return Poll::Ready(Next::Request(Box::new(request))),
            Poll::Ready(Err(Broken::Fault(fault))) => return Poll::Ready(Next::Refused(fault.into())),
            Poll::Ready(Ok(None) | Err(_)) => return Poll::Ready(Next::End),
            Poll::Pending => {}
        }
        if connection.has_begun() {
            let begun = *self.begun.get_or_insert_with(Instant::now);
            alarm.set(begun + clocks.header);
        } else {
            alarm.set(self.since + self.idle);
        }
        ready!(alarm.poll(cx));
        Poll::Ready(if self.begun.is_some() { Next::Refused(Failure::HeadTime) } else { Next::End })
    }
}

async fn linger(channel: &mut Channel, alarm: &mut Alarm) {
    let Channel::One(connection) = channel else { return };
    alarm.set(Instant::now() + LINGER);
    let bytes_max = connection.counted().0 + LINGER_BYTES_MAX;
    poll_fn(|cx| match connection.poll_linger(cx, bytes_max) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => alarm.poll(cx),
    })
    .await;
}

/// Ends a connection inside a response: what there is of it leaves, and its end cannot be taken for that of the body.
async fn cut(channel: &mut Channel, alarm: &mut Alarm) {
    let Channel::One(connection) = channel else { return };
    alarm.set(Instant::now() + LINGER);
    poll_fn(|cx| match connection.poll_flush(cx) {
        Poll::Ready(_) => Poll::Ready(()),
        Poll::Pending => alarm.poll(cx),
    })
    .await;
    connection.reset_if_unmarked();
}
