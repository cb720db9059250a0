//! Workers, one runtime each.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Ledger;
use super::accept::accept;
use super::worker::Worker;
use crate::plane::{Plane, is_set};
use crate::tend::{Registry, tend};

/// Serves the listeners of a plane, those that it gets later, too.
pub struct Service {
    plane: Arc<Plane>,
    ledger: Arc<dyn Ledger>,
    workers: usize,
    registry: Option<Arc<dyn Registry>>,
}

/// Workers that serve.
pub struct Serving(Vec<JoinHandle<io::Result<()>>>);

/// How often connections that nobody uses are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Service {
    /// So many threads for the listeners of a plane. Nothing is served before [`Service::run`].
    pub fn new(plane: Arc<Plane>, workers: usize, ledger: Arc<dyn Ledger>) -> Self {
        Self { plane, ledger, workers: workers.max(1), registry: None }
    }

    /// With somebody who knows services, for clusters that name one.
    #[must_use]
    pub fn with_registry(self, registry: Arc<dyn Registry>) -> Self {
        Self { registry: Some(registry), ..self }
    }

    /// Serves until the plane is drained and all requests have ended, or the time for that is over.
    ///
    /// # Errors
    /// When a worker cannot be started. Failing connections are no error.
    pub fn run(self) -> io::Result<()> {
        self.start()?.wait()
    }

    /// Begins to serve.
    ///
    /// # Errors
    /// When a worker cannot be started.
    pub fn start(self) -> io::Result<Serving> {
        self.plane.prepare(self.workers)?;
        let mut threads = Vec::new();
        let (plane, registry, beside) = (Arc::clone(&self.plane), self.registry, runtime()?);
        let tend = move || {
            beside.block_on(tend(plane, registry));
            Ok(())
        };
        threads.push(std::thread::Builder::new().name("proxy-tend".to_owned()).spawn(tend)?);
        for number in 0..self.workers {
            let worker = Worker::new(number, Arc::clone(&self.plane), Arc::clone(&self.ledger));
            let runtime = runtime()?;
            let last = Last(Arc::clone(&self.plane));
            let serve = move || {
                let _last = last;
                runtime.block_on(work(&Arc::new(worker)))
            };
            threads.push(std::thread::Builder::new().name(format!("proxy-{number}")).spawn(serve)?);
        }
        Ok(Serving(threads))
    }
}

/// Where one worker ends, all do: what only some of them serve looks well from outside and is not.
struct Last(Arc<Plane>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.drain();
    }
}

impl Serving {
    /// Waits until the plane is drained and all requests have ended, or the time for that is over.
    ///
    /// # Errors
    /// When a worker could not go on; the others were drained then. Failing connections are no error.
    pub fn wait(self) -> io::Result<()> {
        for thread in self.0 {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))?;
        }
        Ok(())
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Serves what one worker accepts, until the drain.
async fn work(worker: &Arc<Worker>) -> io::Result<()> {
    let mut doors = JoinSet::new();
    let mut known = HashSet::new();
    let mut turns = worker.plane.turns();
    let mut drained = worker.plane.drained();
    let keeping = tokio::spawn(keep(Arc::clone(worker)));
    // Bound: until the drain, and then until all doors are closed.
    loop {
        turns.mark_unchanged();
        for door in &worker.local().force().doors {
            // All workers accept from one queue: none is lost when a worker ends, and none waits behind a busy one.
            if known.insert(door.bound.id)
                && let Some(listener) = door.bound.accepting()
            {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                doors.spawn(accept(Arc::clone(worker), Arc::clone(&door.bound), listener));
            }
        }
        tokio::select! {
            _ = turns.changed() => {}
            Some(_) = doors.join_next() => {}
            () = is_set(&mut drained) => break,
        }
    }
    while doors.join_next().await.is_some() {}
    keeping.abort();
    Ok(())
}

/// Lets connections to endpoints go that nobody uses, or that other workers need more.
async fn keep(worker: Arc<Worker>) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    let mut calls = worker.plane.calls().heard();
    // Bound: until the worker ends.
    loop {
        tokio::select! {
            _ = sweep.tick() => worker.pool.sweep(),
            Ok(()) = calls.changed() => worker.pool.let_go(),
        }
    }
}
