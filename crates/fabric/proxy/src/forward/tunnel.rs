//! Bytes both ways after a connection has switched protocols.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Failure;
use super::exchange::{Flow, Side};
use crate::wire::{Alarm, Channel};

/// Moves bytes both ways until both sides have ended, one has broken, or nothing has moved for `idle`.
pub(super) async fn run(
    client: &mut Channel,
    server: &mut Channel,
    alarm: &mut Alarm,
    idle: Duration,
) -> Result<(), Failure> {
    let (mut up, mut down) = (Flow::default(), Flow::default());
    let mut moved_at = Instant::now();
    poll_fn(|cx| {
        let before = (up.moved, down.moved);
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
        if ended {
            return Poll::Ready(Ok(()));
        }
        if (up.moved, down.moved) != before {
            moved_at = Instant::now();
        }
        alarm.set(moved_at + idle);
        alarm.poll(cx).map(|()| Err(Failure::IdleTime))
    })
    .await
}
