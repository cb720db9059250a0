//! File descriptors: as many as the connections of a configuration need, as far as this process may have them.

use coreto_proxy::model::Model;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For all else than connections: files, pipes, the management.
const OTHERS: u64 = 100;

/// Takes as many as there may be and are needed, and tells when that is too few.
pub(crate) fn provide(model: &Model) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = needed(model);
    let Some(have) = current.filter(|have| *have < needed) else { return };
    let wanted = maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised =
        wanted > have && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok();
    let have = if raised { wanted } else { have };
    if have < needed {
        tracing::warn!(
            have,
            needed,
            "there may be fewer open files than `bounds.connections` wants, and those to endpoints come on top"
        );
    }
}

/// Those of clients; how many there are to endpoints depends on what these do.
fn needed(model: &Model) -> u64 {
    let connections = model.listeners.iter().map(|listener| u64::from(listener.bounds.connections));
    connections.sum::<u64>().saturating_add(OTHERS)
}
