//! One partition with its simulated disk and store.

use std::path::Path;
use std::sync::Arc;

use coreto_log::disk::SimDisk;
use coreto_log::{
    AppendError, DiskLog, DiskWriter, Error, LogReader, LogWriter, NodeId, PartitionLog, PartitionName,
    Retention,
};
use coreto_machine::{Place, Timestamp};
use coreto_partition::store::{MemoryStore, Store, read_snapshot, write_snapshot};
use coreto_partition::{Limits, Partition, Sealed, Submission, Taken};

use super::{Packet, Subject, World};

/// A partition, and what lies on its disk.
pub struct Node<M: Subject> {
    place: Place,
    name: PartitionName,
    seed: u64,
    disk: SimDisk,
    store: MemoryStore,
    up: Option<Up<M>>,
    /// Whether the log still holds everything from the beginning.
    whole: bool,
}

/// What a crash takes.
struct Up<M: Subject> {
    log: DiskLog<SimDisk>,
    writer: DiskWriter<SimDisk>,
    partition: Partition<M>,
    /// The batch that is being written.
    flying: Option<Sealed<M>>,
    /// The sequence of the last batch that was sealed.
    sequence: u64,
    /// Changes that wait for their batch to become durable.
    checkpoints: Vec<(u64, Taken)>,
    durable: u64,
    resent: i64,
}

fn limits() -> Limits {
    Limits {
        commands_in_batch_max: 7,
        command_bytes_max: 60_000,
        entries_rewritten_at_once: 5,
        frames_in_flight_bytes_max: 200,
        kept_replies_max: 50,
        kept_replies_bytes_max: 5000,
        ..Limits::default()
    }
}

impl<M: Subject> Node<M> {
    pub(crate) fn new(place: Place, seed: u64) -> Self {
        Self {
            place,
            name: PartitionName { group: Arc::from("sim"), number: place.number },
            seed,
            disk: SimDisk::new(seed),
            store: MemoryStore::default(),
            up: None,
            whole: true,
        }
    }

    pub(crate) const fn number(&self) -> u32 {
        self.place.number
    }

    fn fresh(place: Place, seed: u64) -> Partition<M> {
        let mut chance = crate::chance::Chance::new(seed);
        Partition::create(place, M::env(), limits(), Box::new(move || u128::from(chance.bits())))
    }

    /// Cuts the power.
    pub(crate) fn crash(&mut self, world: &mut World) {
        self.up = None;
        self.disk.crash();
        self.store.crash(usize::try_from(world.chance.below(4)).expect("few"));
        if world.chance.percent(5) {
            self.store.damage();
        }
    }

    /// No accident is waiting any more.
    pub(crate) fn heal(&mut self) {
        self.disk.set_capacity(u64::MAX);
        self.disk.fail_writes(0);
        self.disk.fail_syncs(0);
        self.store.fail(false);
    }

    /// Recovers from what lies on the disk.
    pub(crate) fn recover_if_down(&mut self, world: &World) {
        if self.up.is_some() {
            return;
        }
        self.disk.set_capacity(u64::MAX);
        // Random numbers of one start are not those of another.
        self.seed = self.seed.wrapping_add(1);
        let log = DiskLog::on(self.disk.clone(), Path::new("data"));
        // It may not have been filled to the end.
        let mut applied = self.store.applied().ok().flatten();
        let writer = match log.open_writer(&self.name, NodeId(0), applied.unwrap_or(0)) {
            Ok(writer) => writer,
            // The disk fails once more: the process ends, and another one tries later.
            Err(Error::Io { .. }) => return self.disk.crash(),
            Err(error) => panic!("the log does not open: {error}"),
        };
        let end = writer.next_sequence() - 1;
        let mut partition = Self::fresh(self.place, self.seed);
        let loaded = applied.is_some_and(|applied| applied <= end) && self.load(&mut partition);
        if !loaded {
            self.store.discard().expect("memory can be emptied");
            partition = Self::fresh(self.place, self.seed);
            applied = Some(self.load_snapshot(&log, &mut partition));
        }
        let applied = applied.unwrap_or(0);
        let mut reader = log.read(&self.name, applied + 1).expect("what is needed was not trimmed");
        while let Some(batch) = reader.next().expect("the log reads") {
            if !batch.payload.is_empty() {
                partition.replay(&batch.payload).expect("a batch decodes");
            }
        }
        if !loaded {
            partition.rewrite();
        }
        self.compare_with_replay(&log, &partition);
        partition.start(writer.epoch());
        self.up = Some(Up {
            log,
            writer,
            partition,
            flying: None,
            sequence: end,
            checkpoints: Vec::new(),
            durable: end,
            resent: world.now,
        });
    }

    fn load(&self, partition: &mut Partition<M>) -> bool {
        let result = self.store.load(&mut |table, key, value| {
            partition
                .load(table, key, value)
                .map_err(|error| coreto_partition::store::StoreError::Entry { reason: error.to_string() })
        });
        if result.is_ok() {
            partition.loaded();
        }
        result.is_ok()
    }

    fn load_snapshot(&self, log: &DiskLog<SimDisk>, partition: &mut Partition<M>) -> u64 {
        for snapshot in log.snapshots(&self.name).expect("snapshots are listed") {
            let Ok(mut content) = log.get_snapshot(&self.name, &snapshot) else { continue };
            read_snapshot(&mut content, &mut |table, key, value| {
                partition
                    .load(table, key, value)
                    .map_err(|error| coreto_partition::store::StoreError::Entry { reason: error.to_string() })
            })
            .expect("a verified snapshot reads");
            partition.loaded();
            return snapshot.sequence;
        }
        0
    }

    /// As long as the log is whole, a replay from the beginning gives the same state.
    fn compare_with_replay(&self, log: &DiskLog<SimDisk>, partition: &Partition<M>) {
        if !self.whole {
            return;
        }
        let mut again = Self::fresh(self.place, self.seed);
        let mut reader = log.read(&self.name, 1).expect("the log is whole");
        while let Some(batch) = reader.next().expect("the log reads") {
            if !batch.payload.is_empty() {
                again.replay(&batch.payload).expect("a batch decodes");
            }
        }
        assert_eq!(again.fingerprint(), partition.fingerprint(), "replay gives the state of store and tail");
    }

    pub(crate) fn check_replay(&mut self) {
        if let Some(up) = &self.up {
            assert!(up.flying.is_none() && up.partition.is_empty(), "at rest");
            self.compare_with_replay(&up.log, &up.partition);
        }
    }

    pub(crate) fn take(&mut self, submission: Submission<M>, wall: Timestamp) {
        if let Some(up) = &mut self.up {
            up.partition.take(wall, submission);
        }
    }

    pub(crate) fn receive(&mut self, packet: Packet, world: &World) {
        let submission = match packet {
            Packet::Frame(frame) => Submission::Frame(frame),
            Packet::Acknowledgement(acknowledgement) => Submission::Acknowledged(acknowledgement),
        };
        self.take(submission, world.wall());
    }

    /// Lets the partition, its log and its store do some of their work. Says whether the node is still up.
    pub(crate) fn turn(&mut self, world: &mut World) -> bool {
        let Some(up) = &mut self.up else { return true };
        let wall = world.wall();
        if up.partition.has_pending() && world.chance.percent(50) {
            up.partition.take_pending(wall);
        }
        up.partition.tick(wall);
        if world.now - up.resent > 2000 {
            up.resent = world.now;
            up.partition.resend();
            up.partition.owe();
        }
        if world.accidents {
            accident(&self.disk, &self.store, world);
        }
        let patient = world.accidents && world.chance.percent(30);
        if up.flying.is_some() && !patient && !up.land(world) {
            self.up = None;
            return false;
        }
        if up.flying.is_none() && !up.partition.is_empty() {
            up.take_off(world);
        }
        up.write_checkpoints(&mut self.store);
        if world.accidents && world.chance.percent(1) && up.snapshot(&self.name, &self.store) {
            self.whole = false;
        }
        true
    }

    pub(crate) fn is_at_rest(&self, wall: Timestamp) -> bool {
        self.up.as_ref().is_some_and(|up| {
            let due = up.partition.due().is_some_and(|due| due <= wall);
            up.flying.is_none() && up.partition.is_empty() && !up.partition.has_pending() && !due
        })
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.up.is_some()
    }

    pub(crate) fn state(&self) -> Option<&M::State> {
        self.up.as_ref().map(|up| up.partition.state())
    }
}

/// Something goes wrong with disk or store, or gets well again.
fn accident(disk: &SimDisk, store: &MemoryStore, world: &mut World) {
    match world.chance.below(400) {
        0 => disk.fail_writes(1),
        1 => disk.fail_syncs(1),
        2 => disk.set_capacity(1 << 20),
        3..=20 => disk.set_capacity(u64::MAX),
        21 => store.fail(true),
        22..=40 => store.fail(false),
        _ => (),
    }
}

impl<M: Subject> Up<M> {
    /// Closes the open batch and gives it to the log.
    fn take_off(&mut self, world: &mut World) {
        let sealed = self.partition.seal(Vec::new());
        if !sealed.payload.is_empty() {
            self.sequence += 1;
        }
        self.flying = Some(sealed);
        if world.chance.percent(20) {
            let taken = self.partition.take_changes();
            self.checkpoints.push((self.sequence, taken));
        }
    }

    /// The log is done with the batch: lets out what waited for it. Says whether the process lives on.
    fn land(&mut self, world: &mut World) -> bool {
        let Some(sealed) = self.flying.take() else { return true };
        if !sealed.payload.is_empty() {
            match self.writer.append(&sealed.payload) {
                Ok(sequence) => {
                    assert_eq!(sequence, self.sequence, "batches are numbered as they were sealed");
                    self.durable = sequence;
                }
                Err(AppendError::Unavailable { .. }) => {
                    self.flying = Some(sealed);
                    return true;
                }
                Err(
                    AppendError::Unknown { .. } | AppendError::SyncFailed { .. } | AppendError::Fenced { .. },
                ) => {
                    return false;
                }
            }
        }
        for (address, answer) in sealed.answers {
            address.mailbox.put(address.ticket, answer);
        }
        for effect in sealed.effects {
            let times = if world.accidents { world.chance.below(3) } else { 1 };
            for _ in 0..times {
                world.delivered.push((self.partition.place().number, M::delivery(&effect)));
            }
        }
        world.packets.extend(sealed.frames.into_iter().map(Packet::Frame));
        world.packets.extend(sealed.acknowledgements.into_iter().map(Packet::Acknowledgement));
        true
    }

    fn write_checkpoints(&mut self, store: &mut MemoryStore) {
        let durable = self.durable;
        while self.checkpoints.first().is_some_and(|(sequence, _)| *sequence <= durable) {
            let (sequence, Taken { changes, is_whole }) = self.checkpoints.remove(0);
            if store.write(is_whole.then_some(sequence), changes.into_entries()).is_err() {
                store.discard().expect("memory can be emptied");
                self.checkpoints.clear();
                self.partition.rewrite();
                return;
            }
        }
    }

    /// Makes a snapshot and trims. Says whether the log may have lost its beginning.
    fn snapshot(&mut self, name: &PartitionName, store: &MemoryStore) -> bool {
        let Ok(Some(applied)) = store.applied() else { return false };
        let mut write =
            |out: &mut dyn std::io::Write| write_snapshot(store, out).map_err(std::io::Error::other);
        let made = self.log.put_snapshot(name, applied, &mut write);
        made.is_ok() && self.log.trim(name, Retention::default()).is_ok()
    }
}
