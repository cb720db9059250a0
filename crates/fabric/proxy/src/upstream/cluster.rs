//! A cluster in force: its endpoints as they are now, and what is counted over all workers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Member, Security};
use crate::balance::{Cookies, Fitness};
use crate::chance::Dice;
use crate::health::{Change, Outliers};
use crate::limit::{Gates, RetryBudget};
use crate::listen::TlsError;
use crate::model::{Balance, Cluster, Endpoint, Source};
use crate::moment::Moment;

/// A cluster with all that lives on from one request to the next, shared by all workers.
#[derive(Debug)]
pub struct Upstream {
    cluster: Cluster,
    /// Connections of clusters with the same number can be used for each other.
    id: u64,
    gates: Gates,
    budget: RetryBudget,
    cookies: Option<Cookies>,
    security: Option<Security>,
    /// Grows whenever an endpoint comes, goes or changes its fitness.
    version: AtomicU64,
    /// Whether a good answer tells nothing new.
    calm: AtomicBool,
    state: Mutex<State>,
    counts: Arc<Counts>,
}

/// What happened to a cluster since it is in force.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections made.
    pub connects: AtomicU64,
    /// Connections that could not be made.
    pub connect_failures: AtomicU64,
    /// Retries that the budget did not allow.
    pub retries_denied: AtomicU64,
    /// Endpoints left out since they failed requests.
    pub ejections: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    members: Arc<[Arc<Member>]>,
    outliers: Option<Outliers>,
}

/// What a worker needs to know of the endpoints to choose among them.
pub(super) struct View {
    pub(super) version: u64,
    pub(super) members: Arc<[Arc<Member>]>,
    pub(super) fitness: Vec<Fitness>,
}

/// The next number for connections.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Upstream {
    /// Puts a cluster in force. What is known from `before`, of the same name, is kept, and nothing of it is changed;
    /// `secret` keys cookies that have no secret of their own.
    ///
    /// # Errors
    /// When certificates cannot be used.
    pub(crate) fn new(
        cluster: &Cluster,
        before: Option<&Arc<Self>>,
        secret: [u64; 2],
        dice: &mut Dice,
    ) -> Result<Arc<Self>, TlsError> {
        // Certificates are read again each time: their files may be others under the same names.
        let security = cluster.tls.as_ref().map(|tls| Security::build(tls, cluster.protocol)).transpose()?;
        let same_way = before.filter(|old| {
            old.security == security
                && old.cluster.protocol == cluster.protocol
                && old.cluster.circuit.connections == cluster.circuit.connections
        });
        if let Some(same) = same_way.filter(|old| old.cluster == *cluster) {
            return Ok(Arc::clone(same));
        }
        let known = before.map(|old| old.known(cluster, same_way.is_some())).unwrap_or_default();
        let outliers = cluster.outlier.clone().map(|rules| match known.outliers {
            Some(outliers) => outliers.under(rules),
            None => Outliers::new(rules, known.members.len(), Dice::seeded(dice.roll())),
        });
        let upstream = Self {
            id: same_way.map_or_else(|| NEXT_ID.fetch_add(1, Ordering::Relaxed), |old| old.id),
            gates: Gates::new(&cluster.circuit, before.map(|old| &old.gates)),
            budget: RetryBudget::new(&cluster.budget, before.map(|old| &old.budget)),
            cookies: match &cluster.balance {
                Balance::Sticky(sticky) => Some(Cookies::new(sticky, secret)),
                Balance::P2c | Balance::RoundRobin | Balance::LeastRequest | Balance::RingHash(_) => None,
            },
            // Where nothing has changed sessions can be resumed.
            security: same_way.map_or(security, |old| old.security.clone()),
            version: AtomicU64::new(0),
            calm: AtomicBool::new(true),
            state: Mutex::new(State { members: known.members, outliers }),
            counts: before.map(|old| Arc::clone(&old.counts)).unwrap_or_default(),
            cluster: cluster.clone(),
        };
        let endpoints = match &cluster.source {
            Source::Static(endpoints) => endpoints.clone(),
            // What the name stood for is used until it is looked up again.
            Source::Dns { .. } | Source::Service(_) => {
                let same = before.filter(|old| old.cluster.source == cluster.source);
                same.map(|old| old.endpoints()).unwrap_or_default()
            }
        };
        upstream.set_endpoints(endpoints);
        Ok(Arc::new(upstream))
    }

    /// What holds of the endpoints for the cluster as it is described now, too.
    fn known(&self, next: &Cluster, same_way: bool) -> State {
        let asked = |cluster: &Cluster| {
            cluster.health.as_ref().map(|health| (health.path.clone(), health.host.clone()))
        };
        // What nobody asks any more, or asks for in another way, is not known.
        let failing = next.health.is_some() && asked(next) == asked(&self.cluster);
        let state = self.lock();
        let member = |member: &Arc<Member>| match (same_way, failing) {
            (true, true) => Arc::clone(member),
            (true, false) => Arc::new(member.untested()),
            (false, _) => Arc::new(member.anew(next.circuit.connections, failing)),
        };
        State { members: state.members.iter().map(member).collect(), outliers: state.outliers.clone() }
    }

    /// What was described.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn security(&self) -> Option<&Security> {
        self.security.as_ref()
    }

    pub(crate) fn gates(&self) -> &Gates {
        &self.gates
    }

    pub(crate) fn cookies(&self) -> Option<&Cookies> {
        self.cookies.as_ref()
    }

    /// Counts a request that is no retry. `of_route`: what its route may have of the retries.
    pub(crate) fn note_request(&self, now: Moment, of_route: Option<&RetryBudget>) {
        of_route.into_iter().chain([&self.budget]).for_each(|budget| budget.request(now));
    }

    /// Takes a retry, if the budgets of its route and of the cluster have one.
    pub(crate) fn may_retry(&self, now: Moment, of_route: Option<&RetryBudget>) -> bool {
        let may = of_route.into_iter().chain([&self.budget]).all(|budget| budget.retry(now));
        if !may {
            self.counts.retries_denied.fetch_add(1, Ordering::Relaxed);
        }
        may
    }

    /// Requests that it has now.
    pub fn in_flight(&self) -> u32 {
        self.gates.requests.taken()
    }

    /// What happened to it.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The endpoints that there are now.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.lock().members.iter().map(|member| member.endpoint.clone()).collect()
    }

    /// The endpoints that there are now, each with whether it may take requests.
    pub fn members(&self) -> Vec<(Arc<Member>, Fitness)> {
        let view = self.view();
        view.members.iter().cloned().zip(view.fitness).collect()
    }

    /// Takes over the endpoints that there are now. Those that were there keep what is known of them.
    pub(crate) fn set_endpoints(&self, endpoints: Vec<Endpoint>) {
        let mut state = self.lock();
        let before = Arc::clone(&state.members);
        let place = |endpoint: &Endpoint| find(&before, endpoint.address);
        let places: Vec<Option<usize>> = endpoints.iter().map(place).collect();
        let members = endpoints.into_iter().zip(&places).map(|(endpoint, at)| match at {
            Some(at) if before[*at].endpoint == endpoint => Arc::clone(&before[*at]),
            Some(at) => Arc::new(before[*at].with(endpoint)),
            None => Arc::new(Member::new(endpoint, self.cluster.circuit.connections)),
        });
        state.members = members.collect();
        let members = Arc::clone(&state.members);
        if let Some(outliers) = &mut state.outliers {
            outliers.renumber(&places);
            for (at, member) in members.iter().enumerate() {
                outliers.set_available(at, member.is_available());
            }
        }
        self.changed(&state);
    }

    /// Takes in whether the checks of an endpoint find it bad.
    pub(crate) fn set_failing(&self, address: SocketAddr, failing: bool) {
        let mut state = self.lock();
        let Some(at) = find(&state.members, address) else { return };
        state.members[at].set_failing(failing);
        let available = state.members[at].is_available();
        if let Some(outliers) = &mut state.outliers {
            outliers.set_available(at, available);
        }
        self.changed(&state);
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(super) fn view(&self) -> View {
        let state = self.lock();
        let fitness = |(at, member): (usize, &Arc<Member>)| {
            if member.is_failing() {
                Fitness::Failing
            } else if state.outliers.as_ref().is_some_and(|outliers| !outliers.is_in(at)) {
                Fitness::Ejected
            } else {
                Fitness::Fit
            }
        };
        View {
            version: self.version(),
            members: Arc::clone(&state.members),
            fitness: state.members.iter().enumerate().map(fitness).collect(),
        }
    }

    /// Takes in how a request ended at an endpoint, as far as that says something of the endpoint.
    pub(super) fn record(&self, address: SocketAddr, failed: bool, now: Moment) {
        if !failed && self.calm.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.lock();
        let Some(at) = find(&state.members, address) else { return };
        let Some(outliers) = &mut state.outliers else { return };
        match outliers.record(at, failed, now) {
            None => self.calm.store(outliers.is_calm(), Ordering::Relaxed),
            Some(change) => {
                self.tell(address, change);
                self.changed(&state);
            }
        }
    }

    /// An endpoint that a request is to try out, if there is one. `after`: how long it must have been due for this
    /// request, which is never sent where that is none.
    pub(super) fn take_probe(
        &self,
        now: Moment,
        after: impl Fn(SocketAddr) -> Option<Duration>,
    ) -> Option<SocketAddr> {
        if self.calm.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.lock();
        let State { members, outliers } = &mut *state;
        let at = outliers.as_mut()?.take_probe(now, |at| after(members.get(at)?.address()))?;
        Some(members.get(at)?.address())
    }

    /// Gives a probe back that told nothing.
    pub(super) fn abandon_probe(&self, address: SocketAddr, now: Moment) {
        let mut state = self.lock();
        let at = find(&state.members, address);
        if let (Some(at), Some(outliers)) = (at, &mut state.outliers) {
            outliers.abandon_probe(at, now);
        }
    }

    fn tell(&self, address: SocketAddr, change: Change) {
        let cluster = self.cluster.name.as_str();
        match change {
            Change::Ejected { lasts, reason, .. } => {
                self.counts.ejections.fetch_add(1, Ordering::Relaxed);
                let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(cluster, endpoint = %address, %reason, lasts_ms, "an endpoint is left out");
            }
            Change::Returned { .. } => {
                tracing::info!(cluster, endpoint = %address, "an endpoint is back");
            }
        }
    }

    fn changed(&self, state: &State) {
        let calm = state.outliers.as_ref().is_none_or(Outliers::is_calm);
        self.calm.store(calm, Ordering::Relaxed);
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(members: &[Arc<Member>], address: SocketAddr) -> Option<usize> {
    members.iter().position(|member| member.address() == address)
}
