//! A log whose appends can be held back, to see what leaves in the meantime.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use coreto_log::{
    AppendError, Backlog, Cursor, Error, LogWriter, NodeId, PartitionLog, PartitionName, Retention,
    SnapshotMeta, WriteSnapshot,
};

/// Holds appends back. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate {
    inner: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    held: bool,
    waiting: usize,
}

impl Gate {
    /// Lets no append through from now on.
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// Lets all through.
    pub fn release(&self) {
        self.lock().held = false;
        self.inner.1.notify_all();
    }

    /// Whether an append waits at the gate.
    pub fn has_waiting(&self) -> bool {
        self.lock().waiting > 0
    }

    fn pass(&self) {
        let mut state = self.lock();
        state.waiting += 1;
        while state.held {
            state = self.inner.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log behind a gate.
pub struct GatedLog<L> {
    /// The log.
    pub log: L,
    /// The gate.
    pub gate: Gate,
}

/// A writer behind a gate.
pub struct GatedWriter<W> {
    writer: W,
    gate: Gate,
}

impl<L: PartitionLog> PartitionLog for GatedLog<L> {
    type Writer = GatedWriter<L::Writer>;
    type Reader = L::Reader;

    fn open_writer(&self, partition: &PartitionName, node: NodeId, seen: u64) -> Result<Self::Writer, Error> {
        let writer = self.log.open_writer(partition, node, seen)?;
        Ok(GatedWriter { writer, gate: self.gate.clone() })
    }

    fn read(&self, partition: &PartitionName, from: u64) -> Result<Self::Reader, Error> {
        self.log.read(partition, from)
    }

    fn snapshots(&self, partition: &PartitionName) -> Result<Vec<SnapshotMeta>, Error> {
        self.log.snapshots(partition)
    }

    fn backlog(&self, partition: &PartitionName) -> Result<Backlog, Error> {
        self.log.backlog(partition)
    }

    fn get_snapshot(
        &self,
        partition: &PartitionName,
        snapshot: &SnapshotMeta,
    ) -> Result<Box<dyn Read>, Error> {
        self.log.get_snapshot(partition, snapshot)
    }

    fn put_snapshot(
        &self,
        partition: &PartitionName,
        upto: u64,
        write: WriteSnapshot<'_>,
    ) -> Result<SnapshotMeta, Error> {
        self.log.put_snapshot(partition, upto, write)
    }

    fn cursor(&self, partition: &PartitionName, name: &str) -> Result<Option<Cursor>, Error> {
        self.log.cursor(partition, name)
    }

    fn put_cursor(&self, partition: &PartitionName, cursor: &Cursor) -> Result<(), Error> {
        self.log.put_cursor(partition, cursor)
    }

    fn remove_cursor(&self, partition: &PartitionName, name: &str) -> Result<(), Error> {
        self.log.remove_cursor(partition, name)
    }

    fn trim(&self, partition: &PartitionName, retention: Retention) -> Result<u64, Error> {
        self.log.trim(partition, retention)
    }
}

impl<W: LogWriter> LogWriter for GatedWriter<W> {
    fn epoch(&self) -> u64 {
        self.writer.epoch()
    }

    fn barrier_sequence(&self) -> u64 {
        self.writer.barrier_sequence()
    }

    fn next_sequence(&self) -> u64 {
        self.writer.next_sequence()
    }

    fn append(&mut self, payload: &[u8]) -> Result<u64, AppendError> {
        self.gate.pass();
        self.writer.append(payload)
    }

    fn written_bytes(&self) -> u64 {
        self.writer.written_bytes()
    }

    fn free_bytes(&self) -> Result<u64, Error> {
        self.writer.free_bytes()
    }

    fn close(self) -> Result<(), Error> {
        self.writer.close()
    }
}
