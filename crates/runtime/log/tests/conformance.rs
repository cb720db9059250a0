//! What every backend must keep, on the real disk and on the simulated one.

#![allow(missing_docs, clippy::pedantic, clippy::unwrap_used, reason = "a test")]

mod support;

use std::path::Path;

use coreto_log::disk::{Disk, RealDisk, SimDisk};
use coreto_log::{
    AppendError, Cursor, DiskLog, Error, LogReader, LogWriter, NodeId, PartitionLog, Retention,
};
use support::{TempDirectory, open_small, partition, read_all, segments};

/// Runs a test on the real disk and on a simulated one.
macro_rules! on_each_disk {
    ($($name:ident),* $(,)?) => {
        mod real {
            $( #[test] fn $name() {
                let directory = super::TempDirectory::new();
                super::$name(super::RealDisk, directory.path());
            } )*
        }
        mod simulated {
            $( #[test] fn $name() {
                super::$name(super::SimDisk::new(1), std::path::Path::new("data"));
            } )*
        }
    };
}

on_each_disk!(
    reads_back_what_was_appended,
    a_newer_writer_fences_the_older,
    a_reader_follows_a_growing_log,
    segments_follow_each_other,
    what_is_written_is_counted_as_it_lies_there,
    snapshots_are_verified,
    trims_below_the_second_newest_snapshot_and_cursors,
    an_empty_last_segment_is_no_end,
    a_closed_log_that_lost_its_tail_is_corrupt,
    another_partition_or_format_is_refused,
);

fn open<D: Disk>(disk: &D, root: &Path) -> DiskLog<D> {
    DiskLog::on(disk.clone(), root)
}

fn payload(number: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(number | 1) >> 3) as u8).collect()
}

fn reads_back_what_was_appended<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    assert_eq!((writer.epoch(), writer.barrier_sequence(), writer.next_sequence()), (1, 1, 2));
    for number in 2..50 {
        assert_eq!(writer.append(&payload(number, number as usize * 37)).unwrap(), number);
    }
    drop(writer);
    let log = open(&disk, root);
    let writer = log.open_writer(&partition(), NodeId(0), 49).unwrap();
    assert_eq!((writer.epoch(), writer.barrier_sequence()), (2, 50));
    let batches = read_all(&log, 1).unwrap();
    assert_eq!(batches.len(), 50);
    for batch in &batches {
        let expected =
            if batch.barrier { Vec::new() } else { payload(batch.sequence, batch.sequence as usize * 37) };
        assert_eq!(batch.payload, expected, "batch {}", batch.sequence);
    }
    assert_eq!(batches.iter().filter(|batch| batch.barrier).count(), 2);
    assert_eq!(read_all(&log, 48).unwrap().len(), 3);
}

fn a_newer_writer_fences_the_older<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut older = log.open_writer(&partition(), NodeId(1), 0).unwrap();
    older.append(b"before").unwrap();
    let mut newer = log.open_writer(&partition(), NodeId(2), 0).unwrap();
    assert!(matches!(older.append(b"late"), Err(AppendError::Fenced { ours: 1, newest: 2 })));
    newer.append(b"after").unwrap();
    let payloads: Vec<_> = read_all(&log, 1).unwrap().into_iter().map(|batch| batch.payload).collect();
    assert_eq!(payloads, [&b""[..], b"before", b"", b"after"]);
}

fn a_reader_follows_a_growing_log<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    let mut reader = log.read(&partition(), 2).unwrap();
    for number in 2..200 {
        assert_eq!(reader.next().unwrap(), None);
        writer.append(&payload(number, 100_000)).unwrap();
        let batch = reader.next().unwrap().unwrap();
        assert_eq!((batch.sequence, batch.payload), (number, payload(number, 100_000).into()));
    }
}

fn segments_follow_each_other<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    let mut chance = 7u64;
    let mut incompressible = || {
        (0..300_000)
            .map(|_| {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (chance >> 56) as u8
            })
            .collect::<Vec<u8>>()
    };
    let payloads: Vec<_> = (0..50).map(|_| incompressible()).collect();
    for payload in &payloads {
        writer.append(payload).unwrap();
    }
    assert!(segments(&disk, root).len() > 1);
    let read = read_all(&log, 2).unwrap();
    assert!(read.iter().map(|batch| &batch.payload).eq(payloads.iter()));
    drop(writer);
    let log = open(&disk, root);
    let writer = log.open_writer(&partition(), NodeId(0), 51).unwrap();
    assert_eq!(writer.next_sequence(), 53);
}

fn what_is_written_is_counted_as_it_lies_there<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    let barrier = writer.written_bytes();
    assert!((1..200).contains(&barrier), "{barrier}");
    writer.append(b"short").unwrap();
    let short = writer.written_bytes() - barrier;
    assert!(short >= 5 + barrier && short.is_multiple_of(8), "{short}");
    writer.append(&[7; 100_000]).unwrap();
    let compressed = writer.written_bytes() - barrier - short;
    assert!((1..2_000).contains(&compressed), "{compressed}");
}

fn snapshots_are_verified<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    writer.append(b"one").unwrap();
    let content = payload(3, 700_000);
    let meta = log.put_snapshot(&partition(), 2, &mut |out| out.write_all(&content)).unwrap();
    let mut back = Vec::new();
    std::io::Read::read_to_end(&mut log.get_snapshot(&partition(), &meta).unwrap(), &mut back).unwrap();
    assert_eq!(back, content);
    assert!(log.put_snapshot(&partition(), 3, &mut |_| Err(std::io::Error::other("no"))).is_err());
    assert_eq!(log.snapshots(&partition()).unwrap().len(), 1);
    for at in [0, 9, 20, 350_000, 700_017, 700_027] {
        let file = disk.open(&meta.path).unwrap();
        let mut byte = [0];
        file.read_at(&mut byte, at).unwrap();
        file.write_at(&[byte[0] ^ 4], at).unwrap();
        let read = log.get_snapshot(&partition(), &meta);
        assert!(matches!(read, Err(Error::Corrupt { .. } | Error::Format { .. })), "byte {at}");
        file.write_at(&byte, at).unwrap();
    }
}

fn trims_below_the_second_newest_snapshot_and_cursors<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    let filler: Vec<u8> =
        (0..200_000u64).flat_map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    for _ in 0..20 {
        writer.append(&filler).unwrap();
    }
    let all = segments(&disk, root).len();
    assert!(all > 3);
    let mut write = |out: &mut dyn std::io::Write| out.write_all(b"state");
    log.put_snapshot(&partition(), 21, &mut write).unwrap();
    assert_eq!(log.trim(&partition(), Retention::default()).unwrap(), 1, "one snapshot alone trims nothing");
    log.put_snapshot(&partition(), 20, &mut write).unwrap();
    log.put_cursor(&partition(), &Cursor { name: "slow".into(), sequence: 3, data: vec![1] }).unwrap();
    let kept = log.trim(&partition(), Retention::default()).unwrap();
    assert!(kept <= 4, "a cursor inside its retention holds the log back");
    let retention = Retention { bytes: 1, ..Retention::default() };
    let kept = log.trim(&partition(), retention).unwrap();
    assert!(kept > 4 && kept <= 21);
    assert!(segments(&disk, root).len() < all);
    assert!(matches!(log.read(&partition(), 1), Err(Error::Trimmed { wanted: 1, .. })));
    assert_eq!(read_all(&log, kept).unwrap().last().unwrap().sequence, 21);
    let cursor = log.cursor(&partition(), "slow").unwrap();
    assert_eq!(cursor, Some(Cursor { name: "slow".into(), sequence: 3, data: vec![1] }));
}

fn an_empty_last_segment_is_no_end<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    for _ in 0..3 {
        writer.append(b"something").unwrap();
    }
    drop(writer);
    // As a crash right after a segment was begun leaves it: header and zeros, no frame.
    let first = segments(&disk, root).remove(0);
    let mut header = vec![0; 128];
    disk.open(&first).unwrap().read_at(&mut header, 0).unwrap();
    header[16..24].copy_from_slice(&5u64.to_le_bytes());
    let sum = crc32c::crc32c(&header[..124]);
    header[124..].copy_from_slice(&sum.to_le_bytes());
    let path = root.join("engine-1").join(format!("{:020}.log", 5));
    let file = disk.create(&path).unwrap();
    file.write_at(&header, 0).unwrap();
    file.write_at(&vec![0; 4 << 20], 128).unwrap();
    file.sync().unwrap();
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 4).unwrap();
    assert_eq!(writer.barrier_sequence(), 5);
    writer.append(b"goes on").unwrap();
    assert_eq!(read_all(&log, 1).unwrap().len(), 6);
}

fn a_closed_log_that_lost_its_tail_is_corrupt<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    writer.append(b"kept").unwrap();
    writer.append(b"lost").unwrap();
    writer.close().unwrap();
    let path = segments(&disk, root).remove(0);
    let file = disk.open(&path).unwrap();
    file.write_at(&[0; 200], 128 + 48 + 56).unwrap();
    let log = open(&disk, root);
    let error = log.open_writer(&partition(), NodeId(0), 0).err().unwrap();
    assert!(matches!(error, Error::Corrupt { whole_until: 2, .. }), "{error}");
}

fn another_partition_or_format_is_refused<D: Disk>(disk: D, root: &Path) {
    let log = open(&disk, root);
    drop(log.open_writer(&partition(), NodeId(0), 0).unwrap());
    let path = segments(&disk, root).remove(0);
    let mut header = vec![0; 128];
    let file = disk.open(&path).unwrap();
    file.read_at(&mut header, 0).unwrap();
    let write = |change: &dyn Fn(&mut [u8])| {
        let mut changed = header.clone();
        change(&mut changed);
        let sum = crc32c::crc32c(&changed[..124]);
        changed[124..].copy_from_slice(&sum.to_le_bytes());
        file.write_at(&changed, 0).unwrap();
        open(&disk, root).open_writer(&partition(), NodeId(0), 0).err().unwrap()
    };
    assert!(matches!(write(&|header| header[8] = 2), Error::Format { found: 2, known: 1, .. }));
    assert!(matches!(write(&|header| header[8] = 0), Error::Format { found: 0, known: 1, .. }));
    assert!(matches!(write(&|header| header[12] = 9), Error::Foreign { found, .. } if found == "engine-9"));
}

#[test]
fn two_processes_cannot_share_a_directory() {
    let directory = TempDirectory::new();
    let held = DiskLog::open(directory.path()).unwrap();
    let error = DiskLog::open(directory.path()).err().unwrap();
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(held);
    DiskLog::open(directory.path()).unwrap();
}

#[test]
fn a_full_disk_takes_the_same_batch_later() {
    let disk = SimDisk::new(3);
    let root = Path::new("data");
    let log = open(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    disk.set_capacity(5 << 20);
    let filler: Vec<u8> =
        (0..60_000u64).flat_map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    let mut appended = 0;
    let refused = loop {
        match writer.append(&filler) {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
    };
    assert!(appended > 3);
    assert!(matches!(refused, AppendError::Unavailable { .. }), "{refused}");
    assert!(matches!(writer.append(&filler), Err(AppendError::Unavailable { .. })));
    disk.set_capacity(u64::MAX);
    assert_eq!(writer.append(&filler).unwrap(), appended + 2);
    assert_eq!(read_all(&log, 1).unwrap().len() as u64, appended + 2);
}

#[test]
fn an_unknown_outcome_is_settled_by_reading_back() {
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let root = Path::new("data");
        let log = open(&disk, root);
        let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
        writer.append(b"known").unwrap();
        disk.fail_writes(1);
        assert!(matches!(writer.append(b"perhaps"), Err(AppendError::Unknown { sequence: 3, .. })));
        drop(writer);
        let mut writer = log.open_writer(&partition(), NodeId(0), 2).unwrap();
        let end = writer.barrier_sequence();
        assert!(end == 3 || end == 4);
        writer.append(b"on").unwrap();
        let read = read_all(&log, 2).unwrap();
        assert_eq!(read[0].payload, &b"known"[..]);
        assert_eq!(read.iter().any(|batch| batch.payload == b"perhaps"[..]), end == 4);
    }
}

#[test]
fn a_failed_sync_says_so() {
    let disk = SimDisk::new(3);
    let log = open(&disk, Path::new("data"));
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    disk.fail_syncs(1);
    assert!(matches!(writer.append(b"x"), Err(AppendError::SyncFailed { sequence: 2, .. })));
}

/// Every bit of a small log, flipped: found, or provably of no effect.
#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let disk = SimDisk::new(5);
    let root = Path::new("data");
    let log = open_small(&disk, root);
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
    for number in 2..8 {
        writer.append(&payload(number, 40)).unwrap();
    }
    writer.close().unwrap();
    let path = segments(&disk, root).remove(0);
    let whole = read_all(&log, 1).unwrap();
    let used = 128 + 48 + 6 * 88;
    for at in 0..used {
        for bit in [0, 3, 7] {
            assert!(disk.flip_bit(&path, at, bit));
            let log = open_small(&disk, root);
            match log.open_writer(&partition(), NodeId(0), 0) {
                Err(Error::Corrupt { .. } | Error::Format { .. } | Error::Foreign { .. }) => (),
                Err(other) => panic!("byte {at} bit {bit}: {other}"),
                Ok(writer) => {
                    assert_eq!(writer.barrier_sequence(), 8, "byte {at} bit {bit}");
                    panic!("byte {at} bit {bit} went unnoticed; {} batches", whole.len());
                }
            }
            assert!(disk.flip_bit(&path, at, bit));
        }
    }
}

/// A log that was closed and then cut anywhere never opens as if it were whole.
#[test]
fn a_cut_file_is_found_wherever_it_ends() {
    for length in (0..128 + 48 + 6 * 88).step_by(7) {
        let disk = SimDisk::new(5);
        let root = Path::new("data");
        let log = open(&disk, root);
        let mut writer = log.open_writer(&partition(), NodeId(0), 0).unwrap();
        for number in 2..8 {
            writer.append(&payload(number, 40)).unwrap();
        }
        writer.close().unwrap();
        let path = segments(&disk, root).remove(0);
        disk.cut(&path, length);
        assert!(open(&disk, root).open_writer(&partition(), NodeId(0), 0).is_err(), "cut at {length}");
    }
}

/// Random appends and power cuts: what was acknowledged is there, in order, and nothing else but perhaps the last.
#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    for seed in 0..200u64 {
        let disk = SimDisk::new(seed);
        let root = Path::new("data");
        let mut expected: Vec<Vec<u8>> = Vec::new();
        let mut random = seed;
        let mut next = |bound: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % bound
        };
        for round in 0..6u64 {
            let log = open_small(&disk, root);
            let mut writer = match log.open_writer(&partition(), NodeId(0), 0) {
                Ok(writer) => writer,
                Err(error) => panic!("SEED={seed} round {round}: {error}"),
            };
            let read: Vec<_> = read_all(&log, 1)
                .unwrap()
                .into_iter()
                .filter(|b| !b.barrier)
                .map(|b| b.payload.to_vec())
                .collect();
            assert_eq!(read.len(), expected.len(), "SEED={seed} round {round}");
            assert!(read == expected, "SEED={seed} round {round}");
            let mut in_doubt = false;
            for _ in 0..next(20) {
                let length = if next(10) == 0 { 900_000 } else { next(3000) as usize };
                let bytes: Vec<u8> = (0..length).map(|at| (at as u64 ^ next(256)) as u8).collect();
                if next(15) == 0 {
                    // The power goes while the batch is on its way.
                    disk.fail_syncs(1);
                    assert!(writer.append(&bytes).is_err());
                    expected.push(bytes);
                    in_doubt = true;
                    break;
                }
                writer.append(&bytes).unwrap();
                expected.push(bytes);
            }
            disk.crash();
            let log = open_small(&disk, root);
            let batches = match log.open_writer(&partition(), NodeId(0), 0) {
                Ok(_) => read_all(&log, 1).unwrap(),
                Err(error) => panic!("SEED={seed} round {round}: {error}"),
            };
            let read: Vec<_> =
                batches.into_iter().filter(|b| !b.barrier).map(|b| b.payload.to_vec()).collect();
            let acknowledged = expected.len() - usize::from(in_doubt);
            assert!(
                read == expected || (in_doubt && read[..] == expected[..acknowledged]),
                "SEED={seed} round {round}: {} of {}",
                read.len(),
                expected.len()
            );
            expected = read;
        }
    }
}
