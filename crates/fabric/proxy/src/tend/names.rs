//! Looking up the names of clusters.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Endpoint, Source};
use crate::plane::Plane;
use crate::upstream::Upstream;

/// How long a lookup may take.
const WITHIN: Duration = Duration::from_secs(5);
/// A name that stands for nothing yet is asked for again sooner.
const FIRST: Duration = Duration::from_millis(500);

/// Looks a cluster's name up again and again.
pub(super) async fn look_up(plane: Arc<Plane>, upstream: Arc<Upstream>) {
    let Source::Dns { host, port, refresh } = &upstream.cluster().source else { return };
    let cluster = upstream.cluster().name.as_str();
    let (mut failing, mut told) = (false, Vec::new());
    // Bound: until the cluster is gone.
    loop {
        let asked = tokio::time::timeout(WITHIN, tokio::net::lookup_host((host.as_str(), *port))).await;
        let found = match asked {
            Ok(found) => found.map(Iterator::collect::<Vec<SocketAddr>>),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        match found {
            Ok(found) => {
                failing = false;
                let endpoint = |address| Endpoint { address, weight: 1 };
                take_over(&plane, &upstream, found.into_iter().map(endpoint).collect(), &mut told);
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(cluster, host, %error, "a name cannot be looked up; its endpoints stay as they were");
                }
                failing = true;
            }
        }
        let empty = upstream.endpoints().is_empty();
        tokio::time::sleep(if empty { FIRST.min(*refresh) } else { *refresh }).await;
    }
}

/// Takes over what a name or service stands for now; of what is there twice the heavier. `told`: of which internal
/// addresses the log has told.
pub(super) fn take_over(
    plane: &Plane,
    upstream: &Upstream,
    mut found: Vec<Endpoint>,
    told: &mut Vec<SocketAddr>,
) {
    let cluster = upstream.cluster().name.as_str();
    found.sort_unstable_by_key(|endpoint| (endpoint.address, std::cmp::Reverse(endpoint.weight)));
    found.dedup_by_key(|endpoint| endpoint.address);
    let (allowed, ours): (Vec<Endpoint>, Vec<Endpoint>) =
        found.into_iter().partition(|endpoint| plane.allows(endpoint.address));
    let before = std::mem::replace(told, ours.iter().map(|endpoint| endpoint.address).collect());
    for address in told.iter().filter(|address| !before.contains(address)) {
        tracing::error!(cluster, %address, "the name of a cluster stands for an internal address; it is not used");
    }
    if upstream.endpoints() != allowed {
        tracing::info!(cluster, endpoints = allowed.len(), "the endpoints of a cluster have changed");
        upstream.set_endpoints(allowed);
    }
}
