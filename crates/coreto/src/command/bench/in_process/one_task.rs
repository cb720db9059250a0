//! One-task instances, a number of them under way all the time.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use coreto_cli::bench::Options;
use coreto_record::command::{CompleteJob, CreateInstance};
use coreto_record::{Command, Document};
use serde_json::json;

use super::stage::{Counted, Stage, cpu_time, number};

/// What a run has shown.
pub(super) struct OneTask {
    instances: u64,
    took: Duration,
    cpu: Duration,
    record_bytes: u64,
    log_bytes: u64,
    batches: u64,
}

impl OneTask {
    fn per_second(&self) -> f64 {
        number(self.instances) / self.took.as_secs_f64()
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / number(self.instances.max(1))
    }

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

impl fmt::Display for OneTask {
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

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="one-task" isExecutable="true">
<startEvent id="start"/><sequenceFlow id="in" sourceRef="start" targetRef="task"/>
<serviceTask id="task"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements></serviceTask>
<sequenceFlow id="out" sourceRef="task" targetRef="end"/><endEvent id="end"/>
</process></definitions>"#;

pub(super) fn run(data: Option<&Path>, options: &Options) -> anyhow::Result<OneTask> {
    let stage = Stage::start(data, MODEL)?;
    let mut load = Load { stage: &stage, create: create(options)?, created: 0 };
    load.keep_going(options.concurrency.into(), options.warmup)?;
    let (before, cpu, start) = (stage.handle().statistics(), cpu_time()?, Instant::now());
    let completed = stage.inbox.counted();
    load.keep_going(options.concurrency.into(), options.duration)?;
    let (after, took) = (stage.handle().statistics(), start.elapsed());
    let seen = OneTask {
        instances: stage.inbox.counted() - completed,
        took,
        cpu: cpu_time()?.saturating_sub(cpu),
        record_bytes: after.bytes - before.bytes,
        log_bytes: after.written - before.written,
        batches: after.batches - before.batches,
    };
    stage.end()?;
    Ok(seen)
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
    stage: &'a Stage,
    create: Command,
    created: u64,
}

impl Load<'_> {
    fn keep_going(&mut self, concurrency: u64, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        let mut jobs = Vec::new();
        while Instant::now() < end {
            let completed = self.stage.inbox.counted();
            while self.created < completed + concurrency {
                self.created += 1;
                self.stage.submit(self.create.clone(), Counted::Not)?;
            }
            self.stage.inbox.wait(&mut jobs);
            for job in jobs.drain(..) {
                let command = CompleteJob { job: job.key, variables: Document::EMPTY };
                self.stage.submit(Command::CompleteJob(command), Counted::Yes)?;
            }
        }
        Ok(())
    }
}
