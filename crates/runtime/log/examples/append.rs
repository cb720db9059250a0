//! Measures appends beside bare writes of the same length on the same disk, in turns, and then reads all back.
//!
//! `cargo run --release -p coreto-log --example append -- DIR BYTES COUNT`
//!
//! `DIR` is made if it is not there and must not hold a log; what was written is removed at the end. Payloads do not
//! compress.

use std::error::Error;
use std::fs::{self, File};
use std::io::{Write, stdout};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use coreto_log::{DiskLog, LogReader, LogWriter, NodeId, PartitionLog, PartitionName};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, bytes, count] = &arguments[..] else { return Err("wanted: DIR BYTES COUNT".into()) };
    let (directory, bytes, count) = (Path::new(directory), bytes.parse()?, count.parse()?);
    let root = directory.join("append-example");
    let measured = measure(&root, bytes, count);
    fs::remove_dir_all(&root)?;
    measured
}

fn measure(root: &Path, bytes: usize, count: usize) -> Result<(), Box<dyn Error>> {
    let log = DiskLog::open(root)?;
    let partition = PartitionName { group: "bench".into(), number: 1 };
    let mut writer = log.open_writer(&partition, NodeId(0), 0)?;
    let frame = vec![7; (bytes + 48).next_multiple_of(8)];
    let bare = zeros(&root.join("bare"), frame.len() * count)?;
    let mut payload = vec![0; bytes];
    let (mut append_times, mut bare_times) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut chance = 1;
    for number in 0..count {
        fill(&mut payload, &mut chance);
        let begin = Instant::now();
        writer.append(&payload)?;
        append_times.push(begin.elapsed());
        let begin = Instant::now();
        bare.write_all_at(&frame, (number * frame.len()) as u64)?;
        bare.sync_data()?;
        bare_times.push(begin.elapsed());
    }
    let mut out = stdout().lock();
    writeln!(out, "{count} batches of {bytes} bytes")?;
    report(&mut out, "append", &mut append_times)?;
    report(&mut out, "bare write and sync", &mut bare_times)?;

    let mut reader = log.read(&partition, 2)?;
    let (mut read, begin) = (0, Instant::now());
    while let Some(batch) = reader.next()? {
        read += batch.payload.len();
    }
    let seconds = begin.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let (batches, mib) = (count as f64 / seconds, read as f64 / seconds / f64::from(1 << 20));
    writeln!(out, "read back: {batches:.0} batches/s, {mib:.0} MiB/s")?;
    writer.close()?;
    Ok(())
}

/// A file that was filled with zeros and synced, as segments are.
fn zeros(path: &Path, length: usize) -> std::io::Result<File> {
    let file = File::create(path)?;
    let chunk = vec![0; 1 << 20];
    for at in (0..length).step_by(chunk.len()) {
        file.write_all_at(&chunk[..chunk.len().min(length - at)], at as u64)?;
    }
    file.sync_all()?;
    Ok(file)
}

fn fill(payload: &mut [u8], chance: &mut u64) {
    for word in payload.chunks_mut(8) {
        *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = (*chance ^ (*chance >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes();
        word.copy_from_slice(&bits[..word.len()]);
    }
}

fn report(out: &mut impl Write, name: &str, times: &mut [Duration]) -> std::io::Result<()> {
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let longest = times.last().copied().unwrap_or_default();
    let [half, most, longest] = [at(50), at(99), longest].map(milliseconds);
    writeln!(out, "{name}: p50 {half:.3} ms, p99 {most:.3} ms, longest {longest:.3} ms")
}
