//! A plan with its parts.

use std::sync::Arc;

use super::door::{Bound, Door, Error, Sockets};
use super::gatekeeper::TurnedAway;
use super::rule::Rule;
use crate::chance::Dice;
use crate::model::Plan;
use crate::upstream::Upstream;

/// A plan in force.
#[derive(Debug)]
pub struct InForce {
    plan: Plan,
    pub(crate) doors: Vec<Arc<Door>>,
    upstreams: Vec<Arc<Upstream>>,
    rules: Vec<Rule>,
}

impl InForce {
    pub(super) fn build(
        plan: Plan,
        before: Option<&Self>,
        sockets: &Sockets<'_>,
        secret: [u64; 2],
        dice: &mut Dice,
    ) -> Result<Self, Error> {
        let model = plan.model();
        let bound = sockets.share_out(&model.listeners);
        let doors = model.listeners.iter().zip(bound).enumerate();
        let doors = doors.map(|(at, (listener, bound))| {
            let same = |old: &&Arc<Door>| bound.as_ref().is_some_and(|bound| bound.id == old.bound.id);
            let before = before.and_then(|old| old.doors.iter().find(same));
            let before = before.map(Arc::as_ref);
            Ok(Arc::new(Door::new(listener, bound, plan.limits(at), sockets, before)?))
        });
        let doors = doors.collect::<Result<Vec<_>, Error>>()?;
        let old_upstreams = before.map(|old| old.upstreams.as_slice()).unwrap_or_default();
        let upstreams = model.clusters.iter().map(|cluster| {
            let old = old_upstreams.iter().find(|old| old.cluster().name == cluster.name);
            let unsecured =
                |source| Error::ClusterTls { cluster: cluster.name.clone(), source: Box::new(source) };
            Upstream::new(cluster, old, secret, dice).map_err(unsecured)
        });
        let upstreams = upstreams.collect::<Result<Vec<_>, Error>>()?;
        let rules = (0..model.routes.len()).map(|at| {
            let route = plan.route(at);
            Rule::new(route, &model.clusters, before.and_then(|old| old.rule_named(&route.name)))
        });
        let rules = rules.collect();
        Ok(Self { plan, doors, upstreams, rules })
    }

    /// What was planned.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Listeners by name, with their open connections and those that were not served.
    pub fn listeners(&self) -> impl Iterator<Item = (&str, usize, &TurnedAway)> {
        self.doors.iter().map(|door| {
            let Bound { crowd, turned_away, .. } = &*door.bound;
            (door.listener.name.as_str(), crowd.open(), turned_away)
        })
    }

    /// The clusters, by number.
    pub fn upstreams(&self) -> &[Arc<Upstream>] {
        &self.upstreams
    }

    /// A route as it is carried out, by number.
    pub(crate) fn rule(&self, route: usize) -> &Rule {
        &self.rules[route]
    }

    /// The number of the listener that has a socket.
    pub(crate) fn listener(&self, socket: u64) -> Option<usize> {
        self.doors.iter().position(|door| door.bound.id == socket)
    }

    fn rule_named(&self, name: &str) -> Option<&Rule> {
        let at = self.plan.model().routes.iter().position(|route| route.name == name)?;
        Some(&self.rules[at])
    }
}
