//! What the tests have in common: a server, its clients, its data directory.

mod chance;
mod client;
mod directory;
mod management;
mod model;
mod plant;
mod server;
mod small_disk;

use std::time::{Duration, Instant};

pub(crate) use chance::Chance;
pub(crate) use client::{Client, Poll, id_of};
pub(crate) use directory::Directory;
pub(crate) use management::{ask, get, try_ask};
pub(crate) use model::one_task;
pub(crate) use plant::{Plant, tell};
pub(crate) use server::{Server, Settings};
pub(crate) use small_disk::SmallDisk;

/// How long something may take that takes a moment; long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until the answer is there.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "waited {} s for this: {what}", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A number that the environment may set.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Says that a test needs what this machine does not give.
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
