//! `ActivateJobs`: takes jobs that are there, or waits for the first to come.
//!
//! A waiting call is a sink of the engine's, which hands it jobs in the batch that makes them activatable, and
//! one timer. It ends with what that batch brought, or empty and OK when its time is over. Jobs that are there are taken
//! of one partition after the other, until there are as many as were asked for.

use std::collections::VecDeque;
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

/// The answer: a message for each partition that had jobs. Dropped unread, jobs are given back.
pub(crate) struct Batches {
    shared: Arc<Shared>,
    jobs: VecDeque<Vec<ActivatedJob>>,
}

impl Batches {
    fn add(&mut self, jobs: Vec<ActivatedJob>) {
        if !jobs.is_empty() {
            self.jobs.push_back(jobs);
        }
    }

    /// How many of so many jobs are not there yet.
    fn lack(&self, max: i32) -> i32 {
        let count = self.jobs.iter().map(Vec::len).sum::<usize>();
        max.saturating_sub(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

impl tokio_stream::Stream for Batches {
    type Item = Result<pb::ActivateJobsResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let jobs = self.jobs.pop_front();
        Poll::Ready(
            jobs.map(|jobs| Ok(pb::ActivateJobsResponse { jobs: jobs.iter().map(convert::job).collect() })),
        )
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        let Self { shared, jobs } = self;
        shared.outlet.give_back(&*shared.backend, jobs.drain(..).flatten());
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
    let mut found = Batches { shared: Arc::clone(&gateway.shared), jobs: VecDeque::new() };
    match wait {
        None => take(gateway, command, partitions(gateway), &mut found).await?,
        Some(wait) => take_or_wait(gateway, command, wait, &mut found).await?,
    }
    Ok(found)
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

/// Asks each of these partitions once, until there are as many jobs as are wanted. What fails does not take back what
/// was found.
async fn take(
    gateway: &Gateway,
    command: ActivateJobs,
    partitions: impl Iterator<Item = u32>,
    found: &mut Batches,
) -> Result<(), Failure> {
    let mut failed = None;
    for partition in partitions {
        let max = found.lack(command.max);
        if max <= 0 {
            break;
        }
        let answer = match ask(gateway, partition, ActivateJobs { max, ..command.clone() }, false) {
            Ok(pending) => activated(pending.await, gateway),
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(jobs) => found.add(jobs),
            Err(Failure::Refused(refused)) => failed = Some(Failure::Refused(refused)),
            Err(failure) => {
                failed = Some(failure);
                break;
            }
        }
    }
    failed.filter(|_| found.jobs.is_empty()).map_or(Ok(()), Err)
}

/// Parks at every partition, and ends with the first jobs that come from any; where a partition has some at once, with
/// those of the partitions behind it as well.
async fn take_or_wait(
    gateway: &Gateway,
    mut command: ActivateJobs,
    wait: Duration,
    found: &mut Batches,
) -> Result<(), Failure> {
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
    let mut behind = partitions(gateway);
    let mut pushed = false;
    for partition in behind.by_ref() {
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
            First::Pushed(come) => (jobs, pushed) = (come, true),
            First::TimeOver => return Ok(()),
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
            First::Pushed(come) => (jobs, pushed) = (come, true),
            First::Answered(_) | First::TimeOver => (),
        }
    }
    let surplus = jobs.split_off(fitting(&jobs, max, gateway.shared.config.limits.message_bytes_max));
    gateway.shared.outlet.give_back(&*gateway.shared.backend, surplus);
    found.add(jobs);
    drop(sink);
    if pushed || found.jobs.is_empty() {
        return Ok(());
    }
    command.poll = 0;
    take(gateway, command, behind, found).await
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
