//! The power goes at any moment: what was acknowledged is there, nothing is invented, and the log goes on.

#![allow(missing_docs, clippy::pedantic, clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use coreto_log::disk::SimDisk;
use coreto_log::{Cursor, DiskLog, LogWriter, NodeId, PartitionLog, Retention, SnapshotMeta};
use support::*;

/// What the log must hold.
#[derive(Default)]
struct Expected {
    /// Payloads by sequence; none for a batch that nobody appended, which may be a barrier only.
    acknowledged: Vec<(u64, Vec<u8>)>,
    /// The batch that was on its way when the power went.
    in_doubt: Option<(u64, Vec<u8>)>,
    snapshots: Vec<u64>,
    cursor: Option<u64>,
    /// A batch that may have been trimmed, and all before it.
    trimmed_below: u64,
}

const ALL: Retention = Retention { bytes: u64::MAX, age: Duration::MAX };

/// The whole of a life: appends, snapshots, cursors and trims, until the power goes or the script ends.
fn live(log: &DiskLog<SimDisk>, random: &mut Random, expected: &mut Expected, steps: u64) -> Option<()> {
    let mut writer = log.open_writer(&partition(), NodeId(0), 0).ok()?;
    for _ in 0..steps {
        let last = writer.next_sequence() - 1;
        match random.below(12) {
            0 => {
                let content = last.to_le_bytes().repeat(300);
                log.put_snapshot(&partition(), last, &mut |out| out.write_all(&content)).ok()?;
                expected.snapshots.retain(|&sequence| sequence != last);
                expected.snapshots.push(last);
            }
            1 => {
                let from = expected.cursor.unwrap_or(0);
                let sequence = from + random.below(last - from + 1);
                let cursor = Cursor { name: Arc::from("reader"), sequence, data: Vec::new() };
                log.put_cursor(&partition(), &cursor).ok()?;
                expected.cursor = Some(sequence);
            }
            2 => {
                // What may go may go although the call fails.
                expected.snapshots.sort_unstable();
                let kept = expected.snapshots.split_off(expected.snapshots.len().saturating_sub(2));
                expected.snapshots.clone_from(&kept);
                let mut needed = if kept.len() == 2 { kept[0] + 1 } else { 1 };
                needed = needed.min(expected.cursor.map_or(u64::MAX, |cursor| cursor + 1));
                expected.trimmed_below = expected.trimmed_below.max(needed);
                assert!(log.trim(&partition(), ALL).ok()? <= expected.trimmed_below);
            }
            _ => {
                let length = if random.below(20) == 0 { 30_000 } else { random.below(3000) as usize };
                let payload = random.bytes(length);
                expected.in_doubt = Some((last + 1, payload.clone()));
                let sequence = writer.append(&payload).ok()?;
                assert_eq!(sequence, last + 1);
                expected.in_doubt = None;
                expected.acknowledged.push((sequence, payload));
            }
        }
    }
    if random.below(3) == 0 {
        writer.close().ok()?;
    }
    Some(())
}

/// Compares what is there with what must be.
fn compare(log: &DiskLog<SimDisk>, expected: &mut Expected, place: &str) {
    let writer =
        log.open_writer(&partition(), NodeId(0), 0).unwrap_or_else(|error| panic!("{place}: {error}"));
    let first = (1..=expected.trimmed_below.max(1))
        .find(|&from| log.read(&partition(), from).is_ok())
        .unwrap_or_else(|| panic!("{place}: what is needed was trimmed"));
    let batches = read_all(log, first).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(batches.last().map(|batch| batch.sequence), Some(writer.barrier_sequence()), "{place}");
    let mut acknowledged =
        expected.acknowledged.iter().skip_while(|(sequence, _)| *sequence < first).peekable();
    let mut found_in_doubt = None;
    for batch in &batches {
        if let Some((_, payload)) = acknowledged.next_if(|(sequence, _)| *sequence == batch.sequence) {
            assert!(!batch.barrier && batch.payload == *payload, "{place}: batch {}", batch.sequence);
        } else if !batch.barrier {
            let (sequence, payload) = expected.in_doubt.take().unwrap_or_else(|| panic!("{place}: invented"));
            assert!(batch.sequence == sequence && batch.payload == payload, "{place}: batch {sequence}");
            found_in_doubt = Some((sequence, payload));
        }
    }
    assert!(acknowledged.next().is_none(), "{place}: an acknowledged batch is lost");
    expected.acknowledged.extend(found_in_doubt);
    expected.in_doubt = None;

    let listed = log.snapshots(&partition()).unwrap();
    for sequence in &expected.snapshots {
        assert!(listed.iter().any(|meta| meta.sequence == *sequence), "{place}: snapshot {sequence} is lost");
    }
    for SnapshotMeta { sequence, .. } in &listed {
        let meta = listed.iter().find(|meta| meta.sequence == *sequence).unwrap();
        let mut content = Vec::new();
        let read = log.get_snapshot(&partition(), meta).map(|mut input| input.read_to_end(&mut content));
        assert!(matches!(read, Ok(Ok(_))), "{place}: snapshot {sequence} is damaged");
        assert_eq!(content, sequence.to_le_bytes().repeat(300), "{place}");
    }
    // One that was not acknowledged may be there as well.
    expected.snapshots = listed.iter().map(|meta| meta.sequence).collect();
    let cursor = log.cursor(&partition(), "reader").unwrap().map(|cursor| cursor.sequence);
    assert!(cursor >= expected.cursor, "{place}: the cursor went back");
    expected.cursor = cursor;
}

#[test]
fn random_lives_with_random_ends() {
    for seed in 0..400 {
        let disk = SimDisk::new(seed);
        let mut random = Random(seed ^ 0x5eed);
        let mut expected = Expected::default();
        for round in 0..8 {
            if random.below(5) > 0 {
                disk.cut_power_after(1 + random.below(150));
            }
            let steps = 5 + random.below(60);
            let _ = live(&open_small(&disk, root()), &mut random, &mut expected, steps);
            disk.crash();
            compare(&open_small(&disk, root()), &mut expected, &format!("SEED={seed} round {round}"));
            disk.crash();
        }
    }
}

/// The same life, cut at each of its changes.
#[test]
fn one_life_cut_at_every_change() {
    let mut ends = 0;
    for changes in 1..400 {
        let disk = SimDisk::new(changes);
        let mut random = Random(77);
        let mut expected = Expected::default();
        disk.cut_power_after(changes);
        if live(&open_small(&disk, root()), &mut random, &mut expected, 120).is_some() {
            break;
        }
        ends += 1;
        disk.crash();
        compare(&open_small(&disk, root()), &mut expected, &format!("cut at change {changes}"));
    }
    assert!(ends > 200, "{ends} changes");
}

/// The recovery itself is cut, again and again.
#[test]
fn recovery_that_is_cut_loses_nothing() {
    for seed in 0..60 {
        let disk = SimDisk::new(seed);
        let mut random = Random(seed);
        let mut expected = Expected::default();
        disk.cut_power_after(60 + seed);
        let _ = live(&open_small(&disk, root()), &mut random, &mut expected, 60);
        disk.crash();
        for changes in 1..14 {
            disk.cut_power_after(changes);
            drop(open_small(&disk, root()).open_writer(&partition(), NodeId(0), 0));
            disk.crash();
        }
        compare(&open_small(&disk, root()), &mut expected, &format!("SEED={seed}"));
    }
}
