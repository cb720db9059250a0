//! What to run.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::model::Scenario;

/// Measure a Zeebe-compatible gRPC server, or what this machine can do at best.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Server to measure; plain text only
    #[arg(long, default_value = "http://127.0.0.1:26500")]
    pub address: String,
    /// What every instance does
    #[arg(long, value_enum, default_value = "one-task")]
    pub scenario: Scenario,
    /// Closed loop: instances in flight; the next one starts when one has ended
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub concurrency: u32,
    /// Open loop instead: instances per second, started when they are due however the server fares
    #[arg(long, value_parser = rate)]
    pub rate: Option<f64>,
    /// Open loop: the times between starts
    #[arg(long, value_enum, default_value = "uniform")]
    pub arrival: Arrival,
    /// Open loop: starts no more while so many instances are in flight, and counts those left out
    #[arg(long, default_value_t = 200_000)]
    pub outstanding_max: u32,
    /// How workers get jobs
    #[arg(long, value_enum, default_value = "stream")]
    pub worker: WorkerKind,
    /// Number of workers
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub workers: u32,
    /// Poll: jobs that one request takes at most
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_jobs: u32,
    /// Size of the variables of a new instance
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=2_000_000))]
    pub payload_bytes: u32,
    /// Connections that start instances
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub connections: u32,
    /// Connections of workers; 0 for the same ones
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub worker_connections: u32,
    /// Before anything is counted
    #[arg(long, default_value = "3s", value_parser = duration)]
    pub warmup: Duration,
    /// While it is counted
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub duration: Duration,
    /// How long to wait, after that, for what was started
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub drain: Duration,
    /// Parked, timers: number of instances
    #[arg(long, default_value_t = 10_000)]
    pub count: u64,
    /// Parked: rest before memory is looked at again
    #[arg(long, default_value = "3s", value_parser = duration)]
    pub settle: Duration,
    /// Server processes whose CPU and memory are looked at
    #[arg(long, value_delimiter = ',')]
    pub pid: Vec<u32>,
    /// Sent with every call, `name: value`
    #[arg(long, value_parser = header)]
    pub header: Vec<(String, String)>,
    /// Appended to process id and job type, so that runs on one server do not meet
    #[arg(long, default_value = "")]
    pub suffix: String,
    /// The process is deployed already
    #[arg(long)]
    pub no_deploy: bool,
    /// Measure a bare gRPC server without an engine instead: the limit of this machine
    #[arg(long, conflicts_with_all = ["address", "pid", "no_deploy"])]
    pub ceiling: bool,
    /// Ceiling: its file, on the disk that the server would use; made if absent, and left there
    #[arg(long, default_value = "coreto-ceiling.log")]
    pub ceiling_file: PathBuf,
    /// Be that bare server; for the process that `--ceiling` starts
    #[arg(long, hide = true)]
    pub serve_ceiling: bool,
}

/// The times between the starts of an open loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arrival {
    /// All the same.
    Uniform,
    /// Exponentially distributed, as of many callers who know nothing of each other.
    Poisson,
}

/// How workers get jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorkerKind {
    /// Pushed, with a poll each second for those that were not.
    Stream,
    /// By long polls.
    Poll,
}

fn duration(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|digit: char| !digit.is_ascii_digit() && digit != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err("write it like `500ms`, `10s` or `2m`".into()),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    let seconds = number * scale;
    if seconds > 86_400.0 {
        return Err("more than a day".into());
    }
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if (0.001..=10_000_000.0).contains(&rate) { Ok(rate) } else { Err("between 0.001 and 10000000".into()) }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it like `name: value`")?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
    let clean = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if name.is_empty() || !clean(&name) || !clean(&value) {
        return Err("a header is printable ASCII".into());
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        for wrong in ["", "5", "s", "-1s", "1h", "1.2.3s", "99999999m"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_headers() {
        assert_eq!(header("Authorization: Bearer a:b"), Ok(("authorization".into(), "Bearer a:b".into())));
        assert!(header("authorization").is_err());
        assert!(header("x: a\nb").is_err());
    }
}
