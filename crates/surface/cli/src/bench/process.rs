//! What processes and the machine spend, from `/proc`.

use std::fs;
use std::io;
use std::time::Duration;

/// The kernel counts in hundredths of a second towards programs, whatever its own clock is.
const TICK_MS: u64 = 10;

/// What one process has spent and holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// CPU of all its threads, ended ones included.
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    pub(crate) rss_bytes: u64,
}

impl Usage {
    /// Sums up several processes.
    pub(crate) fn of(pids: &[u32]) -> io::Result<Self> {
        let mut sum = Self::default();
        for pid in pids {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let (user, system) = cpu(&stat).ok_or_else(|| unknown("stat"))?;
            sum.user += user;
            sum.system += system;
            sum.rss_bytes += rss_bytes(&status).ok_or_else(|| unknown("status"))?;
        }
        Ok(sum)
    }

    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

/// CPU that the whole machine has spent.
pub(crate) fn machine_cpu() -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    // user nice system idle iowait irq softirq steal: all but idle, iowait and what was taken from us.
    let spent =
        [1, 2, 3, 6, 7].into_iter().map(|at| line.split_ascii_whitespace().nth(at)?.parse::<u64>().ok());
    let ticks: Option<u64> = spent.sum();
    Ok(ticks_long(ticks.ok_or_else(|| unknown("stat"))?))
}

fn cpu(stat: &str) -> Option<(Duration, Duration)> {
    // The name in parentheses may hold blanks and parentheses.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut next = || Some(ticks_long(fields.next()?.parse().ok()?));
    Some((next()?, next()?))
}

fn ticks_long(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(TICK_MS))
}

fn rss_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn unknown(file: &str) -> io::Error {
    io::Error::other(format!("`/proc` has a `{file}` that cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_process_with_a_nasty_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0";
        let expected = (Duration::from_millis(2500), Duration::from_millis(500));
        assert_eq!(cpu(stat), Some(expected));
        assert_eq!(rss_bytes("Name:\tx\nVmRSS:\t   2048 kB\n"), Some(2 << 20));
    }

    #[test]
    fn sees_itself() {
        let usage = Usage::of(&[std::process::id()]).unwrap();
        assert!(usage.rss_bytes > 100_000);
        assert!(machine_cpu().unwrap() >= usage.cpu());
    }
}
