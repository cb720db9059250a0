//! File descriptors: whether the connections of a configuration may have as many as they need.

use coreto_proxy::model::Model;
use rustix::process::{Resource, getrlimit};

/// For all else than connections: files, pipes, the management.
const OTHERS: u64 = 100;

/// Tells when this process may have too few. Those to endpoints depend on what these do, and are not counted.
pub(crate) fn check(model: &Model) {
    let connections = model.listeners.iter().map(|listener| u64::from(listener.bounds.connections));
    let needed = connections.sum::<u64>().saturating_add(OTHERS);
    if let Some(have) = getrlimit(Resource::Nofile).current.filter(|have| *have < needed) {
        tracing::warn!(
            have,
            needed,
            "there may be fewer open files than `bounds.connections` wants, and those to endpoints come on top"
        );
    }
}
