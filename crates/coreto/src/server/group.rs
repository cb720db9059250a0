//! What a group of partitions runs on: what all share, and what is its own.

use std::path::Path;
use std::sync::Arc;

use coreto_log::disk::RealDisk;
use coreto_log::{DiskLog, NodeId};
use coreto_machine::{Machine, Place};
use coreto_partition::store::{FjallStore, Store, StoreError};
use coreto_partition::{Clock, Config, Effects, Replica};

use crate::config::ServerConfig;

/// What is a group's own.
pub(crate) struct Group<M: Machine> {
    pub(crate) name: &'static str,
    pub(crate) partitions: u32,
    pub(crate) executors: usize,
    pub(crate) env: Box<dyn Fn(Place) -> M::Env + Send + Sync>,
    /// Who performs its effects.
    pub(crate) effects: Arc<dyn Effects<M>>,
    pub(crate) replicas: Vec<Arc<Replica<M>>>,
}

impl<M: Machine> Group<M> {
    /// Its partitions in a data directory, each with a directory of its own there.
    pub(crate) fn on(
        self,
        config: &ServerConfig,
        root: &Path,
        log: &Arc<DiskLog>,
        clock: &Arc<Clock>,
    ) -> Config<M, DiskLog<RealDisk>> {
        let Self { name, partitions, executors, env, effects, replicas } = self;
        let root = root.to_owned();
        Config {
            group: name.into(),
            partitions,
            executors,
            log: Arc::clone(log),
            node: NodeId(0),
            stores: Box::new(move |name| open_store(&root.join(name.to_string()).join("store"))),
            env,
            effects,
            replicas,
            watcher: None,
            clock: Arc::clone(clock),
            limits: config.limits.clone(),
            snapshots: config.snapshots,
        }
    }
}

/// Opens a store; one that is damaged is emptied, since the log and its snapshots hold everything.
fn open_store(path: &Path) -> Result<Box<dyn Store>, StoreError> {
    match FjallStore::open(path) {
        Ok(store) => Ok(Box::new(store)),
        Err(error @ StoreError::Newer { .. }) => Err(error),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the store is damaged and is made anew");
            FjallStore::empty(path).map(|store| Box::new(store) as Box<dyn Store>)
        }
    }
}
