//! The threads that run partitions: executors, one log thread and one checkpoint thread each.

mod checkpoint;
mod journal;
mod lane;
mod recovery;
mod service;

pub use checkpoint::SnapshotPolicy;
pub use recovery::RecoverError;
pub use service::{Config, OpenStore, Service, StartError, Watcher};
