//! `StreamActivatedJobs`: jobs are pushed as they become activatable, as fast as the client reads.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use coreto_protocol::gateway as pb;
use coreto_record::ActivatedJob;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::convert;
use crate::desk::{Desk, Kind};
use crate::gateway::{self, Gateway, Shared};
use crate::status::Failure;
use coreto_engine::{SinkKind, SinkSpec};

pub(crate) fn open(
    gateway: &Gateway,
    metadata: &MetadataMap,
    request: pb::StreamActivatedJobsRequest,
) -> Result<Open, Failure> {
    gateway::without_key(metadata)?;
    let limits = &gateway.shared.config.limits;
    convert::not_blank("type", &request.r#type)?;
    convert::at_least_one("timeout", request.timeout)?;
    convert::unbuilt(request.with_lease, "withLease")?;
    let tenants = convert::tenants(&request.tenant_ids, request.tenant_filter)?;
    let spec = SinkSpec {
        job_type: convert::name(limits, "type", request.r#type)?,
        worker: convert::name(limits, "worker", request.worker)?,
        timeout_ms: request.timeout,
        fetch: convert::fetch(limits, "fetchVariable", request.fetch_variable)?.into(),
        tenants,
        kind: SinkKind::Stream,
    };
    Open::new(gateway, spec, Kind::Stream, gateway.shared.config.stream_credit)
}

/// An open sink. Dropped, it is closed, and what nobody took is given back.
pub(crate) struct Open {
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    /// The number that the engine gave.
    pub(crate) number: u64,
}

impl Open {
    pub(crate) fn new(gateway: &Gateway, spec: SinkSpec, kind: Kind, credit: u32) -> Result<Self, Failure> {
        let Gateway { shared, desk, number } = gateway;
        if shared.is_draining() {
            return Err(Failure::Draining);
        }
        let waiting_max = shared.config.waiting_max;
        if desk.local().sinks.len() >= waiting_max {
            return Err(Failure::TooManyWait { waiting_max });
        }
        // A job that is pushed at once lies in the inbox until the thread that runs this returns to it.
        let sink = shared.outlet.open(*number, &*shared.backend, spec, credit);
        desk.local().sinks.open(sink, kind);
        Ok(Self { shared: Arc::clone(shared), desk: Arc::clone(desk), number: sink })
    }
}

impl Open {
    /// Takes the next job of a stream, or `None` at its end.
    pub(crate) fn poll_job(&self, context: &mut Context<'_>) -> Poll<Option<Box<ActivatedJob>>> {
        let (job, credit) = {
            let mut local = self.desk.local();
            let sweep = local.sweep;
            local.sinks.take(self.number, sweep, context.waker())
        };
        if credit > 0 {
            self.shared.backend.add_credit(self.number, credit);
        }
        job
    }
}

/// The jobs of one stream, for whoever does not encode them himself.
pub(crate) struct Jobs(pub(crate) Open);

impl tokio_stream::Stream for Jobs {
    type Item = Result<pb::ActivatedJob, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_job(context).map(|job| job.map(|job| Ok(convert::job(&job))))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Self { shared, desk, number } = self;
        shared.outlet.close(&*shared.backend, *number);
        let unread = desk.local().sinks.close(*number);
        shared.outlet.give_back(&*shared.backend, unread);
    }
}
