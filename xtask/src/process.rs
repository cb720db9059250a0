//! Children that may not outlive their time.

use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// How a child ended.
pub(crate) enum End {
    Exited(ExitStatus),
    /// It was stopped, with all that it had started.
    OutOfTime,
}

/// Runs a command to its end, or until its time is over.
pub(crate) fn run(command: &mut Command, time: Duration) -> anyhow::Result<End> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("cannot run `{name}`"))?;
    wait(&mut child, time).with_context(|| format!("cannot wait for `{name}`"))
}

/// Waits for a child, and stops it with its descendants when its time is over.
pub(crate) fn wait(child: &mut Child, time: Duration) -> anyhow::Result<End> {
    let end = Instant::now() + time;
    let mut pause = Duration::from_millis(1);
    // Bound: `end`.
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(End::Exited(status));
        }
        if Instant::now() >= end {
            stop(child, Duration::from_secs(5))?;
            return Ok(End::OutOfTime);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Asks a child and its descendants to end, and makes them after `grace`.
pub(crate) fn stop(child: &mut Child, grace: Duration) -> anyhow::Result<()> {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        child.kill()?;
        child.wait()?;
        return Ok(());
    };
    let family = descendants(pid);
    signal(&family, Signal::TERM);
    let end = Instant::now() + grace;
    while Instant::now() < end {
        if child.try_wait()?.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    if child.try_wait()?.is_none() {
        signal(&family, Signal::KILL);
    } else {
        signal(&family[1..], Signal::KILL);
    }
    child.wait()?;
    Ok(())
}

fn signal(family: &[Pid], signal: Signal) {
    for pid in family {
        // One that has ended in the meantime cannot be reached, which is what was wanted.
        let _ = kill_process(*pid, signal);
    }
}

/// The process and all that it has started, as far as the system tells (Linux does, others name the process alone).
fn descendants(root: Pid) -> Vec<Pid> {
    let parents: Vec<(Pid, Pid)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
            // The name before the parent's number is in parentheses and may hold blanks.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, Pid::from_raw(parent)?))
        })
        .collect();
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| *pid));
        next += 1;
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn stops_what_a_child_has_started() {
        let file = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.arg("-c").arg(r#"sleep 60 & echo $! > "$FILE"; wait"#).env("FILE", &file);
        let end = run(&mut command, Duration::from_millis(500)).unwrap();
        assert!(matches!(end, End::OutOfTime));
        let grandchild = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        // It is gone, or dead and not yet buried by whoever inherited it; a signal takes a moment to arrive.
        let lives = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", grandchild.trim()));
            stat.is_ok_and(|stat| !stat.contains(") Z"))
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        while lives() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!lives());
    }

    #[test]
    fn tells_how_a_child_has_ended() {
        let end = run(Command::new("sh").args(["-c", "exit 3"]), Duration::from_secs(10)).unwrap();
        assert!(matches!(end, End::Exited(status) if status.code() == Some(3)));
    }
}
