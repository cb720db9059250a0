//! One-task instances through partition and disk log alone: every step durable, no gateway, no second process.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use coreto_cli::bench::Options;
use coreto_engine::{Effect, Engine, SinkKind, SinkSpec, Sinks};
use coreto_log::DiskLog;
use coreto_machine::{Caller, Channel, Tenant};
use coreto_partition::{Address, Answer, Clock, Effects, Handle, Mailbox, Request, Service};
use coreto_record::command::{CompleteJob, CreateInstance, Deploy, Resource};
use coreto_record::{Command, Document, JobKey};
use serde_json::json;

use crate::config::{ServerConfig, Settings};
use crate::server::{DataDirectory, partition_config};

/// What a run has shown.
pub(super) struct Report {
    instances: u64,
    took: Duration,
    cpu: Duration,
    record_bytes: u64,
    log_bytes: u64,
    batches: u64,
}

impl Report {
    fn per_second(&self) -> f64 {
        number(self.instances) / self.took.as_secs_f64()
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / number(self.instances.max(1))
    }

    /// The same for programs.
    pub(super) fn to_json(&self) -> serde_json::Value {
        json!({
            "instances": self.instances,
            "seconds": self.took.as_secs_f64(),
            "instancesPerSecond": self.per_second(),
            "cpuMicrosPerInstance": self.cpu_micros(),
            "recordBytesPerInstance": self.record_bytes / self.instances.max(1),
            "logBytesPerInstance": self.log_bytes / self.instances.max(1),
            "instancesPerBatch": number(self.instances) / number(self.batches.max(1)),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "in process: {:.0} instances/s, {:.1} µs CPU of all threads each, {} bytes of records each ({} in the log), {:.1} instances a batch",
            self.per_second(),
            self.cpu_micros(),
            self.record_bytes / self.instances.max(1),
            self.log_bytes / self.instances.max(1),
            number(self.instances) / number(self.batches.max(1)),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "measurements are not exact to the last digit")]
const fn number(value: u64) -> f64 {
    value as f64
}

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="one-task" isExecutable="true">
<startEvent id="start"/><sequenceFlow id="in" sourceRef="start" targetRef="task"/>
<serviceTask id="task"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements></serviceTask>
<sequenceFlow id="out" sourceRef="task" targetRef="end"/><endEvent id="end"/>
</process></definitions>"#;

/// Answers and pushed jobs, counted and kept for the loop.
#[derive(Default)]
struct Inbox {
    jobs: Mutex<Vec<JobKey>>,
    completed: AtomicU64,
    refused: AtomicU64,
    changed: Condvar,
}

/// Tickets of completions; those of creations are 0.
const COMPLETION: u64 = 1;

impl Mailbox<Engine> for Inbox {
    fn put(&self, ticket: u64, answer: Answer<Engine>) {
        if !matches!(answer, Answer::Reply(_)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        if ticket == COMPLETION {
            self.completed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        self.changed.notify_one();
    }
}

impl Effects<Engine> for Inbox {
    fn perform(&self, effects: &mut Vec<Effect>) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.extend(effects.drain(..).map(|effect| match effect {
            Effect::Push { job, .. } => job.key,
        }));
        drop(jobs);
        self.changed.notify_one();
    }
}

pub(super) fn run(data: Option<&Path>, options: &Options) -> anyhow::Result<Report> {
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
    let service =
        Service::start(partition_config(&config, 1, &directory, &log, &clock, &sinks, inbox.clone()))?;
    let handle = service.handles()[0].clone();
    let resource = Resource { name: "one-task.bpmn".into(), content: MODEL.as_bytes().into() };
    submit(
        &handle,
        &inbox,
        Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] }),
        0,
    )?;
    let spec = SinkSpec {
        job_type: "work".into(),
        worker: "bench".into(),
        timeout_ms: 60_000,
        fetch: Arc::new([]),
        tenants: Arc::new([Tenant::DEFAULT]),
        kind: SinkKind::Stream,
    };
    sinks.open(spec, u32::MAX);

    let mut load = Load { handle: &handle, inbox: &inbox, create: create(options)?, created: 0 };
    load.keep_going(options.concurrency.into(), options.warmup)?;
    let (before, cpu, start) = (handle.statistics(), cpu_time()?, Instant::now());
    let completed = inbox.completed.load(Ordering::Relaxed);
    load.keep_going(options.concurrency.into(), options.duration)?;
    let (after, took) = (handle.statistics(), start.elapsed());
    let report = Report {
        instances: inbox.completed.load(Ordering::Relaxed) - completed,
        took,
        cpu: cpu_time()?.saturating_sub(cpu),
        record_bytes: after.bytes - before.bytes,
        log_bytes: after.written - before.written,
        batches: after.batches - before.batches,
    };
    service.stop();
    let refused = inbox.refused.load(Ordering::Relaxed);
    anyhow::ensure!(refused == 0, "{refused} commands were refused");
    Ok(report)
}

fn create(options: &Options) -> anyhow::Result<Command> {
    let pad = usize::try_from(options.payload_bytes).unwrap_or(0).saturating_sub(30);
    let text = format!(r#"{{"tag":"0123456789","pad":"{}"}}"#, "x".repeat(pad));
    let variables = Document::parse(&text).context("the payload is JSON")?;
    Ok(Command::CreateInstance(CreateInstance {
        process: "one-task".into(),
        variables,
        ..CreateInstance::default()
    }))
}

/// A closed loop: so many instances are under way all the time.
struct Load<'a> {
    handle: &'a Handle<Engine>,
    inbox: &'a Arc<Inbox>,
    create: Command,
    created: u64,
}

impl Load<'_> {
    fn keep_going(&mut self, concurrency: u64, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        let mut jobs = Vec::new();
        while Instant::now() < end {
            let completed = self.inbox.completed.load(Ordering::Relaxed);
            while self.created < completed + concurrency {
                self.created += 1;
                submit(self.handle, self.inbox, self.create.clone(), 0)?;
            }
            self.wait(&mut jobs);
            for job in jobs.drain(..) {
                let command = Command::CompleteJob(CompleteJob { job, variables: Document::EMPTY });
                submit(self.handle, self.inbox, command, COMPLETION)?;
            }
        }
        Ok(())
    }

    /// Waits until there are jobs, or something was answered.
    fn wait(&self, jobs: &mut Vec<JobKey>) {
        let mut waiting = self.inbox.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            let patience = Duration::from_millis(50);
            waiting =
                self.inbox.changed.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut *waiting, jobs);
    }
}

fn submit(handle: &Handle<Engine>, inbox: &Arc<Inbox>, command: Command, ticket: u64) -> anyhow::Result<()> {
    let mailbox: Arc<dyn Mailbox<Engine>> = inbox.clone();
    let answer = Some(Address { mailbox, ticket });
    Ok(handle.submit(Request::new(command, Caller::anonymous(Channel::Grpc), answer))?)
}

/// User and system time of all threads of this process, ended ones included.
fn cpu_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("cannot read the process's CPU time")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).context("the process's CPU time has another form")?;
    // The kernel tells ticks of a hundredth of a second to programs, whatever its own clock is.
    Ok(Duration::from_millis((user + system) * 10))
}
