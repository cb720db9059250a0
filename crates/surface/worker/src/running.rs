//! The worker's loop: takes jobs, runs handlers, drains.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use coreto_protocol::gateway::{ActivateJobsRequest, ActivatedJob, StreamActivatedJobsRequest};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep_until;
use tonic::{Code, Status};
use tracing::{debug, warn};

use crate::backoff::Backoff;
use crate::client::{Client, millis};
use crate::job::JobError;
use crate::poll::Poll;
use crate::push::{Push, Pushed};
use crate::report::{Held, give_back, report};
use crate::worker::{Drained, Handler, Worker, WorkerBuilder};

pub(crate) async fn run(worker: Worker, stop: impl Future<Output = ()>) -> Drained {
    let Worker { settings, handler } = worker;
    let mut push = push(&settings);
    let mut poll = poll(&settings);
    let mut jobs = Jobs::new(settings.client.clone(), handler);
    let mut stop = pin!(stop);
    let mut was_full = false;
    loop {
        let free = settings.max_active.saturating_sub(jobs.active() + poll.asked());
        if free == 0 {
            was_full = true;
        } else if was_full && free * 2 >= settings.max_active {
            // What the server could not push while the worker was full waits for somebody to ask.
            was_full = false;
            poll.advance();
        }
        let (streaming, due) = (push.is_on(), poll.due());
        // The server has already waited where there is no stream.
        let pause = if streaming { settings.poll_interval } else { Duration::ZERO };
        // Streams bring jobs one by one. Where all come by polls, half a batch is waited for: fewer, fuller calls.
        let may_ask = !poll.is_asking() && free > 0 && (streaming || free * 2 >= settings.max_active);
        tokio::select! {
            () = &mut stop => break,
            () = jobs.finished(), if jobs.active() > 0 => (),
            pushed = push.next(), if free > 0 => match pushed {
                Pushed::Job(job) => jobs.begin(*job),
                Pushed::Lost(status) => {
                    note("job stream", &settings.job_type, &status);
                    poll.hasten();
                }
            },
            () = sleep_until(due), if may_ask => {
                let wait = (!streaming).then_some(settings.poll_timeout);
                poll.ask(free, wait);
            }
            polled = poll.answer(pause), if poll.is_asking() => {
                if let Some(status) = polled.failed {
                    note("poll", &settings.job_type, &status);
                }
                polled.jobs.into_iter().for_each(|job| jobs.begin(job));
            }
        }
    }
    give_back_received(&mut push, &mut poll, &mut jobs, settings.max_active).await;
    drop((push, poll));
    jobs.drain(settings.drain_timeout).await
}

fn push(settings: &WorkerBuilder) -> Push {
    let request = StreamActivatedJobsRequest {
        r#type: settings.job_type.clone(),
        worker: settings.name.clone(),
        timeout: millis(settings.timeout),
        fetch_variable: settings.fetch_variables.clone(),
        tenant_ids: settings.tenants.clone(),
        tenant_filter: 0,
        with_lease: false,
    };
    Push::new(settings.client.clone(), request, settings.streaming, backoff(1))
}

fn poll(settings: &WorkerBuilder) -> Poll {
    let request = ActivateJobsRequest {
        r#type: settings.job_type.clone(),
        worker: settings.name.clone(),
        timeout: millis(settings.timeout),
        max_jobs_to_activate: 0,
        fetch_variable: settings.fetch_variables.clone(),
        request_timeout: 0,
        tenant_ids: settings.tenants.clone(),
        tenant_filter: 0,
        with_lease: false,
    };
    Poll::new(settings.client.clone(), request, backoff(2))
}

fn backoff(salt: u64) -> Backoff {
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::from(since.subsec_nanos()));
    Backoff::new(Duration::from_millis(50), Duration::from_secs(5), seed.wrapping_mul(2 * salt + 1))
}

fn note(what: &str, job_type: &str, status: &Status) {
    match status.code() {
        // Busy or away: both pass, and the next attempt is planned.
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Cancelled => {
            debug!(job_type, code = ?status.code(), "{what} was interrupted: {}", status.message());
        }
        code => warn!(job_type, ?code, "{what} was refused: {}", status.message()),
    }
}

/// Takes from stream and poll what has already arrived, and gives it back.
async fn give_back_received(push: &mut Push, poll: &mut Poll, jobs: &mut Jobs, max: usize) {
    let mut received = Vec::new();
    // Bound: what the connection may have buffered for one worker.
    for _ in 0..max {
        tokio::select! {
            biased;
            pushed = push.next() => match pushed {
                Pushed::Job(job) => received.push(Held::of(&job)),
                Pushed::Lost(_) => break,
            },
            () = std::future::ready(()) => break,
        }
    }
    tokio::select! {
        biased;
        polled = poll.answer(Duration::ZERO) => received.extend(polled.jobs.iter().map(Held::of)),
        () = std::future::ready(()) => (),
    }
    for held in received {
        jobs.given_back += 1;
        give_back(&jobs.client, &held).await;
    }
}

/// Jobs that run.
struct Jobs {
    client: Client,
    handler: Handler,
    tasks: JoinSet<()>,
    held: HashMap<Id, Held>,
    reported: u64,
    given_back: u64,
}

impl Jobs {
    fn new(client: Client, handler: Handler) -> Self {
        Self { client, handler, tasks: JoinSet::new(), held: HashMap::new(), reported: 0, given_back: 0 }
    }

    fn active(&self) -> usize {
        self.tasks.len()
    }

    fn begin(&mut self, job: ActivatedJob) {
        let held = Held::of(&job);
        let (client, handler, own) = (self.client.clone(), self.handler.clone(), held.clone());
        // The handler is called inside the task, so that a panic in its synchronous part is the task's too.
        let task = self.tasks.spawn(async move {
            let outcome = handler(job).await;
            report(&client, &own, outcome).await;
        });
        self.held.insert(task.id(), held);
    }

    /// Waits until one more job is reported.
    async fn finished(&mut self) {
        let (id, panicked) = match self.tasks.join_next_with_id().await {
            None => return,
            Some(Ok((id, ()))) => (id, None),
            Some(Err(error)) => (error.id(), Some(error)),
        };
        let Some(held) = self.held.remove(&id) else { return };
        let Some(error) = panicked else {
            self.reported += 1;
            return;
        };
        let client = self.client.clone();
        let message = panic_message(error);
        warn!(job = held.key, "{message}");
        let own = held.clone();
        let task = self.tasks.spawn(async move { report(&client, &own, Err(JobError::fail(message))).await });
        self.held.insert(task.id(), held);
    }

    async fn drain(mut self, timeout: Duration) -> Drained {
        let deadline = tokio::time::Instant::now() + timeout;
        while self.active() > 0 {
            if tokio::time::timeout_at(deadline, self.finished()).await.is_err() {
                break;
            }
        }
        let abandoned = self.active() as u64;
        self.tasks.abort_all();
        Drained { reported: self.reported, given_back: self.given_back, abandoned }
    }
}

fn panic_message(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "the handler was stopped".into() };
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    text.map_or_else(|| "the handler panicked".into(), |text| format!("the handler panicked: {text}"))
}
