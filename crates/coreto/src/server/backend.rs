//! The engine's partitions as the gateway sees them.

use std::sync::Arc;

use coreto_engine::{Engine, Query, SinkSpec, Sinks};
use coreto_grpc::Backend;
use coreto_machine::Caller;
use coreto_partition::{Address, Handle, Health, Refused, Request};

/// Handles of all partitions, by number from 1, and the sinks that they share.
pub(crate) struct Partitions {
    pub(crate) handles: Vec<Handle<Engine>>,
    pub(crate) sinks: Arc<Sinks>,
}

impl Partitions {
    fn handle(&self, partition: u32) -> Result<&Handle<Engine>, Refused> {
        let index = partition.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        index
            .and_then(|index| self.handles.get(index))
            .ok_or_else(|| Refused::Closed { reason: format!("there is no partition {partition}").into() })
    }
}

impl Backend for Partitions {
    fn partitions(&self) -> u32 {
        u32::try_from(self.handles.len()).unwrap_or(u32::MAX)
    }

    fn health(&self, partition: u32) -> Health {
        self.handle(partition)
            .map_or_else(|error| Health::Stopped { reason: error.to_string().into() }, Handle::health)
    }

    fn position(&self, partition: u32) -> u64 {
        self.handle(partition).map_or(0, |handle| handle.statistics().position)
    }

    fn submit(&self, partition: u32, request: Request<Engine>) -> Result<(), Refused> {
        self.handle(partition)?.submit(request)
    }

    fn query(
        &self,
        partition: u32,
        caller: Caller,
        query: Query,
        to: Address<Engine>,
    ) -> Result<(), Refused> {
        self.handle(partition)?.query(caller, query, to)
    }

    fn open_sink(&self, spec: SinkSpec, credit: u32) -> u64 {
        self.sinks.open(spec, credit)
    }

    fn add_credit(&self, sink: u64, count: u32) {
        self.sinks.add_credit(sink, count);
    }

    fn close_sink(&self, sink: u64) {
        self.sinks.close(sink);
    }
}
