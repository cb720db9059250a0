//! A worker's share of what is in force.

use std::sync::Arc;

use super::InForce;
use crate::chance::Dice;
use crate::upstream::Desk;

/// What is in force, and this worker's own choice of endpoints. Requests hold it, so that counting its holders
/// costs nothing between workers.
#[derive(Debug)]
pub(crate) struct Local {
    force: Arc<InForce>,
    /// By the number of the cluster.
    desks: Vec<Arc<Desk>>,
}

impl Local {
    pub(crate) fn new(force: Arc<InForce>, before: Option<&Self>, dice: &mut Dice) -> Self {
        let old = before.map(|old| old.desks.as_slice()).unwrap_or_default();
        let desk = |upstream| {
            let same = old.iter().find(|desk| Arc::ptr_eq(desk.upstream(), upstream));
            same.map_or_else(
                || Arc::new(Desk::new(Arc::clone(upstream), Dice::seeded(dice.roll()))),
                Arc::clone,
            )
        };
        let desks = force.upstreams().iter().map(desk).collect();
        Self { force, desks }
    }

    pub(crate) fn force(&self) -> &Arc<InForce> {
        &self.force
    }

    pub(crate) fn desk(&self, cluster: usize) -> &Arc<Desk> {
        &self.desks[cluster]
    }
}
