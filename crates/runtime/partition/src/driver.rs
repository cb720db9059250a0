//! The threads that run partitions: executors, one log thread and one checkpoint thread each.

mod checkpoint;
mod journal;
mod lane;
mod recovery;
mod schedule;
mod service;

pub(crate) use journal::describe;
pub use recovery::RecoverError;
pub use schedule::SnapshotPolicy;
pub use service::{Config, OpenStore, Service, StartError, Watcher};
