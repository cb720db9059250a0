//! Damage, wrong use and unlucky timing: each is an error that says what and where, and nothing is skipped.

#![allow(missing_docs, clippy::pedantic, clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coreto_log::disk::{Disk, RealDisk, SimDisk};
use coreto_log::{
    AppendError, Cursor, DiskLog, Error, LogReader, LogWriter, NodeId, PAYLOAD_BYTES_MAX, PartitionLog,
    PartitionName, Retention,
};
use support::*;

const NODE: NodeId = NodeId(7);

fn cursor(name: &str, sequence: u64) -> Cursor {
    Cursor { name: Arc::from(name), sequence, data: vec![1, 2, 3] }
}

/// Writes the disk's bytes at a place.
fn patch(disk: &SimDisk, path: &Path, at: u64, bytes: &[u8]) {
    let file = disk.open(path).unwrap();
    file.write_at(bytes, at).unwrap();
    file.sync().unwrap();
}

#[test]
fn names_that_cannot_be_files_are_refused() {
    let disk = SimDisk::new(1);
    let log = open_small(&disk, root());
    let long = "a".repeat(65);
    for group in ["", "..", "a/b", "../x", ".hidden", "a b", "ü", &long] {
        let name = PartitionName { group: Arc::from(group), number: 1 };
        let error = log.open_writer(&name, NODE, 0).err().unwrap();
        assert!(matches!(error, Error::Name { .. }), "`{group}`: {error}");
    }
    let _writer = log.open_writer(&partition(), NODE, 0).unwrap();
    for name in ["", "..", "a/b", "-x", &long] {
        let error = log.put_cursor(&partition(), &cursor(name, 1)).unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "`{name}`: {error}");
        assert!(log.remove_cursor(&partition(), name).is_err());
    }
}

#[test]
fn cursors_are_replaced_and_removed_and_never_lie() {
    let disk = SimDisk::new(1);
    let log = open_small(&disk, root());
    let _writer = log.open_writer(&partition(), NODE, 0).unwrap();
    // Names that other files have too.
    let names = ["epoch", "clean", "snapshot", "spare", "a.tmp"];
    for name in names {
        log.put_cursor(&partition(), &cursor(name, 0)).unwrap();
        log.put_cursor(&partition(), &cursor(name, 1)).unwrap();
    }
    let found = |log: &DiskLog<SimDisk>| names.map(|name| log.cursor(&partition(), name).unwrap());
    assert_eq!(found(&log), names.map(|name| Some(cursor(name, 1))));
    assert_eq!(log.cursor(&partition(), "another").unwrap(), None);
    let error = log.put_cursor(&partition(), &cursor("fast", 2)).unwrap_err();
    assert!(matches!(error, Error::Ahead { sequence: 2, end: 1, .. }), "{error}");
    let data = vec![0; (1 << 20) + 1];
    let error = log.put_cursor(&partition(), &Cursor { data, ..cursor("big", 1) }).unwrap_err();
    assert!(matches!(error, Error::CursorTooLong { .. }), "{error}");
    log.remove_cursor(&partition(), "epoch").unwrap();
    log.remove_cursor(&partition(), "epoch").unwrap();
    let left = names.map(|name| (name != "epoch").then(|| cursor(name, 1)));
    assert_eq!(found(&log), left);
    disk.crash();
    assert_eq!(found(&open_small(&disk, root())), left, "all was durable");
}

#[test]
fn a_log_that_ends_before_a_cursor_or_a_snapshot_is_corrupt_and_before_the_store_if_it_is_torn() {
    for (witness, torn, refused) in [
        (0, false, true),
        (1, false, true),
        (2, false, false),
        (2, true, true),
        (3, false, false),
        (3, true, true),
        (4, true, false),
    ] {
        let disk = SimDisk::new(1);
        let log = open_small(&disk, root());
        let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
        writer.append(b"kept").unwrap();
        let kept = written(&disk, &segments(&disk, root())[0]);
        // It takes some sectors.
        writer.append(&Random(9).bytes(2000)).unwrap();
        match witness {
            0 | 3 => log.put_cursor(&partition(), &cursor("reader", 3)).unwrap(),
            1 => drop(log.put_snapshot(&partition(), 3, &mut |out| out.write_all(b"state")).unwrap()),
            _ => (),
        }
        if witness == 3 {
            assert!(disk.flip_bit(&root().join("engine-1/reader.cursor"), 18, 3));
        }
        let path = segments(&disk, root()).remove(0);
        let end = written(&disk, &path);
        // The last sector is missing, or all of the batch.
        let from = if torn { (end - 1) / 512 * 512 } else { kept };
        patch(&disk, &path, from as u64, &vec![0; end - from]);
        let seen = if witness == 2 { 3 } else { 0 };
        match open_small(&disk, root()).open_writer(&partition(), NODE, seen) {
            Ok(writer) => assert!(!refused && writer.barrier_sequence() == 3, "witness {witness}, {torn}"),
            Err(error) => {
                assert!(
                    refused && matches!(error, Error::Corrupt { whole_until: 2, .. }),
                    "{witness}: {error}"
                );
            }
        }
    }
}

/// Every bit of a log that was not closed, the last batch's too: no sector is missing, so no crash explains it.
#[test]
fn a_flipped_bit_is_found_without_a_mark_of_a_clean_shutdown() {
    let disk = SimDisk::new(5);
    let mut random = Random(3);
    let mut writer = open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
    for length in [40, 5, 700, 1] {
        let mut bytes = random.bytes(length);
        *bytes.last_mut().unwrap() |= 1;
        writer.append(&bytes).unwrap();
    }
    drop(writer);
    let path = segments(&disk, root()).remove(0);
    let end = written(&disk, &path);
    let before = disk.bytes(&path).unwrap();
    for at in 0..end as u64 {
        for bit in 0..8 {
            assert!(disk.flip_bit(&path, at, bit));
            // A zero that fills up a frame belongs to no checksum.
            let filling = before[at as usize] == 0 && reads_all_five(&disk);
            let opened = open_small(&disk, root()).open_writer(&partition(), NODE, 0);
            match opened {
                Ok(writer) if filling => {
                    assert_eq!(writer.barrier_sequence(), 6, "byte {at} bit {bit}");
                    patch(&disk, &path, 0, &before);
                }
                Ok(_) => panic!("byte {at} bit {bit} went unnoticed"),
                Err(Error::Corrupt { .. } | Error::Format { .. } | Error::Foreign { .. }) => {}
                Err(other) => panic!("byte {at} bit {bit}: {other}"),
            }
            patch(&disk, &path, 0, &before);
        }
    }
}

fn reads_all_five(disk: &SimDisk) -> bool {
    open_small(disk, root()).read(&partition(), 1).is_ok_and(|mut reader| {
        (1..=5).all(|sequence| matches!(reader.next(), Ok(Some(batch)) if batch.sequence == sequence))
    })
}

#[test]
fn a_cut_file_is_found_without_a_mark_of_a_clean_shutdown() {
    let disk = SimDisk::new(5);
    let mut writer = open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
    for number in 0..5 {
        writer.append(&[number; 100]).unwrap();
    }
    drop(writer);
    let path = segments(&disk, root()).remove(0);
    for length in (0..SEGMENT).rev().step_by(61) {
        disk.cut(&path, length);
        let error = open_small(&disk, root()).open_writer(&partition(), NODE, 0).err().unwrap();
        assert!(matches!(error, Error::Corrupt { .. }), "cut at {length}: {error}");
    }
}

/// A process ends between writing and syncing a batch that fills its segment. The next process finds the batch whole and
/// goes on in another segment; when the power goes then, the batch must not.
#[test]
fn a_batch_that_was_found_is_durable_before_anything_follows_it() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let mut writer = open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
        let payload = Random(seed).bytes(SEGMENT as usize - 128 - 48 - 48);
        disk.fail_syncs(1);
        assert!(matches!(writer.append(&payload), Err(AppendError::SyncFailed { .. })));
        drop(writer);
        let writer = open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
        assert_eq!(writer.barrier_sequence(), 3);
        assert_eq!(segments(&disk, root()).len(), 2);
        disk.crash();
        let log = open_small(&disk, root());
        let _writer = log.open_writer(&partition(), NODE, 3).unwrap();
        let batches = read_all(&log, 1).unwrap_or_else(|error| panic!("SEED={seed}: {error}"));
        assert_eq!(batches[1].payload, payload);
    }
}

/// Each subset of the sectors of the last, unsynced batch.
#[test]
fn a_torn_batch_is_cut_off_whatever_sectors_arrived() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..300 {
        let disk = SimDisk::new(seed);
        let mut writer = open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
        writer.append(b"acknowledged").unwrap();
        let torn = Random(seed).bytes(100 + seed as usize * 7);
        disk.fail_syncs(1);
        assert!(writer.append(&torn).is_err());
        disk.crash();
        let log = open_small(&disk, root());
        let mut writer =
            log.open_writer(&partition(), NODE, 2).unwrap_or_else(|e| panic!("SEED={seed}: {e}"));
        match writer.barrier_sequence() {
            3 => lost += 1,
            4 => kept += 1,
            other => panic!("SEED={seed}: the log goes on at {other}"),
        }
        writer.append(b"goes on").unwrap();
        drop(writer);
        let batches = read_all(&open_small(&disk, root()), 2).unwrap();
        assert_eq!(batches[0].payload, &b"acknowledged"[..]);
        assert_eq!(batches.last().unwrap().payload, &b"goes on"[..]);
    }
    assert!(kept > 5 && lost > 100, "{kept} kept, {lost} lost");
}

#[test]
fn a_missing_first_sector_with_later_batches_is_corrupt() {
    let disk = SimDisk::new(2);
    let mut writer = open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
    let mut random = Random(2);
    for _ in 0..4 {
        writer.append(&random.bytes(1500)).unwrap();
    }
    drop(writer);
    let path = segments(&disk, root()).remove(0);
    // The second of the batches begins behind the header, the barrier's frame and the first one's.
    let begin = 128 + 48 + (48 + 1500u64).next_multiple_of(8);
    assert_ne!(begin % 512, 0);
    patch(&disk, &path, begin, &vec![0; 512 - begin as usize % 512]);
    let error = open_small(&disk, root()).open_writer(&partition(), NODE, 0).err().unwrap();
    assert!(matches!(error, Error::Corrupt { offset, whole_until: 2, .. } if offset == begin), "{error}");
    assert!(error.to_string().contains("missing and later ones follow"), "{error}");
}

#[test]
fn readers_report_damage_and_gaps_and_do_not_skip() {
    let disk = SimDisk::new(4);
    let log = open_small(&disk, root());
    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
    let mut random = Random(4);
    for _ in 0..40 {
        writer.append(&random.bytes(2000)).unwrap();
    }
    let paths = segments(&disk, root());
    assert!(paths.len() >= 3);

    assert!(disk.flip_bit(&paths[0], 3000, 2));
    let mut reader = log.read(&partition(), 1).unwrap();
    let error = std::iter::from_fn(|| reader.next().transpose()).find_map(Result::err).unwrap();
    let Error::Corrupt { path, whole_until, .. } = &error else { panic!("{error}") };
    assert_eq!((path, *whole_until), (&paths[0], 2));
    assert!(reader.next().is_err(), "the reader stays before the damage");
    assert!(disk.flip_bit(&paths[0], 3000, 2));

    disk.remove(&paths[1]).unwrap();
    let mut reader = log.read(&partition(), 1).unwrap();
    let error = std::iter::from_fn(|| reader.next().transpose()).find_map(Result::err).unwrap();
    assert!(
        matches!(&error, Error::Corrupt { path, .. } if *path == paths[1] || *path == paths[0]),
        "{error}"
    );
}

#[test]
fn a_batch_of_another_history_breaks_the_chain() {
    let (ours, theirs) = (SimDisk::new(1), SimDisk::new(2));
    for (disk, second) in [(&ours, b"one"), (&theirs, b"two")] {
        let mut writer = open_small(disk, root()).open_writer(&partition(), NODE, 0).unwrap();
        writer.append(second).unwrap();
        writer.append(b"the same").unwrap();
        writer.append(b"the last").unwrap();
    }
    let path = segments(&ours, root()).remove(0);
    let at = 128 + 48 + 56;
    let frame = theirs.bytes(&path).unwrap()[at..at + 56].to_vec();
    assert_ne!(ours.bytes(&path).unwrap()[at..at + 56], frame);
    let log = open_small(&ours, root());
    let writer = log.open_writer(&partition(), NODE, 0).unwrap();
    patch(&ours, &path, at as u64, &frame);
    let mut reader = log.read(&partition(), 1).unwrap();
    assert!(reader.next().is_ok() && reader.next().is_ok());
    let error = reader.next().unwrap_err();
    assert!(error.to_string().contains("chain"), "{error}");
    drop(writer);
    assert!(open_small(&ours, root()).open_writer(&partition(), NODE, 0).is_err());
}

#[test]
fn a_damaged_snapshot_is_passed_over_and_holds_the_log() {
    let disk = SimDisk::new(4);
    let log = open_small(&disk, root());
    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
    let mut random = Random(4);
    let mut metas = Vec::new();
    for number in 1..=3u8 {
        for _ in 0..20 {
            writer.append(&random.bytes(2000)).unwrap();
        }
        let upto = writer.next_sequence() - 1;
        metas.push(log.put_snapshot(&partition(), upto, &mut |out| out.write_all(&[number; 1000])).unwrap());
    }
    assert!(disk.flip_bit(&metas[2].path, 600, 1));
    // Another process: nothing is known to be whole.
    let log = open_small(&disk, root());
    let _writer = log.open_writer(&partition(), NODE, 0).unwrap();
    let listed = log.snapshots(&partition()).unwrap();
    assert_eq!(listed.iter().map(|s| s.sequence).collect::<Vec<_>>(), [61, 41, 21]);
    assert!(matches!(log.get_snapshot(&partition(), &listed[0]), Err(Error::Corrupt { .. })));
    let mut content = Vec::new();
    log.get_snapshot(&partition(), &listed[1]).unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, [2; 1000]);
    let kept = log.trim(&partition(), Retention::default()).unwrap();
    assert!(kept > 1 && kept <= 22, "the oldest whole snapshot still finds its log: {kept}");
    assert!(read_all(&log, 22).is_ok());
    assert_eq!(log.snapshots(&partition()).unwrap().len(), 3);
}

#[test]
fn a_snapshot_of_what_is_not_durable_is_refused() {
    let disk = SimDisk::new(4);
    let log = open_small(&disk, root());
    let _writer = log.open_writer(&partition(), NODE, 0).unwrap();
    let error = log.put_snapshot(&partition(), 2, &mut |out| out.write_all(b"x")).unwrap_err();
    assert!(matches!(error, Error::Ahead { sequence: 2, end: 1, .. }), "{error}");
    assert!(log.snapshots(&partition()).unwrap().is_empty());
}

#[test]
fn a_cursor_holds_the_log_only_inside_its_retention() {
    let disk = SimDisk::new(4);
    let log = open_small(&disk, root());
    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
    let mut random = Random(4);
    for _ in 0..60 {
        writer.append(&random.bytes(2000)).unwrap();
    }
    log.put_cursor(&partition(), &cursor("slow", 3)).unwrap();
    for upto in [50, 60] {
        log.put_snapshot(&partition(), upto, &mut |out| out.write_all(b"x")).unwrap();
    }
    let retention = Retention { bytes: u64::MAX, age: Duration::from_secs(60) };
    assert_eq!(log.trim(&partition(), retention).unwrap(), 1);
    // A damaged one holds all there is, for as long.
    log.put_cursor(&partition(), &cursor("slow", 60)).unwrap();
    assert!(disk.flip_bit(&root().join("engine-1/slow.cursor"), 18, 3));
    assert_eq!(log.trim(&partition(), retention).unwrap(), 1);
    disk.advance(Duration::from_secs(61));
    let mut behind = log.read(&partition(), 4).unwrap();
    assert_eq!(behind.next().unwrap().unwrap().sequence, 4);
    let kept = log.trim(&partition(), retention).unwrap();
    assert!(kept > 4 && kept <= 51, "{kept}");
    // A reader in the middle of what is gone reads its segment to the end, and is told then.
    let error = std::iter::from_fn(|| behind.next().transpose()).find_map(Result::err).unwrap();
    assert!(matches!(error, Error::Trimmed { first, .. } if first == kept), "{error}");
}

#[test]
fn every_file_of_another_format_is_refused_by_name() {
    for file in
        ["epoch", "clean", "reader.cursor", "00000000000000000002.snapshot", "00000000000000000001.log"]
    {
        for (format, word) in [(0, "older"), (2, "newer")] {
            let disk = SimDisk::new(4);
            let log = open_small(&disk, root());
            let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
            writer.append(b"x").unwrap();
            log.put_cursor(&partition(), &cursor("reader", 2)).unwrap();
            let meta = log.put_snapshot(&partition(), 2, &mut |out| out.write_all(b"x")).unwrap();
            writer.close().unwrap();
            patch(&disk, &root().join("engine-1").join(file), 8, &[format]);
            let log = open_small(&disk, root());
            let error = if file.ends_with("snapshot") {
                log.get_snapshot(&partition(), &meta).err().unwrap()
            } else {
                log.open_writer(&partition(), NODE, 0).err().unwrap()
            };
            let text = error.to_string();
            let wanted = format!("has format {format}, which is {word} than this program reads (1)");
            assert!(text.contains(file) && text.contains(&wanted), "{text}");
        }
    }
}

#[test]
fn small_files_that_are_damaged_are_named_and_only_the_mark_of_the_end_stops_the_log() {
    for (file, opens) in [("clean", false), ("reader.cursor", true), ("epoch", true)] {
        let disk = SimDisk::new(4);
        let log = open_small(&disk, root());
        let writer = log.open_writer(&partition(), NODE, 0).unwrap();
        log.put_cursor(&partition(), &cursor("reader", 1)).unwrap();
        writer.close().unwrap();
        assert!(disk.flip_bit(&root().join("engine-1").join(file), 18, 3));
        let opened = open_small(&disk, root()).open_writer(&partition(), NODE, 0);
        match opened {
            Ok(writer) => assert!(opens && writer.epoch() == 2, "{file}"),
            Err(error) => assert!(!opens && error.to_string().contains(file), "{error}"),
        }
        match log.cursor(&partition(), "reader") {
            Ok(cursor) => assert_eq!((cursor.unwrap().sequence, file == "reader.cursor"), (1, false)),
            Err(error) => {
                assert!(matches!(error, Error::Corrupt { .. }) && file == "reader.cursor", "{error}");
                assert!(error.to_string().contains(file), "{error}");
            }
        }
    }
}

#[test]
fn a_log_can_be_read_before_anybody_writes() {
    let disk = SimDisk::new(4);
    let mut writer = open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
    writer.append(b"x").unwrap();
    drop(writer);
    let before = disk.bytes(&segments(&disk, root())[0]);
    assert_eq!(read_all(&open_small(&disk, root()), 1).unwrap().len(), 2);
    assert_eq!(disk.bytes(&segments(&disk, root())[0]), before);
}

#[test]
fn an_unknown_outcome_is_decided_by_hash_and_ends_the_writer() {
    let (mut there, mut missing) = (0, 0);
    for seed in 0..100 {
        let disk = SimDisk::new(seed);
        let log = open_small(&disk, root());
        let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
        disk.fail_writes(1);
        let payload = Random(seed).bytes(1200);
        let Err(AppendError::Unknown { sequence, hash, .. }) = writer.append(&payload) else { panic!() };
        assert!(matches!(writer.append(b"again"), Err(AppendError::Unknown { .. })), "it appends no more");
        assert!(writer.close().is_err(), "it was not ended in good order");
        let writer = log.open_writer(&partition(), NODE, 1).unwrap();
        let batches = read_all(&log, sequence).unwrap();
        if batches[0].hash == hash {
            assert_eq!(batches[0].payload, payload);
            assert_eq!(batches[1].previous_hash, hash);
            there += 1;
        } else {
            assert!(batches[0].barrier && batches[0].sequence == writer.barrier_sequence());
            missing += 1;
        }
    }
    assert!(there > 5 && missing > 5, "{there} there, {missing} missing");
}

#[test]
fn after_a_failed_sync_this_process_opens_the_log_no_more() {
    let disk = SimDisk::new(3);
    let log = open_small(&disk, root());
    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
    disk.fail_syncs(1);
    assert!(matches!(writer.append(b"x"), Err(AppendError::SyncFailed { sequence: 2, .. })));
    assert!(matches!(writer.append(b"x"), Err(AppendError::Unknown { .. })));
    let error = log.open_writer(&partition(), NODE, 0).err().unwrap();
    assert!(matches!(error, Error::SyncFailedBefore { .. }), "{error}");
    disk.crash();
    open_small(&disk, root()).open_writer(&partition(), NODE, 0).unwrap();
}

#[test]
fn a_sync_that_fails_while_a_segment_begins_is_no_lack_of_space() {
    let mut found = 0;
    for number in 1..=3 {
        let disk = SimDisk::new(3);
        let log = open_small(&disk, root());
        let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
        let mut random = Random(3);
        let payload = random.bytes(7000);
        writer.append(&payload).unwrap();
        writer.append(&payload).unwrap();
        // Filling, header, directory: the next segment's syncs in their order.
        disk.stall_syncs(0, Duration::ZERO);
        disk.cut_power_after(match number {
            1 => 3,
            2 => 5,
            _ => 7,
        });
        match writer.append(&payload) {
            Err(AppendError::SyncFailed { .. }) => found += 1,
            Err(AppendError::Unavailable { .. } | AppendError::Unknown { .. }) => (),
            other => panic!("{other:?}"),
        }
        disk.crash();
        let log = open_small(&disk, root());
        let mut writer = log.open_writer(&partition(), NODE, 3).unwrap();
        writer.append(b"goes on").unwrap();
    }
    assert!(found >= 1, "no sync failed");
}

#[test]
fn a_fenced_writer_cannot_close_and_one_payload_is_too_large() {
    let disk = SimDisk::new(3);
    let log = open_small(&disk, root());
    let older = log.open_writer(&partition(), NODE, 0).unwrap();
    let mut newer = log.open_writer(&partition(), NODE, 0).unwrap();
    assert!(older.close().is_err());
    assert!(!disk.paths().iter().any(|path| path.ends_with("clean")));
    let error = newer.append(&vec![0; PAYLOAD_BYTES_MAX + 1]).unwrap_err();
    let AppendError::Unknown { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("33554433"), "{source}");
}

/// Segments grow for a batch that is larger than any.
#[test]
fn the_largest_batch_fits() {
    let directory = TempDirectory::new();
    let log = DiskLog::on(RealDisk, directory.path()).with_segment_sizes(SEGMENT, SEGMENT);
    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
    let payload = Random(1).bytes(PAYLOAD_BYTES_MAX);
    writer.append(&payload).unwrap();
    writer.append(b"small again").unwrap();
    drop(writer);
    let log = DiskLog::on(RealDisk, directory.path()).with_segment_sizes(SEGMENT, SEGMENT);
    let _writer = log.open_writer(&partition(), NODE, 3).unwrap();
    let batches = read_all(&log, 2).unwrap();
    assert!(batches[0].payload == payload);
    assert_eq!(batches[1].payload, &b"small again"[..]);
}

/// The older writer's next segment is being filled while the newer one begins its own.
#[test]
fn a_fenced_writers_spare_segment_touches_nothing() {
    let directory = TempDirectory::new();
    let log = DiskLog::on(RealDisk, directory.path());
    let mut random = Random(9);
    let payload = random.bytes(1 << 20);
    let mut writers = Vec::new();
    let mut count = 0;
    for round in 0..6 {
        let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
        for _ in 0..2 + round % 3 {
            writer.append(&payload).unwrap();
            count += 1;
        }
        writers.push(writer);
    }
    drop(writers);
    let read = read_all(&log, 1).unwrap();
    assert_eq!(read.iter().filter(|batch| !batch.barrier && batch.payload == payload).count(), count);
}

/// Everybody takes over from everybody, and what was acknowledged stays.
#[test]
fn a_storm_of_takeovers_keeps_one_history() {
    let directory = TempDirectory::new();
    let log = Arc::new(DiskLog::on(RealDisk, directory.path()).with_segment_sizes(SEGMENT, SEGMENT));
    let threads: Vec<_> = (0..4u8)
        .map(|thread| {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                let mut acknowledged = Vec::new();
                for round in 0..15u8 {
                    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
                    for number in 0..6u8 {
                        let payload = [thread, round, number].repeat(100);
                        match writer.append(&payload) {
                            Ok(sequence) => acknowledged.push((sequence, payload)),
                            Err(AppendError::Fenced { ours, newest }) => {
                                assert!(newest > ours);
                                break;
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                acknowledged
            })
        })
        .collect();
    let acknowledged: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let batches = read_all(&log, 1).unwrap();
    assert_eq!(batches.iter().filter(|batch| batch.barrier).count(), 60);
    assert_eq!(batches.len(), 60 + acknowledged.len(), "nothing was invented");
    for (sequence, payload) in acknowledged {
        assert_eq!(batches[sequence as usize - 1].payload, payload);
    }
}

#[test]
fn readers_on_other_threads_follow_a_live_writer() {
    const BATCHES: u64 = 400;
    let directory = TempDirectory::new();
    let log = Arc::new(DiskLog::on(RealDisk, directory.path()).with_segment_sizes(SEGMENT, 4 * SEGMENT));
    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let mut reader = log.read(&partition(), 2).unwrap();
            std::thread::spawn(move || {
                let mut next = 2;
                // Bound: the writer's time and a little more.
                let deadline = std::time::Instant::now() + Duration::from_secs(60);
                while next < BATCHES + 2 {
                    match reader.next().unwrap() {
                        Some(batch) => {
                            assert_eq!(batch.sequence, next);
                            assert_eq!(batch.payload, Random(next).bytes(next as usize));
                            next += 1;
                        }
                        None => std::thread::yield_now(),
                    }
                    assert!(std::time::Instant::now() < deadline, "at batch {next}");
                }
            })
        })
        .collect();
    for sequence in 2..BATCHES + 2 {
        assert_eq!(writer.append(&Random(sequence).bytes(sequence as usize)).unwrap(), sequence);
    }
    for reader in readers {
        reader.join().unwrap();
    }
    assert!(segments(&RealDisk, directory.path()).len() > 2);
}

#[test]
fn the_lock_lasts_as_long_as_a_writer() {
    let directory = TempDirectory::new();
    let log = DiskLog::open(directory.path()).unwrap();
    let writer = log.open_writer(&partition(), NODE, 0).unwrap();
    drop(log);
    let error = DiskLog::open(directory.path()).err().unwrap();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    drop(writer);
    DiskLog::open(directory.path()).unwrap();
}

/// Runs itself as the second process, which is told the directory.
#[test]
fn a_second_process_is_refused_and_told_who_holds_the_directory() {
    const DIRECTORY: &str = "CORETO_LOG_TEST_DIRECTORY";
    const HOLDER: &str = "CORETO_LOG_TEST_HOLDER";
    if let (Ok(directory), Ok(holder)) = (std::env::var(DIRECTORY), std::env::var(HOLDER)) {
        let error = DiskLog::open(Path::new(&directory)).err().unwrap().to_string();
        assert!(error.contains(&directory) && error.contains(&holder), "{error}");
        return;
    }
    let directory = TempDirectory::new();
    let _log = DiskLog::open(directory.path()).unwrap();
    let second = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_second_process_is_refused_and_told_who_holds_the_directory"])
        .env(DIRECTORY, directory.path())
        .env(HOLDER, format!("process {}", std::process::id()))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&second.stdout);
    assert!(second.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn a_stalling_disk_is_counted_and_loses_nothing() {
    let disk = SimDisk::new(3);
    let log = open_small(&disk, root());
    let mut writer = log.open_writer(&partition(), NODE, 0).unwrap();
    disk.stall_syncs(2, Duration::from_secs(5));
    for _ in 0..3 {
        writer.append(b"slow").unwrap();
    }
    assert_eq!(disk.stalled(), Duration::from_secs(10));
    assert_eq!(read_all(&log, 1).unwrap().len(), 4);
}

#[test]
fn unfinished_files_are_removed_when_a_writer_opens() {
    let disk = SimDisk::new(3);
    let log = open_small(&disk, root());
    drop(log.open_writer(&partition(), NODE, 0).unwrap());
    let stale = root().join("engine-1").join("spare-9.tmp");
    disk.create(&stale).unwrap().write_at(&[1; 100], 0).unwrap();
    drop(log.open_writer(&partition(), NODE, 0).unwrap());
    assert!(!disk.paths().contains(&stale));
}
