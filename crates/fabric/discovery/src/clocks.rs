//! Times that run out: of checks that are told of, of sessions that are renewed, of instances that are critical for long.
//!
//! They are memory, and begin anew with each start: nobody is gone because we were away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use coreto_catalog::{Check, CheckKind, Status};
use tokio::sync::Notify;

/// What has run out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A check was not told of in time.
    Expired(Arc<str>),
    /// A check has been critical for too long.
    Reaped(Arc<str>),
    /// A session was not renewed in time.
    Ended(Arc<str>),
}

/// A check of this node.
struct Pulse {
    ttl: Duration,
    deregister_after: Duration,
    /// What the catalog was told last; nothing when that may have been lost.
    told: Option<(Status, Arc<str>)>,
    expires: Option<Instant>,
    reaped: Option<Instant>,
}

#[derive(Default)]
struct Inner {
    checks: BTreeMap<Arc<str>, Pulse>,
    /// Time to live and end of each session.
    sessions: BTreeMap<Arc<str>, (Duration, Instant)>,
    /// When to look at what. A time that was put off is found out then.
    order: BTreeSet<(Instant, Due)>,
}

/// Times that run out.
#[derive(Default)]
pub(crate) struct Clocks {
    inner: Mutex<Inner>,
    /// The first time may be another.
    pub(crate) changed: Notify,
}

impl Clocks {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a check that the catalog has in this status.
    pub(crate) fn watch_check(&self, check: &Check, now: Instant) {
        let definition = &check.definition;
        let ttl = if definition.kind == CheckKind::Ttl { definition.ttl_ms } else { 0 };
        let pulse = Pulse {
            ttl: Duration::from_millis(ttl),
            deregister_after: Duration::from_millis(definition.deregister_after_ms),
            told: Some((check.status, Arc::clone(&check.output))),
            expires: None,
            reaped: None,
        };
        let mut inner = self.lock();
        inner.checks.insert(Arc::clone(&check.id), pulse);
        inner.arm(&check.id, check.status, now);
        drop(inner);
        self.changed.notify_one();
    }

    /// Watches a check no more.
    pub(crate) fn forget_check(&self, id: &str) {
        self.lock().checks.remove(id);
    }

    /// Somebody tells how a check is. `submit` hands it to the catalog, unless that knows it; who tells after another
    /// is heard after it.
    pub(crate) fn tell<T>(
        &self,
        id: &Arc<str>,
        status: Status,
        output: &Arc<str>,
        now: Instant,
        submit: impl FnOnce() -> T,
    ) -> Option<T> {
        let mut inner = self.lock();
        let known = inner.checks.get_mut(id).is_some_and(|pulse| {
            let told = Some((status, Arc::clone(output)));
            std::mem::replace(&mut pulse.told, told.clone()) == told
        });
        inner.arm(id, status, now);
        let submitted = (!known).then(submit);
        drop(inner);
        if submitted.is_some() {
            self.changed.notify_one();
        }
        submitted
    }

    /// What was told last may not have reached the catalog.
    pub(crate) fn doubt(&self, id: &str) {
        if let Some(pulse) = self.lock().checks.get_mut(id) {
            pulse.told = None;
        }
    }

    /// Watches a session, or renews it; one without a time to live is not watched.
    pub(crate) fn renew_session(&self, id: &Arc<str>, ttl: Duration, now: Instant) {
        if ttl.is_zero() {
            return;
        }
        let mut inner = self.lock();
        let is_new = inner.sessions.insert(Arc::clone(id), (ttl, now + ttl)).is_none();
        if is_new {
            inner.order.insert((now + ttl, Due::Ended(Arc::clone(id))));
            drop(inner);
            self.changed.notify_one();
        }
    }

    /// Renews a session that is watched. Says whether it is: one whose time is over is on its way out.
    pub(crate) fn is_renewed(&self, id: &str, now: Instant) -> bool {
        let mut inner = self.lock();
        let Some((ttl, end)) = inner.sessions.get_mut(id) else { return false };
        *end = now + *ttl;
        true
    }

    /// What has run out could not be told: it has run out again now, if nothing was put off meanwhile.
    pub(crate) fn again(&self, due: Due, now: Instant) {
        let mut inner = self.lock();
        match &due {
            Due::Expired(id) => {
                if let Some(pulse) = inner.checks.get_mut(id).filter(|pulse| pulse.expires.is_none()) {
                    pulse.expires = Some(now);
                }
            }
            Due::Reaped(id) => {
                if let Some(pulse) = inner.checks.get_mut(id).filter(|pulse| pulse.reaped.is_none()) {
                    pulse.reaped = Some(now);
                }
            }
            Due::Ended(id) => {
                inner.sessions.entry(Arc::clone(id)).or_insert((Duration::ZERO, now));
            }
        }
        inner.order.insert((now, due));
        drop(inner);
        self.changed.notify_one();
    }

    /// When to look next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.lock().order.first().map(|(at, _)| *at)
    }

    /// What has run out. A session is not watched any more then.
    pub(crate) fn due(&self, now: Instant) -> Vec<Due> {
        let mut inner = self.lock();
        let mut due = Vec::new();
        // Bound: what is put back lies in the future.
        while let Some((at, what)) = inner.order.pop_first() {
            if at > now {
                inner.order.insert((at, what));
                break;
            }
            match inner.end_of(&what) {
                Some(end) if end > now => drop(inner.order.insert((end, what))),
                Some(_) => {
                    inner.is_over(&what);
                    due.push(what);
                }
                None => (),
            }
        }
        due
    }
}

impl Inner {
    /// Sets the times of a check that is in this status now.
    fn arm(&mut self, id: &Arc<str>, status: Status, now: Instant) {
        let Some(pulse) = self.checks.get_mut(id) else { return };
        // A time that is put off is found out when its old one comes.
        let expires = (!pulse.ttl.is_zero() && status != Status::Critical).then(|| now + pulse.ttl);
        if expires.is_some() && pulse.expires.is_none() {
            self.order.insert((now + pulse.ttl, Due::Expired(Arc::clone(id))));
        }
        pulse.expires = expires;
        let reaps = !pulse.deregister_after.is_zero() && status == Status::Critical;
        pulse.reaped = match (reaps, pulse.reaped) {
            (false, _) => None,
            (true, Some(at)) => Some(at),
            (true, None) => {
                let at = now + pulse.deregister_after;
                self.order.insert((at, Due::Reaped(Arc::clone(id))));
                Some(at)
            }
        };
    }

    /// When something really runs out; never, when it does not any more.
    fn end_of(&self, what: &Due) -> Option<Instant> {
        match what {
            Due::Expired(id) => self.checks.get(id)?.expires,
            Due::Reaped(id) => self.checks.get(id)?.reaped,
            Due::Ended(id) => self.sessions.get(id).map(|(_, end)| *end),
        }
    }

    fn is_over(&mut self, what: &Due) {
        match what {
            Due::Expired(id) => {
                if let Some(pulse) = self.checks.get_mut(id) {
                    pulse.expires = None;
                }
            }
            Due::Reaped(id) => {
                if let Some(pulse) = self.checks.get_mut(id) {
                    pulse.reaped = None;
                }
            }
            Due::Ended(id) => drop(self.sessions.remove(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use coreto_catalog::Definition;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clocks(status: Status, deregister_after_ms: u64) -> (Clocks, Arc<str>, Instant) {
        let definition =
            Definition { kind: CheckKind::Ttl, ttl_ms: 10_000, deregister_after_ms, ..Definition::default() };
        let check = Check { id: "c".into(), status, definition, ..Check::default() };
        let (clocks, now) = (Clocks::default(), Instant::now());
        clocks.watch_check(&check, now);
        (clocks, check.id, now)
    }

    #[test]
    fn a_renewal_puts_the_end_off_and_tells_nobody() {
        let (clocks, id, now) = clocks(Status::Passing, 0);
        let tell = |status, after| clocks.tell(&id, status, &"".into(), now + after, || ()).is_some();
        assert!(!tell(Status::Passing, 9 * SECOND), "the catalog knows it");
        assert_eq!(clocks.due(now + 10 * SECOND), []);
        assert_eq!(clocks.due(now + 19 * SECOND), [Due::Expired(id.clone())]);
        assert_eq!(clocks.due(now + 60 * SECOND), [], "once");
        assert!(tell(Status::Critical, 60 * SECOND) && tell(Status::Passing, 61 * SECOND));
        assert_eq!(clocks.due(now + 71 * SECOND), [Due::Expired(id.clone())]);
        clocks.doubt(&id);
        assert!(tell(Status::Passing, 72 * SECOND), "what may be lost is told again");
        clocks.forget_check(&id);
        assert_eq!(clocks.due(now + 600 * SECOND), []);
    }

    #[test]
    fn being_critical_is_counted_from_its_beginning() {
        let (clocks, id, now) = clocks(Status::Critical, 60_000);
        let tell = |status, after| {
            clocks.tell(&id, status, &"".into(), now + after, || ());
        };
        tell(Status::Critical, 30 * SECOND);
        assert_eq!(clocks.due(now + 59 * SECOND), []);
        assert_eq!(clocks.due(now + 60 * SECOND), [Due::Reaped(id.clone())]);
        tell(Status::Passing, 61 * SECOND);
        tell(Status::Critical, 62 * SECOND);
        tell(Status::Passing, 63 * SECOND);
        assert_eq!(clocks.due(now + 73 * SECOND), [Due::Expired(id.clone())]);
        assert_eq!(clocks.due(now + 600 * SECOND), [], "it has recovered");
    }

    #[test]
    fn sessions_end_when_nobody_renews_them() {
        let (clocks, now) = (Clocks::default(), Instant::now());
        let (id, other): (Arc<str>, Arc<str>) = ("s".into(), "t".into());
        clocks.renew_session(&id, 10 * SECOND, now);
        clocks.renew_session(&other, Duration::ZERO, now);
        assert!(clocks.is_renewed(&id, now + 5 * SECOND));
        assert!(!clocks.is_renewed(&other, now));
        assert_eq!(clocks.due(now + 14 * SECOND), []);
        assert_eq!(clocks.due(now + 15 * SECOND), [Due::Ended(id.clone())]);
        assert!(!clocks.is_renewed(&id, now + 15 * SECOND), "it is on its way out");
    }
}
