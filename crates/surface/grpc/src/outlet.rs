//! Takes pushed jobs from the partitions' log threads to the runtime thread that holds the stream or poll.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use coreto_partition::Effects;

use crate::backend::Backend;
use crate::desk::{Delivery, Desk};
use crate::interim::{Effect, Engine, SinkSpec};

/// Where the partitions send jobs that they push. Made before the partitions, and then given to
/// [`Config::build`](crate::Config::build).
pub struct Outlet {
    desks: Vec<Arc<Desk>>,
    /// Which desk holds a sink; not used with one desk.
    routes: Mutex<HashMap<u64, usize>>,
}

impl Outlet {
    /// An outlet for a gateway with this many threads (at least one). Where cores are few, one is fastest.
    pub fn new(threads: usize) -> Arc<Self> {
        let desks = (0..threads.max(1)).map(|_| Arc::new(Desk::default())).collect();
        Arc::new(Self { desks, routes: Mutex::default() })
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
