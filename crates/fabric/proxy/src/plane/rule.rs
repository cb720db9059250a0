//! Routes in force.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::filter::Changes;
use crate::forward::Answer;
use crate::gate::Authority;
use crate::limit::{Advice, Limiter, Rate, RetryBudget, Verdict};
use crate::model::{Action, Cluster, LimitKey, RateLimit, Route};
use crate::moment::Moment;

/// What of a route is made ready once, not for each request.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Those that count by the client first.
    pub(crate) limits: Vec<Arc<Limit>>,
    pub(crate) request_headers: Changes,
    pub(crate) response_headers: Changes,
    /// The host that goes upstream instead.
    pub(crate) host: Option<Authority>,
    /// What is answered here; requests share its body.
    pub(crate) answer: Option<Answer>,
    /// What it may have of the retries at each of its clusters: a route that fails leaves others theirs.
    budgets: Vec<(String, RetryBudget)>,
}

/// A limit with what its keys have used.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) model: RateLimit,
    pub(crate) header: Option<HeaderName>,
    /// What is told of it with each response.
    pub(crate) policy: HeaderValue,
    limiter: Mutex<Limiter>,
}

impl Rule {
    /// Puts a route in force; limits that are the same as in the one `before` keep their counts, and budgets theirs.
    pub(super) fn new(route: &Route, clusters: &[Cluster], before: Option<&Self>) -> Self {
        let limit = |limit: &RateLimit| {
            let same = before.and_then(|old| old.limits.iter().find(|old| old.model == *limit));
            same.map_or_else(|| Arc::new(Limit::new(limit.clone())), Arc::clone)
        };
        let mut limits: Vec<Arc<Limit>> = route.filters.limits.iter().map(limit).collect();
        limits.sort_by_key(|limit| Reverse(limit.model.key == LimitKey::Client));
        let (host, answer) = match &route.action {
            Action::Forward(forward) => (forward.host.clone(), None),
            Action::Redirect(_) => (None, None),
            Action::Respond(respond) => (None, Some(Answer::made(respond))),
        };
        let goes_to = |cluster: &&Cluster| match &route.action {
            Action::Forward(forward) => forward.to.iter().any(|split| split.cluster == cluster.name),
            Action::Redirect(_) | Action::Respond(_) => false,
        };
        let budget = |cluster: &Cluster| {
            let known = before.and_then(|old| old.budget(&cluster.name));
            (cluster.name.clone(), RetryBudget::new(&cluster.budget, known))
        };
        Self {
            budgets: clusters.iter().filter(goes_to).map(budget).collect(),
            limits,
            request_headers: Changes::of(&route.filters.request_headers),
            response_headers: Changes::of(&route.filters.response_headers),
            host: host.and_then(|host| Authority::read(Bytes::from(host)).ok()),
            answer,
        }
    }
}

impl Rule {
    /// The retries at one of its clusters.
    pub(crate) fn budget(&self, cluster: &str) -> Option<&RetryBudget> {
        let (_, budget) = self.budgets.iter().find(|(name, _)| name == cluster)?;
        Some(budget)
    }
}

impl Limit {
    fn new(limit: RateLimit) -> Self {
        let header = match &limit.key {
            LimitKey::Header(name) => HeaderName::from_bytes(name.as_bytes()).ok(),
            LimitKey::Route | LimitKey::Client | LimitKey::Host => None,
        };
        let (policy, limiter) = (Advice::policy(&limit), Mutex::new(Limiter::new(Rate::of(&limit))));
        Self { header, policy, limiter, model: limit }
    }

    /// Counts one more for a key, if it may happen now.
    pub(crate) fn ask(&self, now: Moment, key: u64) -> Verdict {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner).ask(now, key)
    }
}
