//! Takes pushed jobs from the partitions' log threads to the runtime thread that holds the stream or poll.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use coreto_machine::Caller;
use coreto_partition::{Effects, Request};
use coreto_record::command::YieldJob;
use coreto_record::{ActivatedJob, Command, Key, partition_of};

use crate::backend::Backend;
use crate::desk::{Delivery, Desk};
use coreto_engine::{Effect, Engine, SinkSpec};

/// Where the partitions send jobs that they push. Made before the partitions, and then given to
/// [`Config::build`](crate::Config::build).
pub struct Outlet {
    desks: Vec<Arc<Desk>>,
    /// Which desk holds a sink; not used with one desk.
    routes: Mutex<HashMap<u64, usize>>,
    pub(crate) connections: AtomicU64,
    given_back: AtomicU64,
}

/// Numbers that describe the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Open connections.
    pub connections: u64,
    /// Open job streams.
    pub streams: u64,
    /// Polls that wait or are being answered.
    pub polls: u64,
    /// Jobs since the start that could not be handed over and were given back.
    pub given_back: u64,
}

impl Outlet {
    /// An outlet for a gateway with this many threads (at least one). Where cores are few, one is fastest.
    pub fn new(threads: usize) -> Arc<Self> {
        let desks = (0..threads.max(1)).map(|_| Arc::new(Desk::default())).collect();
        let (connections, given_back) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { desks, routes: Mutex::default(), connections, given_back })
    }

    /// How the gateway that this outlet was made for fares.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = Statistics {
            connections: self.connections.load(Ordering::Relaxed),
            given_back: self.given_back.load(Ordering::Relaxed),
            ..Statistics::default()
        };
        for desk in &self.desks {
            let (streams, polls) = desk.local().sinks.count();
            statistics.streams += streams;
            statistics.polls += polls;
        }
        statistics
    }

    /// Makes jobs activatable again that could not be handed over.
    pub(crate) fn give_back(&self, backend: &dyn Backend, jobs: impl IntoIterator<Item = ActivatedJob>) {
        for job in jobs {
            self.given_back.fetch_add(1, Ordering::Relaxed);
            let command = Command::YieldJob(YieldJob { job: job.key, deadline: job.deadline });
            let request = Request::new(command, Caller::internal(), None);
            if let Err(refused) = backend.submit(partition_of(job.key.raw()), request) {
                tracing::debug!(job = %job.key, %refused, "an undelivered job waits for its deadline");
            }
        }
    }

    pub(crate) fn desks(&self) -> &[Arc<Desk>] {
        &self.desks
    }

    /// Opens a sink whose jobs come to the desk with this number; `register` makes it known there.
    pub(crate) fn open(&self, desk: usize, backend: &dyn Backend, spec: SinkSpec, credit: u32) -> u64 {
        if self.desks.len() == 1 {
            return backend.open_sink(spec, credit);
        }
        // A job may be pushed before `open_sink` returns; whoever looks for its desk waits for the lock.
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = backend.open_sink(spec, credit);
        routes.insert(sink, desk);
        sink
    }

    /// Forgets a sink. Jobs that come for it nevertheless go to the first desk, which gives them back.
    pub(crate) fn close(&self, backend: &dyn Backend, sink: u64) {
        backend.close_sink(sink);
        if self.desks.len() > 1 {
            self.routes.lock().unwrap_or_else(PoisonError::into_inner).remove(&sink);
        }
    }

    fn perform_on_many(&self, effects: &mut Vec<Effect>) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut touched = vec![false; self.desks.len()];
        for effect in effects.drain(..) {
            match effect {
                Effect::Push { sink, job } => {
                    let desk = routes.get(&sink).copied().unwrap_or(0);
                    self.desks[desk].deliver([Delivery::Push { sink, job }]);
                    touched[desk] = true;
                }
            }
        }
        for (desk, _) in self.desks.iter().zip(touched).filter(|(_, touched)| *touched) {
            desk.wake();
        }
    }
}

impl Effects<Engine> for Outlet {
    fn perform(&self, effects: &mut Vec<Effect>) {
        let [desk] = &*self.desks else {
            return self.perform_on_many(effects);
        };
        desk.deliver(effects.drain(..).map(|effect| match effect {
            Effect::Push { sink, job } => Delivery::Push { sink, job },
        }));
        desk.wake();
    }
}
