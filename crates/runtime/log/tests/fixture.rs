//! Logs that earlier versions recorded are read bit for bit.
//!
//! `fixtures/log-v1` holds a data directory without the zeros at the end of its segments, and `batches.txt`: one line a
//! batch with sequence, epoch, whether it is a barrier, hash, hash of the batch before, and payload. A fixture is never
//! written again; `UPDATE=1` records it only where there is none.

#![allow(missing_docs, clippy::pedantic, clippy::unwrap_used, reason = "a test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coreto_log::{Batch, Cursor, DiskLog, LogWriter, NodeId, PartitionLog};
use support::{TempDirectory, partition, read_all, segments};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/log-v1")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn line(batch: &Batch) -> String {
    let Batch { sequence, epoch, barrier, hash, previous_hash, payload } = batch;
    let payload = if payload.is_empty() { "-".into() } else { hex(payload) };
    format!("{sequence} {epoch} {barrier} {} {} {payload}\n", hex(hash), hex(previous_hash))
}

/// Two epochs in two segments; short, long, empty, compressible and incompressible payloads.
fn record(root: &Path) {
    let log = DiskLog::open(root).unwrap().with_segment_sizes(4096, 4096);
    let mut writer = log.open_writer(&partition(), NodeId(3), 0).unwrap();
    writer.append(b"short").unwrap();
    writer.append(b"").unwrap();
    writer.append(&b"again and ".repeat(100)).unwrap();
    drop(writer);
    let mut writer = log.open_writer(&partition(), NodeId(4), 4).unwrap();
    for length in [333, 1500, 2100] {
        writer.append(&support::Random(length as u64).bytes(length)).unwrap();
    }
    let content = b"what it amounts to".repeat(20);
    log.put_snapshot(&partition(), 6, &mut |out| out.write_all(&content)).unwrap();
    let cursor = Cursor { name: Arc::from("exporter"), sequence: 7, data: b"counts".to_vec() };
    log.put_cursor(&partition(), &cursor).unwrap();
    writer.close().unwrap();
}

fn save(root: &Path, target: &Path) {
    let to = target.join("engine-1");
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(root.join("engine-1")).unwrap() {
        let entry = entry.unwrap();
        let mut bytes = fs::read(entry.path()).unwrap();
        if entry.path().extension().is_some_and(|suffix| suffix == "log") {
            bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1);
        }
        fs::write(to.join(entry.file_name()), bytes).unwrap();
    }
    let log = DiskLog::open(root).unwrap();
    let text: String = read_all(&log, 1).unwrap().iter().map(line).collect();
    fs::write(target.join("batches.txt"), text).unwrap();
}

fn restore(from: &Path, root: &Path) {
    let to = root.join("engine-1");
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(from.join("engine-1")).unwrap() {
        let entry = entry.unwrap();
        let mut bytes = fs::read(entry.path()).unwrap();
        if entry.path().extension().is_some_and(|suffix| suffix == "log") {
            let size = u64::from_le_bytes(bytes[92..100].try_into().unwrap());
            bytes.resize(usize::try_from(size).unwrap(), 0);
        }
        fs::write(to.join(entry.file_name()), bytes).unwrap();
    }
}

#[test]
fn the_first_recorded_log_is_read_bit_for_bit() {
    let directory = TempDirectory::new();
    if !fixture().exists() && std::env::var_os("UPDATE").is_some() {
        let recorded = TempDirectory::new();
        record(recorded.path());
        save(recorded.path(), &fixture());
    }
    restore(&fixture(), directory.path());
    let expected = fs::read_to_string(fixture().join("batches.txt")).unwrap();
    let log = DiskLog::open(directory.path()).unwrap();
    let batches = read_all(&log, 1).unwrap();
    assert_eq!(batches.iter().map(line).collect::<String>(), expected);
    assert_eq!(batches.len(), 8);
    assert_eq!(batches[3].payload, b"again and ".repeat(100));
    assert_eq!(batches[6].payload, support::Random(1500).bytes(1500));
    assert_eq!(segments(&coreto_log::disk::RealDisk, directory.path()).len(), 2);

    let cursor = log.cursor(&partition(), "exporter").unwrap();
    assert_eq!(cursor, Some(Cursor { name: Arc::from("exporter"), sequence: 7, data: b"counts".to_vec() }));
    let snapshots = log.snapshots(&partition()).unwrap();
    assert_eq!(snapshots.iter().map(|snapshot| snapshot.sequence).collect::<Vec<_>>(), [6]);
    let mut content = Vec::new();
    log.get_snapshot(&partition(), &snapshots[0]).unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, b"what it amounts to".repeat(20));

    let mut writer = log.open_writer(&partition(), NodeId(5), 8).unwrap();
    assert_eq!((writer.epoch(), writer.barrier_sequence()), (3, 9));
    assert_eq!(writer.append(b"and goes on").unwrap(), 10);
    assert_eq!(read_all(&log, 9).unwrap()[0].previous_hash, batches[7].hash);
}
