//! Connections of a listener.
//!
//! **In:** a socket that listens, and what becomes of each connection.
//! **Out:** connections that are served, each in a task of its own.
//!
//! # Invariants
//! - No more connections are open than was said; those that come meanwhile wait to be accepted.
//! - When it drains no more are accepted, and those that are open get a bounded time to end.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long to wait when no connection can be accepted, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often at most it is told that no connection can be accepted.
const ACCEPT_TOLD: Duration = Duration::from_secs(1);

/// What is served, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What connections are of, for the log.
    pub what: &'static str,
    /// Connections at a time.
    pub connections_max: usize,
    /// How long those that are open at the drain may take to end; then they are cut.
    pub drain_max: Duration,
}

/// Serves until `drain` is ready and all connections have ended, or [`Limits::drain_max`] is over. Who has to hear of
/// the drain, such as the connections, is told by `drain` itself.
pub async fn serve<C: Future<Output = ()> + Send + 'static>(
    listener: &TcpListener,
    limits: Limits,
    drain: impl Future<Output = ()>,
    mut connection: impl FnMut(TcpStream) -> C,
) {
    let Limits { what, connections_max, drain_max } = limits;
    let permits = Arc::new(Semaphore::new(connections_max));
    let mut open = JoinSet::new();
    let mut drain = pin!(drain);
    let mut told: Option<Instant> = None;
    // Bound: until the drain.
    loop {
        let accept = async {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("it is never closed");
            (listener.accept().await, permit)
        };
        tokio::select! {
            (accepted, permit) = accept => match accepted {
                Ok((stream, _)) => {
                    let connection = connection(stream);
                    open.spawn(async move {
                        connection.await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    if told.is_none_or(|told| told.elapsed() >= ACCEPT_TOLD) {
                        tracing::warn!(%error, what, "cannot accept a connection");
                        told = Some(Instant::now());
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            _ = open.join_next(), if !open.is_empty() => (),
            () = drain.as_mut() => break,
        }
    }
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(drain_max, all).await.is_err() {
        tracing::info!(what, "connections are cut: the drain took too long");
    }
}
