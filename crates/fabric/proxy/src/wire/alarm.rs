//! One timer for all clocks of a task.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

/// Wakes its task at a time that is often put off and seldom reached: to put it off costs nothing.
#[derive(Debug)]
pub struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: Instant,
}

impl Alarm {
    /// An alarm that rings at a time.
    pub fn new(at: Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(at.into())), at }
    }

    /// Sets when it rings.
    pub fn set(&mut self, at: Instant) {
        self.at = at;
        // A sleep that ends too early is begun again when it does.
        if at < self.sleep.deadline().into_std() {
            self.sleep.as_mut().reset(at.into());
        }
    }

    /// Ready once its time has come.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Bound: the second turn waits until the time that is meant, which lies ahead.
        loop {
            if self.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= self.at {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.at.into());
        }
    }
}
