//! The service `coreto.v1.Inspect`: reads of what the partitions hold.

use std::sync::Arc;

use coreto_protocol::inspect as pb;
use coreto_protocol::inspect::inspect_server;
use tonic::{Request, Response, Status};

use crate::gateway::Shared;
use crate::status::Failure;
use crate::watch::{self, Events};

/// What the calls of one runtime thread share.
pub(crate) struct Inspect {
    pub(crate) shared: Arc<Shared>,
}

#[tonic::async_trait]
impl inspect_server::Inspect for Inspect {
    type WatchStream = Events;

    async fn query(&self, _: Request<pb::QueryRequest>) -> Result<Response<pb::QueryResponse>, Status> {
        Err(Failure::Unbuilt { what: "Query" }.into())
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Events>, Status> {
        let events = watch::open(&self.shared, request.get_ref())?;
        Ok(Response::new(events))
    }
}
