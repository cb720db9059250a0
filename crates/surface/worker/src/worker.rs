//! Settings of a worker, and its handle.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use coreto_protocol::gateway::ActivatedJob;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::job::{Job, JobError, typed, written};
use crate::running::run;

pub(crate) type Outcome = Pin<Box<dyn Future<Output = Result<String, JobError>> + Send>>;
pub(crate) type Handler = Arc<dyn Fn(ActivatedJob) -> Outcome + Send + Sync>;

/// Settings of a worker that has no handler yet.
#[derive(Clone, Debug)]
pub struct WorkerBuilder {
    pub(crate) client: Client,
    pub(crate) job_type: String,
    pub(crate) name: String,
    pub(crate) timeout: Duration,
    pub(crate) max_active: usize,
    pub(crate) streaming: bool,
    pub(crate) poll_timeout: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) fetch_variables: Vec<String>,
    pub(crate) tenants: Vec<String>,
}

/// Does the jobs of one type.
pub struct Worker {
    pub(crate) settings: WorkerBuilder,
    pub(crate) handler: Handler,
}

/// A worker that runs in a task of its own; dropping it drains the worker in the background.
#[derive(Debug)]
pub struct WorkerHandle {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Drained>,
}

/// How a worker came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Jobs whose outcome was reported, over the worker's whole life.
    pub reported: u64,
    /// Jobs that were received but not begun, and given back.
    pub given_back: u64,
    /// Jobs that still ran when the time to drain was over; others get them when their lock ends.
    pub abandoned: u64,
}

impl Worker {
    /// Settles what to work on, with usual settings for the rest.
    pub fn builder(client: Client, job_type: impl Into<String>) -> WorkerBuilder {
        WorkerBuilder {
            client,
            job_type: job_type.into(),
            name: "coreto-worker".into(),
            timeout: Duration::from_mins(5),
            max_active: 32,
            streaming: true,
            poll_timeout: Duration::from_secs(10),
            poll_interval: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
            fetch_variables: Vec::new(),
            tenants: Vec::new(),
        }
    }

    /// Works until `stop` is ready, then drains: takes nothing more, and finishes what runs.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Drained {
        run(self, stop).await
    }

    /// Works in a task of its own.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn spawn(self) -> WorkerHandle {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(self.run_until(async {
            // A dropped handle means the same as a word.
            let _ = stopped.await;
        }));
        WorkerHandle { stop: Some(stop), task }
    }
}

impl WorkerHandle {
    /// Stops taking jobs, and waits until those that run are reported.
    pub async fn drain(mut self) -> Drained {
        drop(self.stop.take());
        self.task.await.expect("the worker's loop does not panic, and nobody else can abort it")
    }
}

impl WorkerBuilder {
    /// Names the worker in the server's records; `coreto-worker` unless set.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Locks a job for this long; 5 min unless set. Longer: a lost worker's jobs wait longer for another one.
    /// Shorter: a slow job may be done twice.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// Holds at most this many jobs at a time; 32 unless set, at least 1.
    #[must_use]
    pub fn max_active(mut self, jobs: usize) -> Self {
        self.max_active = jobs.max(1);
        self
    }

    /// Whether jobs are to be pushed, with an occasional poll for those that were not; on unless set.
    #[must_use]
    pub fn streaming(mut self, on: bool) -> Self {
        self.streaming = on;
        self
    }

    /// Without streaming: how long the server may hold a request that finds no job; 10 s unless set.
    #[must_use]
    pub fn poll_timeout(mut self, timeout: Duration) -> Self {
        self.poll_timeout = timeout;
        self
    }

    /// With streaming: how often to look for jobs that were not pushed; 10 s unless set.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Waits this long for running jobs when the worker stops; 30 s unless set.
    #[must_use]
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Asks for these variables only instead of all that a job can see.
    #[must_use]
    pub fn fetch_variables<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.fetch_variables = names.into_iter().map(Into::into).collect();
        self
    }

    /// Takes jobs of these tenants, for servers that have several.
    #[must_use]
    pub fn tenants<N: Into<String>>(mut self, tenants: impl IntoIterator<Item = N>) -> Self {
        self.tenants = tenants.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what is done with a job: variables come as `In` and go as `Out`, both by serde.
    ///
    /// Variables that do not fit `In` fail the job without retries.
    pub fn handler<In, Out, F, Fut>(self, handler: F) -> Worker
    where
        In: DeserializeOwned + Send + 'static,
        Out: Serialize + 'static,
        F: Fn(Job<In>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Out, JobError>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |activated| {
            let key = activated.key;
            match typed::<In>(activated) {
                Ok(job) => {
                    let outcome = handler(job);
                    Box::pin(async move { outcome.await.and_then(|out| written(key, &out)) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error))),
            }
        });
        Worker { settings: self, handler }
    }
}
