//! Timers: many wait, then come due one after the other at a rate, each with a job behind it.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use coreto_cli::bench::{Histogram, Options};
use coreto_record::command::CreateInstance;
use coreto_record::reply::ActivatedJob;
use coreto_record::{Command, Document};
use serde_json::json;

use super::stage::{Counted, Stage, cpu_time, number};

/// What a run has shown.
pub(super) struct Timers {
    count: u64,
    create: Duration,
    /// Cores that were busy while all waited and none was due.
    idle_cores: f64,
    rate: f64,
    fire: Duration,
    cpu: Duration,
    late: Histogram,
}

impl Timers {
    fn created_per_second(&self) -> f64 {
        number(self.count) / self.create.as_secs_f64()
    }

    fn fired_per_second(&self) -> f64 {
        number(self.count) / self.fire.as_secs_f64()
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / number(self.count)
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        json!({
            "timers": self.count,
            "createdPerSecond": self.created_per_second(),
            "idleCores": self.idle_cores,
            "duePerSecond": self.rate,
            "firedPerSecond": self.fired_per_second(),
            "cpuMicrosPerTimer": self.cpu_micros(),
            "lateMs": {
                "p50": ms(self.late.quantile(500)),
                "p99": ms(self.late.quantile(990)),
                "max": ms(self.late.max()),
            },
        })
    }
}

impl fmt::Display for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "in process: {} timers, created at {:.0}/s; {:.2} % of a core while none is due; due at {:.0}/s: fired at {:.0}/s, {:.1} µs CPU of all threads each, late by p50 {:.0?}, p99 {:.0?}, {:.0?} at most",
            self.count,
            self.created_per_second(),
            100.0 * self.idle_cores,
            self.rate,
            self.fired_per_second(),
            self.cpu_micros(),
            self.late.quantile(500),
            self.late.quantile(990),
            self.late.max(),
        )
    }
}

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="timer" isExecutable="true">
<startEvent id="start"/><sequenceFlow id="in" sourceRef="start" targetRef="wait"/>
<intermediateCatchEvent id="wait"><timerEventDefinition>
<timeDate>=date and time("1970-01-01T00:00:00Z") + duration("PT" + string(due) + "S")</timeDate>
</timerEventDefinition></intermediateCatchEvent>
<sequenceFlow id="on" sourceRef="wait" targetRef="task"/>
<serviceTask id="task"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements></serviceTask>
<sequenceFlow id="out" sourceRef="task" targetRef="end"/><endEvent id="end"/>
</process></definitions>"#;

/// What creating takes at most, for each timer; the first one is due behind it and the rest.
const CREATE_MICROS_MAX: u64 = 60;
/// While none is due: how long is looked at, and how long nothing is done before.
const LOOK: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_secs(2);
/// Creations that are under way at a time.
const AHEAD: u64 = 512;
/// How long a timer may be late before it counts as lost.
const LATE_MAX: Duration = Duration::from_mins(1);

pub(super) fn run(data: Option<&Path>, options: &Options) -> anyhow::Result<Timers> {
    let (count, rate) = (options.count, options.rate.unwrap_or(10_000.0));
    ensure!(count > 0, "`--count` is 0: no timer to wait for");
    let stage = Stage::start(data, MODEL)?;
    let begun = Instant::now();
    let rest = SETTLE + LOOK + SETTLE;
    let first = since_epoch()? + Duration::from_micros(count * CREATE_MICROS_MAX) + rest;
    create(&stage, count, |nth| first + Duration::from_secs_f64(number(nth) / rate))?;
    let create = begun.elapsed();

    let left = first.saturating_sub(since_epoch()?);
    ensure!(left >= rest, "{count} timers took {create:.0?} to create, and the first was due by then");
    std::thread::sleep(SETTLE);
    let (cpu, looked) = (cpu_time()?, Instant::now());
    std::thread::sleep(LOOK);
    let idle_cores = cpu_time()?.saturating_sub(cpu).as_secs_f64() / looked.elapsed().as_secs_f64();

    std::thread::sleep(first.saturating_sub(since_epoch()?));
    let (cpu, fired) = (cpu_time()?, Instant::now());
    let late = take(&stage, count)?;
    let fire = fired.elapsed();
    let cpu = cpu_time()?.saturating_sub(cpu);
    stage.end()?;
    Ok(Timers { count, create, idle_cores, rate, fire, cpu, late })
}

/// Starts instances whose timers are due one after the other.
fn create(stage: &Stage, count: u64, due: impl Fn(u64) -> Duration) -> anyhow::Result<()> {
    let mut jobs = Vec::new();
    for nth in 0..count {
        while nth >= stage.inbox.counted() + AHEAD {
            stage.inbox.wait(&mut jobs);
        }
        let text = format!(r#"{{"due":{:.3}}}"#, due(nth).as_secs_f64());
        let variables = Document::parse(&text).context("a number is JSON")?;
        let create = CreateInstance { process: "timer".into(), variables, ..CreateInstance::default() };
        stage.submit(Command::CreateInstance(create), Counted::Yes)?;
    }
    while stage.inbox.counted() < count {
        stage.inbox.wait(&mut jobs);
    }
    ensure!(jobs.is_empty(), "a timer was due before all were created");
    Ok(())
}

/// Takes the jobs behind the timers, and how late each came.
fn take(stage: &Stage, count: u64) -> anyhow::Result<Histogram> {
    let (mut late, mut jobs) = (Histogram::new(), Vec::new());
    let mut last = Instant::now();
    while late.count() < count {
        stage.inbox.wait(&mut jobs);
        let now = since_epoch()?;
        if !jobs.is_empty() {
            last = Instant::now();
        }
        ensure!(last.elapsed() < LATE_MAX, "only {} of {count} timers have fired", late.count());
        for job in jobs.drain(..) {
            let behind = now.saturating_sub(due(&job)?);
            late.add(u64::try_from(behind.as_nanos()).unwrap_or(u64::MAX));
        }
    }
    Ok(late)
}

fn due(job: &ActivatedJob) -> anyhow::Result<Duration> {
    let variables: serde_json::Value = serde_json::from_str(job.variables.as_str())?;
    let seconds = variables["due"].as_f64().context("a job without `due`")?;
    Ok(Duration::from_secs_f64(seconds))
}

fn since_epoch() -> anyhow::Result<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")
}
