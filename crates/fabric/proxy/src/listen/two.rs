//! A client's connection of HTTP/2.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use tokio::task::JoinSet;

use super::handle::{Then, handle, refuse};
use super::worker::Worker;
use crate::forward::Client;
use crate::gate;
use crate::plane::{Door, is_set};
use crate::wire::{Alarm, Channel, Socket, Stream, Watched};

/// What a client may send ahead on one stream, and on all of its connection.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// So many times longer than a head may be is one that is read and answered 431; at an even longer one the connection ends.
const HEADS_READ: usize = 4;
/// What is buffered of responses on one stream.
const SEND_BUFFER_BYTES_MAX: usize = 64 << 10;

/// Serves a connection until it ends.
pub(super) async fn serve(worker: &Arc<Worker>, client: &Arc<Client>, socket: Socket) {
    let door = client.door();
    let clocks = &door.listener.clocks;
    let (guarded, watched) = socket.guarded();
    let begun = tokio::time::timeout(clocks.header, begin(door, guarded)).await;
    let Ok(Ok(mut connection)) = begun else { return };
    let mut streams = JoinSet::new();
    let _streaming = door.bound.stream();
    let (mut drain, mut end) = (door.bound.drained(), door.bound.ended());
    let (mut draining, mut ending) = (false, false);
    let mut idle = Alarm::new(Instant::now() + clocks.idle);
    // Bound: each turn is a stream of the client, the end of one, or the last.
    loop {
        let idle_at = match (ending, streams.is_empty()) {
            (true, _) => END,
            (false, true) => clocks.idle,
            (false, false) => FAR,
        };
        let until = Instant::now() + idle_at;
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    let (worker, client) = (Arc::clone(worker), Arc::clone(client));
                    streams.spawn(async move { stream(&worker, &client, request, respond).await });
                }
                Some(Err(error)) => {
                    if error.is_go_away() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM) {
                        tell_flood(client, &watched, clocks.header);
                    }
                    break;
                }
                None => break,
            },
            Some(_) = streams.join_next() => {}
            () = is_too_much(&watched, clocks.header), if !ending => {
                ending = true;
                tell_flood(client, &watched, clocks.header);
                connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            }
            () = is_set(&mut drain), if !draining => {
                draining = true;
                connection.graceful_shutdown();
            }
            () = is_set(&mut end), if draining && !ending => {
                ending = true;
                streams.abort_all();
            }
            () = poll_fn(|cx| {
                let head = watched.head_since().filter(|_| !ending).map(|since| since + clocks.header);
                idle.set(head.map_or(until, |at| until.min(at)));
                idle.poll(cx)
            }) => {
                if Instant::now() < until {
                    // It was about a head, which is late, or whose rest has come.
                    continue;
                }
                // Asked to go before, and with nothing to do since: it does not read.
                if ending || draining {
                    break;
                }
                draining = true;
                connection.graceful_shutdown();
            }
        }
    }
    drop(connection);
    // Its streams find it gone, and are told of.
    let rest = async { while streams.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(END, rest).await;
}

/// Says how much a client may send ahead, and begins with it.
async fn begin(door: &Door, socket: Socket) -> Result<server::Connection<Socket, Bytes>, h2::Error> {
    let head_bytes_max = door.limits.head_bytes_max.saturating_mul(HEADS_READ);
    server::Builder::new()
        .enable_connect_protocol()
        .max_concurrent_streams(door.listener.bounds.streams)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER_BYTES_MAX)
        .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
        .handshake(socket)
        .await
}

/// Ready when a connection has brought too much that carries nothing, or a head that does not end; its task is woken
/// then.
async fn is_too_much(watched: &Watched, head: Duration) {
    let is = || watched.is_flooded() || is_late(watched, head);
    poll_fn(|_| if is() { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// Whether the head of a message waits for its rest for longer than it may.
fn is_late(watched: &Watched, head: Duration) -> bool {
    watched.head_since().is_some_and(|since| since.elapsed() >= head)
}

/// Tells of a client that was told to be calm.
fn tell_flood(client: &Client, watched: &Watched, head: Duration) {
    let bound = &client.door().bound;
    if bound.turned_away.note_flood() {
        let (listener, peer) = (&client.door().listener.name, client.peer);
        let reason = if is_late(watched, head) {
            "a head does not end"
        } else if watched.is_flooded() {
            "frames that carry nothing"
        } else {
            "streams that are reset, or heads that do not end"
        };
        tracing::warn!(listener, %peer, reason, "a connection of HTTP/2 is ended by ENHANCE_YOUR_CALM");
    }
}

/// What requests get to end once their connection is gone.
const END: Duration = Duration::from_secs(2);
/// Later than any time that is waited for.
const FAR: Duration = Duration::from_hours(24);

async fn stream(
    worker: &Worker,
    client: &Client,
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let (mut parts, body) = request.into_parts();
    let protocol = parts.extensions.remove::<h2::ext::Protocol>();
    let ended = body.is_end_stream();
    let passed = gate::stream_request(
        parts,
        protocol.as_ref().map(h2::ext::Protocol::as_str),
        ended,
        &client.door().limits,
    );
    let mut channel = Channel::Two(Box::new(Stream::accepted(body, respond)));
    let then = match passed {
        Ok(request) => {
            let mut alarm = Alarm::new(Instant::now() + client.door().listener.clocks.idle);
            handle(worker, client, &mut channel, request, &mut alarm).await
        }
        Err(fault) => {
            refuse(worker, client, &mut channel, fault.into()).await;
            Then::Linger
        }
    };
    if let (Then::Cut(reason), Channel::Two(stream)) = (then, &mut channel) {
        stream.abort(reason);
    }
}
