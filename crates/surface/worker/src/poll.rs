//! Jobs that the worker asks for.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use coreto_protocol::gateway::{ActivateJobsRequest, ActivatedJob};
use tokio::time::Instant;
use tonic::{Request, Status};

use crate::backoff::Backoff;
use crate::client::{Client, millis};

type Asking = Pin<Box<dyn Future<Output = Polled> + Send>>;

/// At most one request for jobs at a time.
pub(crate) struct Poll {
    client: Client,
    request: ActivateJobsRequest,
    backoff: Backoff,
    due: Instant,
    asked_at: Instant,
    asking: Option<Asking>,
    asked: usize,
}

/// What a request brought.
pub(crate) struct Polled {
    pub(crate) jobs: Vec<ActivatedJob>,
    pub(crate) failed: Option<Status>,
}

impl Poll {
    pub(crate) fn new(client: Client, request: ActivateJobsRequest, backoff: Backoff) -> Self {
        let now = Instant::now();
        Self { client, request, backoff, due: now, asked_at: now, asking: None, asked: 0 }
    }

    /// How many jobs the running request may bring.
    pub(crate) fn asked(&self) -> usize {
        self.asked
    }

    pub(crate) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Asks soon, whatever had been planned.
    pub(crate) fn hasten(&mut self) {
        self.due = Instant::now();
    }

    /// Asks before its time, but not within a second of the last request.
    pub(crate) fn advance(&mut self) {
        self.due = self.due.min(self.asked_at + Duration::from_secs(1));
    }

    /// When it is time to ask again.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Asks for at most `jobs`, letting the server wait for the first one as long as `wait` says.
    pub(crate) fn ask(&mut self, jobs: usize, wait: Option<Duration>) {
        let mut message = self.request.clone();
        message.max_jobs_to_activate = i32::try_from(jobs).unwrap_or(i32::MAX);
        // Below 0 the server does not wait; 0 would leave the time to it.
        message.request_timeout = wait.map_or(-1, |wait| millis(wait).max(1));
        let mut request = Request::new(message);
        request.set_timeout(wait.unwrap_or_default() + Duration::from_secs(10));
        let client = self.client.clone();
        self.asking = Some(Box::pin(collect(client, request)));
        self.asked = jobs;
        self.asked_at = Instant::now();
    }

    /// Waits for the answer; loses nothing when it is dropped before.
    pub(crate) async fn answer(&mut self, pause: Duration) -> Polled {
        let polled = match &mut self.asking {
            Some(asking) => asking.as_mut().await,
            None => std::future::pending().await,
        };
        self.due = Instant::now()
            + match &polled.failed {
                Some(_) => self.backoff.pause(),
                // A full answer hints at more.
                None if polled.jobs.len() >= self.asked => Duration::ZERO,
                None => pause,
            };
        if polled.failed.is_none() {
            self.backoff.reset();
        }
        self.asking = None;
        self.asked = 0;
        polled
    }
}

async fn collect(client: Client, request: Request<ActivateJobsRequest>) -> Polled {
    let mut jobs = Vec::new();
    let mut stream = match client.gateway().activate_jobs(request).await {
        Ok(stream) => stream.into_inner(),
        Err(status) => return Polled { jobs, failed: Some(status) },
    };
    loop {
        match stream.message().await {
            Ok(Some(batch)) => jobs.extend(batch.jobs),
            Ok(None) => return Polled { jobs, failed: None },
            Err(status) => return Polled { jobs, failed: Some(status) },
        }
    }
}
