//! A load generator for any server that speaks the gateway protocol.
//!
//! **In:** [`Options`]: a server's address, what its instances do, how many at a time or per second.
//! **Out:** a [`Report`]: throughput, times, and what the server's processes spent.
//!
//! # Invariants
//! - An open loop takes times from when a call was *due*, so a server that stalls cannot hide the calls it delayed.
//! - Nothing is left out silently: what was refused, did not end or was not started is counted.
//! - It shares the machine with the server, so it is one thread that does little per call, and says how much.
//!
//! # Where to look
//! `options.rs` what to run · `load.rs` what is started, and the times taken · `http2.rs` the client ·
//! `link.rs` sockets · `message.rs` the hot messages · `process.rs` CPU and memory · `report.rs` the outcome ·
//! `ceiling.rs` the bare server.

mod ceiling;
mod error;
mod histogram;
mod http2;
mod link;
mod load;
mod message;
mod model;
mod options;
mod process;
mod report;
mod setup;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use self::error::Error;
pub use self::histogram::Histogram;
pub use self::http2::Broken;
pub use self::model::Scenario;
pub use self::options::{Arrival, Options, WorkerKind};
pub use self::report::{Latency, Report, ServerUsage};

use self::ceiling::{Ceiling, serve_until_stdin_ends};
use self::link::{Link, Target, wait};
use self::load::{Call, Load, Window};
use self::process::{Usage, machine_cpu};
use self::report::Sample;
use self::setup::prepare;

/// Measures, and blocks the thread while it does.
///
/// With `--ceiling` this program is started a second time, as `bench --serve-ceiling`; that call is answered with
/// `None` when the first program has ended.
///
/// # Errors
/// [`Error`] says which server, process or file could not be used, or which call was refused for good.
pub fn run(options: &Options) -> Result<Option<Report>, Error> {
    if options.serve_ceiling {
        serve_until_stdin_ends(&options.ceiling_file)?;
        return Ok(None);
    }
    if !options.ceiling {
        return measure(options).map(Some);
    }
    let ceiling = Ceiling::start(options)?;
    let mut options = options.clone();
    ceiling.address().clone_into(&mut options.address);
    options.pid = vec![ceiling.pid()];
    measure(&options).map(Some)
}

fn measure(options: &Options) -> Result<Report, Error> {
    if options.scenario == Scenario::Timers {
        return Err(Error::InProcessOnly(options.scenario.name()));
    }
    let target = Target::new(&options.address, &options.header)?;
    let version = prepare(&target, options)?;
    let mut links = Links::connect(&target, options)?;
    let parked = options.scenario == Scenario::Parked;
    let window = if parked {
        Window { start: 0, end: u64::MAX }
    } else {
        let start = nanos(options.warmup);
        Window { start, end: start + nanos(options.duration) }
    };
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, nanos);
    let mut load = Load::new(options, window, seed);
    let (before, mut after) = links.drive(&mut load, options)?;
    if parked {
        std::thread::sleep(options.settle);
        // CPU and time are those of the load, memory is that of the rest.
        after.server.rss_bytes = usage(&options.pid)?.rss_bytes;
    }
    Ok(Report::new(options, version, &load.counts, load.unfinished(), before, after))
}

/// All connections: those that start instances, then those of workers.
struct Links {
    all: Vec<Link<Call>>,
    starting: usize,
}

impl Links {
    fn connect(target: &Target, options: &Options) -> Result<Self, Error> {
        let count = options.connections + options.worker_connections;
        let all = (0..count).map(|_| target.connect()).collect::<Result<_, _>>()?;
        Ok(Self { all, starting: options.connections as usize })
    }

    /// Runs the load to its end; what was spent is looked at when the window begins and ends.
    fn drive(&mut self, load: &mut Load<'_>, options: &Options) -> Result<(Sample, Sample), Error> {
        let began = Instant::now();
        let (mut before, mut after) = (None, None);
        let give_up = load.window.end.saturating_add(nanos(options.drain));
        let mut ready = Vec::new();
        load.begin();
        loop {
            load.now = nanos(began.elapsed());
            if before.is_none() && load.now >= load.window.start {
                before = Some(sample(load.now, &options.pid)?);
            }
            let over = load.is_done();
            if after.is_none() && (load.now >= load.window.end || over) {
                after = Some(sample(load.now, &options.pid)?);
            }
            if let Some(error) = load.fatal.take() {
                return Err(error);
            }
            if let (Some(before), Some(after)) = (before, after)
                && (over || load.now >= give_up)
            {
                return Ok((before, after));
            }
            load.tick();
            self.send(load)?;
            wait(&self.all, pause(load), &mut ready)?;
            for (link, ready) in self.all.iter_mut().zip(&ready) {
                if *ready {
                    load.now = nanos(began.elapsed());
                    link.receive(load)?;
                }
            }
            self.send(load)?;
        }
    }

    fn send(&mut self, load: &mut Load<'_>) -> Result<(), Error> {
        let (starting, workers) = (self.starting, self.all.len() - self.starting);
        let all = &mut self.all;
        load.send(|call, path, message| {
            let link = match call {
                // The upper half counts instances, the lower one is a slot that is used again and again.
                Call::Create { number, .. } | Call::Publish { number, .. } => {
                    usize::try_from(number >> 32).unwrap_or(0) % starting
                }
                Call::Complete { worker, .. } | Call::Poll { worker, .. } | Call::Stream { worker } => {
                    match workers {
                        0 => worker as usize % starting,
                        workers => starting + worker as usize % workers,
                    }
                }
            };
            all[link].connection.call(call, path, message);
        });
        self.all.iter_mut().try_for_each(Link::flush)
    }
}

/// How long nothing has to be done if no server speaks.
fn pause(load: &Load<'_>) -> Duration {
    let edges = [load.window.start, load.window.end].into_iter().filter(|edge| *edge > load.now);
    let due = load.next_due().into_iter().chain(edges).min().unwrap_or(u64::MAX);
    Duration::from_nanos(due.saturating_sub(load.now)).min(Duration::from_millis(100))
}

fn sample(at: u64, pids: &[u32]) -> Result<Sample, Error> {
    let own = [std::process::id()];
    Ok(Sample { at, server: usage(pids)?, generator: usage(&own)?, machine: machine_cpu().ok() })
}

fn usage(pids: &[u32]) -> Result<Usage, Error> {
    Usage::of(pids).map_err(|source| Error::Usage { pid: pids.to_vec(), source })
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
