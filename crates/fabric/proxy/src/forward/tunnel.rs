//! Bytes both ways after a connection has switched protocols.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;

use super::Failure;
use super::exchange::{Flow, Side};
use super::frames::{GOODBYE, MASKED_GOODBYE};
use crate::wire::{Alarm, Channel};

/// How long a word of farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Moves bytes both ways until both sides have ended, one has broken, or nothing has moved for `idle`. `frames`:
/// whether they are those of a WebSocket, whose sides are told when it does not end by itself.
pub(super) async fn run(
    client: &mut Channel,
    server: &mut Channel,
    alarm: &mut Alarm,
    idle: Duration,
    frames: bool,
) -> Result<(), Failure> {
    let (up, down) = (Flow::of_frames(frames), Flow::of_frames(frames));
    let mut tunnel = Tunnel { client, server, up, down, ended: false };
    let mut moved_at = Instant::now();
    let ended = poll_fn(|cx| {
        let before = tunnel.moved();
        if let Poll::Ready(ended) = tunnel.poll(cx) {
            return Poll::Ready(ended);
        }
        if tunnel.moved() != before {
            moved_at = Instant::now();
        }
        alarm.set(moved_at + idle);
        alarm.poll(cx).map(|()| Err(Failure::IdleTime))
    })
    .await;
    if matches!(ended, Err(Failure::IdleTime)) {
        let _ = tokio::time::timeout(FAREWELL, poll_fn(|cx| tunnel.poll_farewell(cx))).await;
    }
    tunnel.ended = true;
    ended
}

struct Tunnel<'a> {
    client: &'a mut Channel,
    server: &'a mut Channel,
    up: Flow,
    down: Flow,
    ended: bool,
}

impl Tunnel<'_> {
    fn moved(&self) -> (u64, u64) {
        (self.up.moved, self.down.moved)
    }

    /// Ready when both sides have ended, or one has broken.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let Self { client, server, up, down, .. } = self;
        let flows = [up.poll(cx, client, server), down.poll(cx, server, client)];
        let mut ended = true;
        for (flow, to_server) in flows.into_iter().zip([true, false]) {
            match flow {
                Poll::Pending => ended = false,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(Side::From(broken))) if to_server => {
                    return Poll::Ready(Err(Failure::ClientGone(broken)));
                }
                Poll::Ready(Err(Side::To(broken))) if !to_server => {
                    return Poll::Ready(Err(Failure::ClientGone(broken)));
                }
                Poll::Ready(Err(Side::From(broken) | Side::To(broken))) => {
                    return Poll::Ready(Err(Failure::Incomplete(broken)));
                }
            }
        }
        if ended { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Tells both sides of a WebSocket that it goes away, where that can be said. Ready when they have been told.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { client, server, up, down, .. } = self;
        let told = [poll_goodbye(cx, down, client, GOODBYE), poll_goodbye(cx, up, server, MASKED_GOODBYE)];
        if told.iter().all(Poll::is_ready) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn poll_goodbye(cx: &mut Context<'_>, flow: &mut Flow, to: &mut Channel, goodbye: &'static [u8]) -> Poll<()> {
    if let Some(frames) = flow.frames.as_mut().filter(|frames| !flow.ended && frames.may_end()) {
        // A side that has broken is told nothing.
        if ready!(to.poll_room(cx)).is_ok() {
            to.put_data(Bytes::from_static(goodbye));
            let _ = to.put_end(HeaderMap::new());
        }
        frames.pass(goodbye);
    }
    to.poll_flush(cx).map(drop)
}

impl Drop for Tunnel<'_> {
    /// What is dropped while it is open is ended by a drain: nobody waits for it any more.
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.poll_farewell(&mut Context::from_waker(Waker::noop()));
        }
    }
}
