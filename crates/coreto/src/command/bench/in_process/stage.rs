//! Partition and disk log as the server has them, and who takes their answers and jobs.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use coreto_engine::{Effect, Engine, SinkKind, SinkSpec, Sinks};
use coreto_log::DiskLog;
use coreto_machine::{Caller, Channel, Tenant};
use coreto_partition::{Address, Answer, Clock, Effects, Handle, Mailbox, Request, Service};
use coreto_record::Command;
use coreto_record::command::{Deploy, Resource};
use coreto_record::reply::ActivatedJob;

use crate::config::{ServerConfig, Settings};
use crate::server::{DataDirectory, engine_group};

/// One partition on a disk, with a stream that takes all jobs of type `work`.
pub(super) struct Stage {
    service: Service<Engine>,
    handle: Handle<Engine>,
    pub(super) inbox: Arc<Inbox>,
    /// Removed at the end if it is a temporary one.
    _directory: DataDirectory,
}

/// What of the answers is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Not,
    Yes,
}

impl Stage {
    /// Starts a partition in a directory, or in a temporary one, and deploys a model.
    pub(super) fn start(data: Option<&Path>, model: &str) -> anyhow::Result<Self> {
        let directory = match data {
            Some(path) => DataDirectory::open(path)?,
            None => DataDirectory::temporary()?,
        };
        let settings = Settings::of_flags(std::iter::empty())?;
        let config = ServerConfig::check(&settings)?;
        let log = Arc::new(DiskLog::open(directory.path())?);
        let sinks = Arc::new(Sinks::default());
        let inbox = Arc::new(Inbox::default());
        let clock = Arc::new(Clock::real());
        let group = engine_group(1, &config, &sinks, inbox.clone());
        let service = Service::start(group.on(&config, directory.path(), &log, &clock))?;
        let handle = service.handles()[0].clone();
        let stage = Self { service, handle, inbox, _directory: directory };
        let resource = Resource { name: "bench.bpmn".into(), content: model.as_bytes().into() };
        let deploy = Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] };
        stage.submit(Command::Deploy(deploy), Counted::Not)?;
        let spec = SinkSpec {
            job_type: "work".into(),
            worker: "bench".into(),
            timeout_ms: 3_600_000,
            fetch: Arc::new([]),
            tenants: Arc::new([Tenant::DEFAULT]),
            kind: SinkKind::Stream,
        };
        sinks.open(spec, u32::MAX);
        Ok(stage)
    }

    pub(super) fn submit(&self, command: Command, counted: Counted) -> anyhow::Result<()> {
        let mailbox: Arc<dyn Mailbox<Engine>> = self.inbox.clone();
        let answer = Some(Address { mailbox, ticket: u64::from(counted == Counted::Yes) });
        Ok(self.handle.submit(Request::new(command, Caller::anonymous(Channel::Grpc), answer))?)
    }

    pub(super) fn handle(&self) -> &Handle<Engine> {
        &self.handle
    }

    /// Stops the partition; something that was refused makes all figures worthless.
    pub(super) fn end(self) -> anyhow::Result<()> {
        self.service.stop();
        let refused = self.inbox.refused.load(Ordering::Relaxed);
        anyhow::ensure!(refused == 0, "{refused} commands were refused");
        Ok(())
    }
}

/// Answers, counted, and pushed jobs, kept until they are taken.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "jobs come in boxes")]
pub(super) struct Inbox {
    jobs: Mutex<Vec<Box<ActivatedJob>>>,
    counted: AtomicU64,
    refused: AtomicU64,
    changed: Condvar,
}

impl Inbox {
    /// Answers that were to be counted.
    pub(super) fn counted(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    /// Waits until there are jobs, or something was answered, 50 ms at most; gives the jobs for an empty list.
    #[expect(clippy::vec_box, reason = "jobs come in boxes")]
    pub(super) fn wait(&self, jobs: &mut Vec<Box<ActivatedJob>>) {
        let mut waiting = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            let patience = Duration::from_millis(50);
            waiting = self.changed.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut *waiting, jobs);
    }
}

impl Mailbox<Engine> for Inbox {
    fn put(&self, ticket: u64, answer: Answer<Engine>) {
        if !matches!(answer, Answer::Reply(_)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        self.counted.fetch_add(ticket, Ordering::Relaxed);
    }

    fn flush(&self) {
        self.changed.notify_one();
    }
}

impl Effects<Engine> for Inbox {
    fn perform(&self, effects: &mut Vec<Effect>) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.extend(effects.drain(..).map(|effect| match effect {
            Effect::Push { job, .. } => job,
        }));
        drop(jobs);
        self.changed.notify_one();
    }
}

/// User and system time of all threads of this process, ended ones included.
pub(super) fn cpu_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("cannot read the process's CPU time")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).context("the process's CPU time has another form")?;
    // The kernel tells ticks of a hundredth of a second to programs, whatever its own clock is.
    Ok(Duration::from_millis((user + system) * 10))
}

#[expect(clippy::cast_precision_loss, reason = "measurements are not exact to the last digit")]
pub(super) const fn number(value: u64) -> f64 {
    value as f64
}
