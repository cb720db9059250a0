//! How much the process may have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is left to logs, stores, checks and the other doors when the clients of one door have all that they may.
const RESERVE: u64 = 512;

/// Raises the bound to what the system allows, as servers do, and gives it. The usual one is meant for programs that
/// wait with `select`.
pub(crate) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::warn!(%error, ?limit, "the number of open files cannot be raised");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many clients one door may have, of as many as it would.
pub(crate) fn clients(wanted: usize, open_max: u64) -> usize {
    let room = usize::try_from(open_max.saturating_sub(RESERVE).max(open_max / 4)).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            open_max,
            connections_max = room,
            wanted,
            "fewer clients of the catalog are served at once than could be: raise the number of open files"
        );
    }
    wanted.min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_left_for_what_is_no_client() {
        for (open_max, clients_max) in [(u64::MAX, 16_384), (20_000, 16_384), (1024, 512), (256, 64)] {
            assert_eq!(clients(16_384, open_max), clients_max, "{open_max}");
        }
    }
}
