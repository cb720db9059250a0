#![no_main]

use std::path::Path;

use coreto_log::disk::SimDisk;
use coreto_log::{DiskLog, LogReader, LogWriter, NodeId, PartitionLog, PartitionName};
use libfuzzer_sys::fuzz_target;

/// What batch `number` holds.
fn payload(number: usize) -> Vec<u8> {
    (0..number * 37 % 700).map(|at| (at * number) as u8).collect()
}

// Each six bytes: a file, a place in it, and the bit that flips there, or that it is cut.
fuzz_target!(|changes: &[u8]| {
    let disk = SimDisk::new(1);
    let name = PartitionName { group: "g".into(), number: 1 };
    let log = || DiskLog::on(disk.clone(), Path::new("/data")).with_segment_sizes(4096, 8192);
    let mut writer = log().open_writer(&name, NodeId(1), 0).expect("a new log opens");
    for number in 1..30 {
        writer.append(&payload(number)).expect("there is room");
    }
    drop(writer);
    let paths = disk.paths();
    for change in changes.chunks_exact(6) {
        let path = &paths[usize::from(change[0]) % paths.len()];
        let at = u64::from(u16::from_le_bytes([change[1], change[2]]));
        match change[3] {
            0 => disk.cut(path, at),
            bit => drop(disk.flip_bit(path, at, bit)),
        }
    }
    let Ok(writer) = log().open_writer(&name, NodeId(1), 0) else { return };
    drop(writer);
    let Ok(mut reader) = log().read(&name, 1) else { return };
    let mut number = 0;
    while let Ok(Some(batch)) = reader.next() {
        if batch.barrier {
            continue;
        }
        number += 1;
        assert_eq!(&batch.payload[..], &payload(number)[..], "what is read was written");
    }
});
