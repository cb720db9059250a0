//! `ActivateJobs`: takes jobs that are there, or waits for the first to come.
//!
//! A waiting call is a sink of the engine's, which hands it jobs in the batch that makes them activatable, and
//! one timer. It ends with what that batch brought, or empty and OK when its time is over.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use coreto_protocol::gateway as pb;
use coreto_record::command::ActivateJobs;
use coreto_record::{ActivatedJob, Command, Reply};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use crate::convert;
use crate::desk::{Kind, Outcome, Pending};
use crate::gateway::{self, Call, Gateway, Shared};
use crate::status::Failure;
use crate::stream::Open;
use coreto_engine::{SinkKind, SinkSpec, message_bytes};

/// The answer: one message with all jobs, or none. Dropped unread, its jobs are given back.
pub(crate) struct Batches {
    shared: Arc<Shared>,
    jobs: Vec<ActivatedJob>,
}

impl tokio_stream::Stream for Batches {
    type Item = Result<pb::ActivateJobsResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let jobs = std::mem::take(&mut self.jobs);
        Poll::Ready(
            (!jobs.is_empty())
                .then(|| Ok(pb::ActivateJobsResponse { jobs: jobs.iter().map(convert::job).collect() })),
        )
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        let Self { shared, jobs } = self;
        shared.outlet.give_back(&*shared.backend, jobs.drain(..));
    }
}

pub(crate) async fn activate(
    gateway: &Gateway,
    request: Request<pb::ActivateJobsRequest>,
) -> Result<Batches, Failure> {
    let (metadata, _, request) = request.into_parts();
    gateway::without_key(&metadata)?;
    let wait = match request.request_timeout {
        ..0 => None,
        0 => Some(gateway.shared.config.poll_timeout),
        ms => Some(Duration::from_millis(ms.unsigned_abs())),
    };
    let command = wish(gateway, request)?;
    let jobs = match wait {
        None => take(gateway, &command).await?,
        Some(wait) => take_or_wait(gateway, command, wait).await?,
    };
    Ok(Batches { shared: Arc::clone(&gateway.shared), jobs })
}

fn wish(gateway: &Gateway, request: pb::ActivateJobsRequest) -> Result<ActivateJobs, Failure> {
    let limits = &gateway.shared.config.limits;
    convert::not_blank("type", &request.r#type)?;
    convert::not_blank("worker", &request.worker)?;
    convert::at_least_one("timeout", request.timeout)?;
    convert::at_least_one("maxJobsToActivate", request.max_jobs_to_activate.into())?;
    convert::unbuilt(request.with_lease, "withLease")?;
    let tenants = convert::tenants(&request.tenant_ids, request.tenant_filter)?;
    Ok(ActivateJobs {
        job_type: convert::name(limits, "type", request.r#type)?,
        worker: convert::name(limits, "worker", request.worker)?,
        timeout: request.timeout,
        max: request.max_jobs_to_activate,
        fetch: convert::fetch(limits, "fetchVariable", request.fetch_variable)?,
        tenants: tenants.to_vec(),
        poll: 0,
    })
}

/// Asks each partition once, until one has jobs.
async fn take(gateway: &Gateway, command: &ActivateJobs) -> Result<Vec<ActivatedJob>, Failure> {
    let mut busy = None;
    for partition in partitions(gateway) {
        match ask(gateway, partition, command.clone(), false) {
            Ok(pending) => {
                let jobs = activated(pending.await, gateway)?;
                if !jobs.is_empty() {
                    return Ok(jobs);
                }
            }
            Err(Failure::Refused(refused)) => busy = Some(Failure::Refused(refused)),
            Err(failure) => return Err(failure),
        }
    }
    busy.map_or(Ok(Vec::new()), Err)
}

/// Parks at every partition, and ends with the first jobs that come from any.
async fn take_or_wait(
    gateway: &Gateway,
    mut command: ActivateJobs,
    wait: Duration,
) -> Result<Vec<ActivatedJob>, Failure> {
    let max = command.max.unsigned_abs();
    let spec = SinkSpec {
        job_type: command.job_type.clone(),
        worker: command.worker.clone(),
        timeout_ms: command.timeout,
        fetch: command.fetch.as_slice().into(),
        tenants: command.tenants.as_slice().into(),
        kind: SinkKind::Poll { max },
    };
    let sink = Open::new(gateway, spec, Kind::Poll, max)?;
    command.poll = sink.number;
    let mut timer = pin!(tokio::time::sleep(wait));
    let mut jobs = Vec::new();
    let mut busy = None;
    for partition in partitions(gateway) {
        let pending = match ask(gateway, partition, command.clone(), true) {
            Ok(pending) => pending,
            Err(Failure::Refused(refused)) => {
                busy = Some(Failure::Refused(refused));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        match first(gateway, &sink, Some(pending), timer.as_mut()).await {
            First::Answered(outcome) => jobs = activated(outcome, gateway)?,
            First::Pushed(pushed) => jobs = pushed,
            First::TimeOver => return Ok(jobs),
        }
        if !jobs.is_empty() {
            break;
        }
    }
    if let (true, Some(failure)) = (jobs.is_empty(), busy) {
        return Err(failure);
    }
    if jobs.is_empty() {
        match first(gateway, &sink, None, timer.as_mut()).await {
            First::Pushed(pushed) => jobs = pushed,
            First::Answered(_) | First::TimeOver => (),
        }
    }
    let surplus = jobs.split_off(fitting(&jobs, max, gateway.shared.config.limits.message_bytes_max));
    gateway.shared.outlet.give_back(&*gateway.shared.backend, surplus);
    Ok(jobs)
}

/// How many of the jobs an answer may carry: several partitions may each have given as many as that.
fn fitting(jobs: &[ActivatedJob], max: u32, bytes_max: usize) -> usize {
    let mut bytes = 0;
    let fits = |job: &&ActivatedJob| {
        bytes += message_bytes(job);
        bytes <= bytes_max
    };
    jobs.iter().take(max as usize).take_while(fits).count()
}

/// Each partition once, beginning with another one at each call.
fn partitions(gateway: &Gateway) -> impl Iterator<Item = u32> + use<> {
    let count = gateway.shared.backend.partitions();
    let first = if count == 1 { 0 } else { gateway.shared.turn.fetch_add(1, Ordering::Relaxed) };
    (0..count).map(move |offset| first.wrapping_add(offset) % count + 1)
}

/// What ends a wait.
enum First {
    Answered(Outcome),
    Pushed(Vec<ActivatedJob>),
    TimeOver,
}

async fn first(
    gateway: &Gateway,
    sink: &Open,
    mut pending: Option<Pending<'_>>,
    mut timer: Pin<&mut tokio::time::Sleep>,
) -> First {
    poll_fn(|context| {
        if let Poll::Ready(jobs) = gateway.desk.local().sinks.take_all(sink.number, context.waker()) {
            return Poll::Ready(First::Pushed(jobs));
        }
        if let Some(pending) = &mut pending
            && let Poll::Ready(outcome) = Pin::new(pending).poll(context)
        {
            return Poll::Ready(First::Answered(outcome));
        }
        timer.as_mut().poll(context).map(|()| First::TimeOver)
    })
    .await
}

fn ask(
    gateway: &Gateway,
    partition: u32,
    command: ActivateJobs,
    patient: bool,
) -> Result<Pending<'_>, Failure> {
    let pending = gateway.desk.expect_answer(patient);
    let command = Command::ActivateJobs(command);
    let metadata = &MetadataMap::new();
    gateway.submit(partition, Call { metadata, operation_reference: None, command }, pending.ticket())?;
    Ok(pending)
}

fn activated(outcome: Outcome, gateway: &Gateway) -> Result<Vec<ActivatedJob>, Failure> {
    let answer = match outcome {
        Outcome::Answer(answer) => answer,
        Outcome::TimedOut => {
            return Err(Failure::NoAnswer { after: gateway.shared.config.request_timeout });
        }
    };
    let Reply::JobsActivated(activated) = gateway::reply(answer, "ACTIVATE")? else {
        return Err(Failure::Mismatch { call: "a request for jobs" });
    };
    Ok(activated.jobs)
}
