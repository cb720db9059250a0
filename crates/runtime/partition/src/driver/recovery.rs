//! From what lies on the disk to a partition that works.

use std::panic::{AssertUnwindSafe, catch_unwind};

use coreto_log::{LogReader, LogWriter, NodeId, PartitionLog, PartitionName};
use coreto_machine::Machine;

use crate::batch::BatchError;
use crate::partition::{Partition, said};
use crate::store::{Store, StoreError, read_snapshot};

use super::journal::describe;

/// Why a partition cannot be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The log cannot be opened or read.
    #[error("cannot read the log of partition `{partition}`")]
    Log {
        /// Whose log.
        partition: PartitionName,
        /// What is wrong.
        source: coreto_log::Error,
    },
    /// The log ends before what it must hold.
    #[error(
        "the log of partition `{partition}` begins at batch {first}, but batch {needed} is needed and no snapshot reaches it"
    )]
    Gap {
        /// Whose log.
        partition: PartitionName,
        /// The first batch that is there.
        first: u64,
        /// The first batch that is needed.
        needed: u64,
    },
    /// A batch cannot be decoded.
    #[error("batch {sequence} of partition `{partition}` cannot be applied")]
    Batch {
        /// Whose log.
        partition: PartitionName,
        /// Which batch.
        sequence: u64,
        /// What is wrong with it.
        source: BatchError,
    },
    /// A batch does not fit what is before it.
    #[error("batch {sequence} of partition `{partition}` cannot be applied: {reason}")]
    Unfit {
        /// Whose log.
        partition: PartitionName,
        /// Which batch.
        sequence: u64,
        /// What does not hold.
        reason: String,
    },
    /// The store cannot even be made anew.
    #[error("the store of partition `{partition}` cannot be made anew")]
    Store {
        /// Whose store.
        partition: PartitionName,
        /// What is wrong.
        source: StoreError,
    },
}

/// A recovered partition and the writer that goes on.
pub(super) struct Recovered<M: Machine, W> {
    pub(super) partition: Partition<M>,
    pub(super) writer: W,
    /// The store is behind by all that changed since: it was made anew.
    pub(super) store_is_new: bool,
}

/// Opens the log for writing, loads the store or a snapshot, and replays the rest.
pub(super) fn recover<M: Machine, L: PartitionLog>(
    log: &L,
    name: &PartitionName,
    node: NodeId,
    store: &mut dyn Store,
    fresh: &mut dyn FnMut() -> Partition<M>,
) -> Result<Recovered<M, L::Writer>, RecoverError> {
    let failed = |source| RecoverError::Log { partition: name.clone(), source };
    // A store that cannot even say how far it is counts as damaged.
    let told = store.applied().inspect_err(|error| {
        tracing::warn!(partition = %name, error = describe(error), "the store is of no use and is discarded");
    });
    let told = told.ok();
    let applied = told.flatten();
    let writer = log.open_writer(name, node, applied.unwrap_or(0)).map_err(failed)?;
    let end = writer.next_sequence() - 1;
    let loaded = match applied {
        None => None,
        Some(applied) if applied > end => {
            tracing::error!(
                partition = %name,
                applied,
                end,
                "the store is ahead of the log and is discarded; the batches in between are lost if they were of this log"
            );
            None
        }
        Some(applied) => match load_store(store, fresh()) {
            Ok(partition) => Some((partition, applied)),
            Err(error) => {
                tracing::error!(partition = %name, error = describe(&error), "the store is damaged and is discarded");
                None
            }
        },
    };
    let store_is_new = loaded.is_none();
    let (mut partition, applied) = if let Some(loaded) = loaded {
        loaded
    } else {
        if told != Some(None) {
            store.discard().map_err(|source| RecoverError::Store { partition: name.clone(), source })?;
        }
        from_snapshot(log, name, fresh)?
    };
    replay(log, name, &mut partition, applied, end)?;
    Ok(Recovered { partition, writer, store_is_new })
}

fn load_store<M: Machine>(
    store: &dyn Store,
    mut partition: Partition<M>,
) -> Result<Partition<M>, StoreError> {
    store.load(&mut |table, key, value| load_entry(&mut partition, table, key, value))?;
    partition.loaded();
    Ok(partition)
}

fn load_entry<M: Machine>(
    partition: &mut Partition<M>,
    table: u32,
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    partition.load(table, key, value).map_err(|error| StoreError::of_entry(table, &error))
}

/// The newest snapshot that can be read, or the beginning.
fn from_snapshot<M: Machine, L: PartitionLog>(
    log: &L,
    name: &PartitionName,
    fresh: &mut dyn FnMut() -> Partition<M>,
) -> Result<(Partition<M>, u64), RecoverError> {
    let failed = |source| RecoverError::Log { partition: name.clone(), source };
    for snapshot in log.snapshots(name).map_err(failed)? {
        let mut partition = fresh();
        let read =
            log.get_snapshot(name, &snapshot).map_err(|error| describe(&error)).and_then(|mut input| {
                read_snapshot(&mut input, &mut |table, key, value| {
                    load_entry(&mut partition, table, key, value)
                })
                .map_err(|error| describe(&error))
            });
        match read {
            Ok(()) => {
                partition.loaded();
                return Ok((partition, snapshot.sequence));
            }
            Err(error) => {
                tracing::error!(partition = %name, sequence = snapshot.sequence, error, "a snapshot is damaged; trying the one before");
            }
        }
    }
    Ok((fresh(), 0))
}

fn replay<M: Machine, L: PartitionLog>(
    log: &L,
    name: &PartitionName,
    partition: &mut Partition<M>,
    applied: u64,
    end: u64,
) -> Result<(), RecoverError> {
    let failed = |source| RecoverError::Log { partition: name.clone(), source };
    if applied >= end {
        return Ok(());
    }
    let mut reader = log.read(name, applied + 1).map_err(failed)?;
    let mut next = applied + 1;
    while next <= end {
        let Some(batch) = reader.next().map_err(failed)? else {
            return Err(RecoverError::Gap { partition: name.clone(), first: end + 1, needed: next });
        };
        if batch.sequence != next {
            return Err(RecoverError::Gap { partition: name.clone(), first: batch.sequence, needed: next });
        }
        if !batch.payload.is_empty() {
            let (sequence, name) = (batch.sequence, name.clone());
            // What a panic leaves behind is not used any further.
            match catch_unwind(AssertUnwindSafe(|| partition.replay(&batch.payload))) {
                Ok(Ok(())) => (),
                Ok(Err(source)) => return Err(RecoverError::Batch { partition: name, sequence, source }),
                Err(panic) => {
                    let reason = said(&*panic);
                    return Err(RecoverError::Unfit { partition: name, sequence, reason });
                }
            }
        }
        next += 1;
    }
    Ok(())
}
