//! What a run has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;
use super::load::Counts;
use super::model::Scenario;
use super::options::{Options, WorkerKind};
use super::process::Usage;

/// What a run has shown; `Display` is the table for people.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What every instance did.
    pub scenario: String,
    /// How instances were started and jobs were taken.
    pub load: String,
    /// Version that the server says.
    pub server_version: String,
    /// Length of what was counted, in seconds.
    pub seconds: f64,
    /// Creates answered per second.
    pub created_per_second: f64,
    /// Instances ended per second: the answer to the completion of their last job.
    pub completed_per_second: f64,
    /// Completions answered per second.
    pub jobs_per_second: f64,
    /// Times of what was started while counting, by name.
    pub latency_ms: BTreeMap<&'static str, Latency>,
    /// What the server spent; only where its processes were named.
    pub server: Option<ServerUsage>,
    /// CPU of this generator per instance, in µs.
    pub generator_cpu_us_per_instance: f64,
    /// Cores that this generator kept busy.
    pub generator_cores: f64,
    /// Cores that neither server nor generator kept busy.
    pub other_cores: Option<f64>,
    /// Refused calls while counting, by call and status; creates and completions were tried again where that helps.
    pub errors: BTreeMap<String, u64>,
    /// Instances that will not end because a call was refused for good.
    pub failed: u64,
    /// Instances that had not ended when the wait was over.
    pub unfinished: u64,
    /// Starts that were due but left out, because too much was in flight.
    pub left_out: u64,
    /// Jobs that this run had not caused.
    pub strays: u64,
}

/// How one time was distributed, in ms.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// How many were taken.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// Nine in ten were not longer.
    pub p90: f64,
    /// 99 in a hundred were not longer.
    pub p99: f64,
    /// 999 in a thousand were not longer.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// What the server spent while counting.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ServerUsage {
    /// CPU per instance, in µs.
    pub cpu_us_per_instance: f64,
    /// Cores in user mode.
    pub user_cores: f64,
    /// Cores in the kernel.
    pub system_cores: f64,
    /// Resident memory before, in bytes.
    pub rss_bytes_before: u64,
    /// Resident memory after, in bytes; parked: after the rest.
    pub rss_bytes_after: u64,
    /// Growth per instance created, in bytes.
    pub rss_bytes_per_instance: f64,
}

/// What was seen at one edge of the window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) at: u64,
    pub(crate) server: Usage,
    pub(crate) generator: Usage,
    pub(crate) machine: Option<Duration>,
}

impl Report {
    pub(crate) fn new(
        options: &Options,
        server_version: String,
        counts: &Counts,
        unfinished: u64,
        before: Sample,
        after: Sample,
    ) -> Self {
        let seconds = Duration::from_nanos(after.at.saturating_sub(before.at)).as_secs_f64();
        let per_second = |count: u64| ratio(float(count), seconds);
        // Nothing ends where jobs are not worked on.
        let instances = float(if counts.completed > 0 { counts.completed } else { counts.created });
        let spent = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64();
        let server_cpu = spent(before.server.cpu(), after.server.cpu());
        let generator_cpu = spent(before.generator.cpu(), after.generator.cpu());
        let machine = before.machine.zip(after.machine).map(|(before, after)| spent(before, after));
        let known = !options.pid.is_empty();
        let server = known.then(|| ServerUsage {
            cpu_us_per_instance: ratio(server_cpu * 1e6, instances),
            user_cores: ratio(spent(before.server.user, after.server.user), seconds),
            system_cores: ratio(spent(before.server.system, after.server.system), seconds),
            rss_bytes_before: before.server.rss_bytes,
            rss_bytes_after: after.server.rss_bytes,
            rss_bytes_per_instance: ratio(
                float(after.server.rss_bytes) - float(before.server.rss_bytes),
                float(counts.created),
            ),
        });
        let other = |machine: f64| ratio((machine - server_cpu - generator_cpu).max(0.0), seconds);
        Self {
            scenario: options.scenario.name().to_owned(),
            load: load(options),
            server_version,
            seconds,
            created_per_second: per_second(counts.created),
            completed_per_second: per_second(counts.completed),
            jobs_per_second: per_second(counts.jobs),
            latency_ms: [
                ("create_ack", &counts.create_ack),
                ("publish_ack", &counts.publish_ack),
                ("correlate", &counts.correlate),
                ("job_visible", &counts.job_visible),
                ("complete_ack", &counts.complete_ack),
                ("instance", &counts.instance),
            ]
            .into_iter()
            .filter(|(_, histogram)| histogram.count() > 0)
            .map(|(name, histogram)| (name, Latency::of(histogram)))
            .collect(),
            server,
            generator_cpu_us_per_instance: ratio(generator_cpu * 1e6, instances),
            generator_cores: ratio(generator_cpu, seconds),
            other_cores: machine.filter(|_| known).map(other),
            errors: counts.errors.clone(),
            failed: counts.failed,
            unfinished,
            left_out: counts.left_out,
            strays: counts.strays,
        }
    }
}

impl Latency {
    fn of(histogram: &Histogram) -> Self {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        Self {
            count: histogram.count(),
            mean: ms(histogram.mean()),
            p50: ms(histogram.quantile(500)),
            p90: ms(histogram.quantile(900)),
            p99: ms(histogram.quantile(990)),
            p999: ms(histogram.quantile(999)),
            max: ms(histogram.max()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}: {}", self.scenario, self.load)?;
        writeln!(out, "server {}; {:.1} s counted", self.server_version, self.seconds)?;
        writeln!(
            out,
            "created {:.0}/s   completed {:.0}/s   jobs {:.0}/s",
            self.created_per_second, self.completed_per_second, self.jobs_per_second
        )?;
        let head = ["latency, ms", "mean", "p50", "p90", "p99", "p99.9", "max", "count"];
        write!(out, "  {:<14}", head[0])?;
        head[1..].iter().try_for_each(|name| write!(out, "{name:>10}"))?;
        writeln!(out)?;
        for (name, latency) in &self.latency_ms {
            write!(out, "  {name:<14}")?;
            let Latency { count, mean, p50, p90, p99, p999, max } = latency;
            for value in [mean, p50, p90, p99, p999, max] {
                write!(out, "{value:>10.3}")?;
            }
            writeln!(out, "{count:>10}")?;
        }
        if let Some(server) = &self.server {
            let cores = server.user_cores + server.system_cores;
            writeln!(
                out,
                "server     {:.1} µs CPU per instance; {cores:.2} cores (user {:.2}, system {:.2})",
                server.cpu_us_per_instance, server.user_cores, server.system_cores
            )?;
            writeln!(
                out,
                "           RSS {:.1} to {:.1} MiB, {:.0} B per instance",
                mebibytes(server.rss_bytes_before),
                mebibytes(server.rss_bytes_after),
                server.rss_bytes_per_instance
            )?;
        }
        writeln!(
            out,
            "generator  {:.1} µs CPU per instance; {:.2} cores",
            self.generator_cpu_us_per_instance, self.generator_cores
        )?;
        self.warnings(out)
    }
}

impl Report {
    fn warnings(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (error, count) in &self.errors {
            writeln!(out, "refused    {error}: {count}")?;
        }
        for (count, what) in [
            (self.failed, "instances will not end: a call was refused for good"),
            (self.unfinished, "instances had not ended when the wait was over"),
            (self.left_out, "starts were left out: too much was in flight"),
            (self.strays, "jobs were not of this run"),
        ] {
            if count > 0 {
                writeln!(out, "warning    {count} {what}")?;
            }
        }
        if self.generator_cores > 0.85 {
            writeln!(out, "warning    the generator itself is near one core, its limit")?;
        }
        if let Some(other) = self.other_cores.filter(|other| *other > 0.2) {
            writeln!(out, "warning    other processes kept {other:.2} cores busy")?;
        }
        Ok(())
    }
}

fn load(options: &Options) -> String {
    let starts = match options.rate {
        Some(rate) => format!("open loop, {rate} per second"),
        None => format!("closed loop, {} in flight", options.concurrency),
    };
    let workers = match (options.scenario, options.worker) {
        (Scenario::Parked, _) => "no workers".to_owned(),
        (_, WorkerKind::Stream) => format!("{} stream worker(s)", options.workers),
        (_, WorkerKind::Poll) => format!("{} poll worker(s)", options.workers),
    };
    format!(
        "{starts}; {workers}; {}+{} connection(s); {} B payload",
        options.connections, options.worker_connections, options.payload_bytes
    )
}

fn ratio(value: f64, of: f64) -> f64 {
    if of > 0.0 { value / of } else { 0.0 }
}

fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / f64::from(1 << 20)
}

#[expect(clippy::cast_precision_loss, reason = "52 bits are enough for a report")]
fn float(count: u64) -> f64 {
    count as f64
}
