//! What is done for clusters beside their requests: names are looked up, endpoints are checked.
//!
//! **In:** a plane with its clusters, as plans come and go.
//! **Out:** the endpoints of a cluster that has a name or stands for a service, and which endpoints are well.
//!
//! # Invariants
//! - Each cluster is tended once on the node, not by each worker.
//! - A name that cannot be looked up changes nothing: the endpoints that it stood for last stay.
//!
//! # Where to look
//! `names.rs` lookups · `services.rs` what a catalog tells · `checks.rs` requests of our own.

mod checks;
mod names;
mod services;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{AbortHandle, JoinSet};

use crate::model::Source;
use crate::plane::{Plane, is_set};
use crate::upstream::Upstream;

pub use services::{Registry, Told};

/// Tends the clusters in force until the plane is drained.
pub(crate) async fn tend(plane: Arc<Plane>, registry: Option<Arc<dyn Registry>>) {
    let mut tasks = JoinSet::new();
    let mut known: HashMap<usize, (Arc<Upstream>, Vec<AbortHandle>)> = HashMap::new();
    let mut turns = plane.turns();
    let mut drained = plane.drained();
    // Bound: until the drain; each turn a plan came into force.
    loop {
        turns.mark_unchanged();
        let force = plane.in_force();
        let number = |upstream: &Arc<Upstream>| Arc::as_ptr(upstream).addr();
        known.retain(|at, (_, handles)| {
            let stays = force.upstreams().iter().any(|upstream| number(upstream) == *at);
            if !stays {
                handles.iter().for_each(AbortHandle::abort);
            }
            stays
        });
        for upstream in force.upstreams() {
            known.entry(number(upstream)).or_insert_with(|| {
                let mut handles = Vec::new();
                match (&upstream.cluster().source, &registry) {
                    (Source::Static(_), _) => {}
                    (Source::Dns { .. }, _) => {
                        handles.push(tasks.spawn(names::look_up(Arc::clone(&plane), Arc::clone(upstream))));
                    }
                    (Source::Service(service), Some(registry)) => {
                        let following = services::follow(
                            Arc::clone(&plane),
                            Arc::clone(upstream),
                            Arc::clone(registry),
                            service.clone(),
                        );
                        handles.push(tasks.spawn(following));
                    }
                    (Source::Service(_), None) => {
                        let cluster = upstream.cluster().name.as_str();
                        tracing::error!(cluster, "nobody is there who knows services; it stays empty");
                    }
                }
                if let Some(health) = upstream.cluster().health.clone() {
                    handles.push(tasks.spawn(checks::check(
                        Arc::clone(&plane),
                        Arc::clone(upstream),
                        health,
                    )));
                }
                (Arc::clone(upstream), handles)
            });
        }
        tokio::select! {
            _ = turns.changed() => {}
            Some(_) = tasks.join_next() => {}
            () = is_set(&mut drained) => return,
        }
    }
}
