//! The service `grpc.health.v1.Health`: whether all partitions are healthy.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::gateway::Shared;
use crate::status::Failure;

/// Names under which health can be asked for; the empty one is the server as a whole.
const SERVICES: [&str; 3] = ["", "gateway_protocol.Gateway", "coreto.v1.Inspect"];

/// How often a watcher's answer is looked at again.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) struct Checks {
    pub(crate) shared: Arc<Shared>,
}

fn status(shared: &Shared) -> ServingStatus {
    let healthy = |number| matches!(shared.backend.health(number), coreto_partition::Health::Healthy);
    if !shared.is_draining() && (1..=shared.backend.partitions()).all(healthy) {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for Checks {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = &request.get_ref().service;
        if SERVICES.contains(&&**service) {
            return Ok(Response::new(response(status(&self.shared))));
        }
        Err(Failure::Unknown { what: format!("there is no service `{service}` here") }.into())
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = SERVICES.contains(&&*request.get_ref().service);
        Ok(Response::new(Box::pin(Watch {
            shared: Arc::clone(&self.shared),
            looks: tokio::time::interval(LOOK),
            known,
            last: None,
        })))
    }
}

/// Tells the status at once, and then each time that it has changed; ends when the server drains.
struct Watch {
    shared: Arc<Shared>,
    looks: tokio::time::Interval,
    known: bool,
    last: Option<ServingStatus>,
}

impl Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        loop {
            std::task::ready!(self.looks.poll_tick(context));
            let now = if self.known { status(&self.shared) } else { ServingStatus::ServiceUnknown };
            let draining = self.shared.is_draining();
            if self.last != Some(now) {
                self.last = Some(now);
                return std::task::Poll::Ready(Some(Ok(response(now))));
            }
            if draining {
                return std::task::Poll::Ready(None);
            }
        }
    }
}
