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
    /// A check has another output for long enough to be written.
    Other(Arc<str>),
}

/// How often an output is written that is another while the status is the same: whoever waits for the service is woken
/// by each.
const OUTPUT_EVERY: Duration = Duration::from_mins(5);

/// How a check is, as somebody tells.
#[derive(Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) id: &'a Arc<str>,
    pub(crate) status: Status,
    pub(crate) output: &'a Arc<str>,
    /// Nobody else tells, but we who have asked.
    pub(crate) own: bool,
}

/// A time that may be put off: its old one is found out when that comes.
#[derive(Default)]
struct Timer {
    /// When it is over, if it runs.
    end: Option<Instant>,
    /// When it is looked at.
    queued: Option<Instant>,
}

/// When to look at what.
type Order = BTreeSet<(Instant, Due)>;

impl Timer {
    /// Sets the end, or none.
    fn set(&mut self, end: Option<Instant>, order: &mut Order, what: impl Fn() -> Due) {
        self.end = end;
        let Some(end) = end.filter(|end| self.queued.is_none_or(|queued| *end < queued)) else { return };
        self.leave(order, &what);
        order.insert((end, what()));
        self.queued = Some(end);
    }

    /// Is not looked at any more.
    fn leave(&mut self, order: &mut Order, what: impl Fn() -> Due) {
        if let Some(queued) = self.queued.take() {
            order.remove(&(queued, what()));
        }
    }
}

/// A check of this node.
#[derive(Default)]
struct Pulse {
    /// How it is, is found out by ourselves.
    asks: bool,
    ttl: Duration,
    deregister_after: Duration,
    /// What the catalog was told last; nothing when that may have been lost, or another may have told it something.
    told: Option<(Status, Arc<str>)>,
    /// What it was told last without a word to the catalog, and when that is told.
    later: Option<Arc<str>>,
    other: Timer,
    /// From when on an output is told at once.
    quiet_until: Option<Instant>,
    expires: Timer,
    reaped: Timer,
}

/// A session that ends when nobody renews it. One whose timer has no end is on its way out.
struct Lived {
    ttl: Duration,
    ends: Timer,
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// The time begins anew.
    Renewed,
    /// The time is over.
    Over,
    /// No time is watched.
    Unknown,
}

#[derive(Default)]
struct Inner {
    checks: BTreeMap<Arc<str>, Pulse>,
    sessions: BTreeMap<Arc<str>, Lived>,
    order: Order,
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

    /// Watches a check that the catalog was seen to have in this status. Somebody may tell another one at the same
    /// time: its time begins whatever that is, and the next who tells is heard.
    pub(crate) fn watch_check(&self, check: &Check, now: Instant) {
        let definition = &check.definition;
        let ttl = if definition.kind == CheckKind::Ttl { definition.ttl_ms } else { 0 };
        let mut inner = self.lock();
        let Inner { checks, order, .. } = &mut *inner;
        let pulse = checks.entry(Arc::clone(&check.id)).or_default();
        pulse.asks = !definition.kind.is_told();
        pulse.ttl = Duration::from_millis(ttl);
        pulse.deregister_after = Duration::from_millis(definition.deregister_after_ms);
        pulse.told = None;
        pulse.arm(order, &check.id, check.status, now);
        let end = (ttl > 0).then(|| now + pulse.ttl);
        pulse.expires.set(end, order, || Due::Expired(Arc::clone(&check.id)));
        drop(inner);
        self.changed.notify_one();
    }

    /// Watches a check no more.
    pub(crate) fn forget_check(&self, id: &str) {
        self.lock().forget_check(id);
    }

    /// Watches those of these checks and sessions no more that are gone.
    pub(crate) fn forget_gone(&self, ids: &[Watched], is_gone: impl Fn(&Watched) -> bool) {
        let mut inner = self.lock();
        for id in ids.iter().filter(|id| is_gone(id)) {
            match id {
                Watched::Check(id) => inner.forget_check(id),
                Watched::Session(id) => inner.forget_session(id),
            }
        }
    }

    /// All that is watched.
    pub(crate) fn watched(&self) -> Vec<Watched> {
        let inner = self.lock();
        let checks = inner.checks.keys().map(|id| Watched::Check(Arc::clone(id)));
        checks.chain(inner.sessions.keys().map(|id| Watched::Session(Arc::clone(id)))).collect()
    }

    /// Takes a report. `submit` hands it to the catalog, unless that knows it; who tells after another is heard after it.
    pub(crate) fn tell<T>(&self, report: Report<'_>, now: Instant, submit: impl FnOnce() -> T) -> Option<T> {
        let submitted = self.lock().tell(report, now, submit);
        if submitted.is_some() {
            self.changed.notify_one();
        }
        submitted
    }

    /// Tells that the time of a check is over, unless somebody has told of it since that was found out.
    pub(crate) fn expire<T>(
        &self,
        id: &Arc<str>,
        output: &Arc<str>,
        now: Instant,
        submit: impl FnOnce() -> T,
    ) -> Option<T> {
        let mut inner = self.lock();
        inner.checks.get(id).filter(|pulse| pulse.expires.end.is_none())?;
        let submitted = inner.tell(Report { id, status: Status::Critical, output, own: false }, now, submit);
        drop(inner);
        self.changed.notify_one();
        submitted
    }

    /// Tells the output of a check that was not told yet, once that is due.
    pub(crate) fn tell_other<T>(
        &self,
        id: &str,
        now: Instant,
        submit: impl FnOnce(Status, &Arc<str>) -> T,
    ) -> Option<T> {
        let mut inner = self.lock();
        let pulse = inner.checks.get_mut(id)?;
        let (status, known) = pulse.told.as_mut()?;
        *known = pulse.later.take()?;
        pulse.quiet_until = Some(now + OUTPUT_EVERY);
        Some(submit(*status, known))
    }

    /// What was told last may not have reached the catalog, or another has told it something since.
    pub(crate) fn doubt(&self, id: &str) {
        if let Some(pulse) = self.lock().checks.get_mut(id) {
            pulse.told = None;
        }
    }

    /// Watches a session; one without a time to live is not watched.
    pub(crate) fn watch_session(&self, id: &Arc<str>, ttl: Duration, now: Instant) {
        if ttl.is_zero() {
            return;
        }
        let mut inner = self.lock();
        let Inner { sessions, order, .. } = &mut *inner;
        let lived = sessions.entry(Arc::clone(id)).or_insert_with(|| Lived { ttl, ends: Timer::default() });
        lived.ends.set(Some(now + ttl), order, || Due::Ended(Arc::clone(id)));
        drop(inner);
        self.changed.notify_one();
    }

    /// Renews a session.
    pub(crate) fn renew_session(&self, id: &str, now: Instant) -> Renewal {
        let mut inner = self.lock();
        match inner.sessions.get_mut(id) {
            None => Renewal::Unknown,
            Some(Lived { ttl, ends: Timer { end: Some(end), .. } }) => {
                *end = now + *ttl;
                Renewal::Renewed
            }
            Some(_) => Renewal::Over,
        }
    }

    /// Watches a session no more.
    pub(crate) fn forget_session(&self, id: &str) {
        self.lock().forget_session(id);
    }

    /// What has run out could not be told: it has run out again now, if nothing was put off meanwhile.
    pub(crate) fn again(&self, due: &Due, now: Instant) {
        let mut inner = self.lock();
        let Inner { checks, sessions, order } = &mut *inner;
        if let Some(timer) = timer(checks, sessions, due).filter(|timer| timer.end.is_none()) {
            timer.set(Some(now), order, || due.clone());
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// Nobody could be heard for a while, since the process stood still: what runs out does so later by that.
    pub(crate) fn put_off(&self, by: Duration) {
        let mut inner = self.lock();
        let Inner { checks, sessions, .. } = &mut *inner;
        let of_checks = checks.values_mut().flat_map(|pulse| [&mut pulse.expires, &mut pulse.reaped]);
        for timer in of_checks.chain(sessions.values_mut().map(|lived| &mut lived.ends)) {
            timer.end = timer.end.map(|end| end + by);
        }
    }

    /// Whether what has run out still has, since nobody has begun its time anew.
    pub(crate) fn is_over(&self, due: &Due) -> bool {
        let mut inner = self.lock();
        let Inner { checks, sessions, .. } = &mut *inner;
        timer(checks, sessions, due).is_some_and(|timer| timer.end.is_none())
    }

    /// When to look next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.lock().order.first().map(|(at, _)| *at)
    }

    /// What has run out. A session is on its way out then.
    pub(crate) fn due(&self, now: Instant) -> Vec<Due> {
        let mut inner = self.lock();
        let Inner { checks, sessions, order } = &mut *inner;
        let mut due = Vec::new();
        // Bound: what is put back lies in the future.
        while order.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, what)) = order.pop_first() else { break };
            let Some(timer) = timer(checks, sessions, &what) else { continue };
            timer.queued = None;
            match timer.end {
                Some(end) if end > now => timer.set(Some(end), order, || what.clone()),
                Some(_) => {
                    timer.end = None;
                    due.push(what);
                }
                None => (),
            }
        }
        due
    }
}

/// Something whose time is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// A check of this node.
    Check(Arc<str>),
    /// A session.
    Session(Arc<str>),
}

/// The time that something is about.
fn timer<'a>(
    checks: &'a mut BTreeMap<Arc<str>, Pulse>,
    sessions: &'a mut BTreeMap<Arc<str>, Lived>,
    what: &Due,
) -> Option<&'a mut Timer> {
    match what {
        Due::Expired(id) => checks.get_mut(id).map(|pulse| &mut pulse.expires),
        Due::Reaped(id) => checks.get_mut(id).map(|pulse| &mut pulse.reaped),
        Due::Other(id) => checks.get_mut(id).map(|pulse| &mut pulse.other),
        Due::Ended(id) => sessions.get_mut(id).map(|lived| &mut lived.ends),
    }
}

impl Pulse {
    /// Sets the times of a check that is in this status now.
    fn arm(&mut self, order: &mut Order, id: &Arc<str>, status: Status, now: Instant) {
        let runs = !self.ttl.is_zero() && status != Status::Critical;
        self.expires.set(runs.then(|| now + self.ttl), order, || Due::Expired(Arc::clone(id)));
        let reaps = !self.deregister_after.is_zero() && status == Status::Critical;
        // It counts from when it became critical.
        let end = reaps.then(|| self.reaped.end.unwrap_or(now + self.deregister_after));
        self.reaped.set(end, order, || Due::Reaped(Arc::clone(id)));
    }
}

impl Inner {
    fn tell<T>(&mut self, report: Report<'_>, now: Instant, submit: impl FnOnce() -> T) -> Option<T> {
        let Report { id, status, output, own } = report;
        // What nobody else may tell of is refused by the catalog, and means nothing here.
        let pulse = self.checks.get_mut(id).filter(|pulse| own || !pulse.asks);
        let Some(pulse) = pulse else { return Some(submit()) };
        pulse.arm(&mut self.order, id, status, now);
        let why = pulse.told.as_ref().filter(|(known, _)| *known == status).map(|(_, why)| why);
        let is_quiet = pulse.quiet_until.is_some_and(|until| now < until);
        match why {
            Some(why) if why == output => {
                pulse.later = None;
                return None;
            }
            Some(_) if is_quiet => {
                pulse.later = Some(Arc::clone(output));
                pulse.other.set(pulse.quiet_until, &mut self.order, || Due::Other(Arc::clone(id)));
                return None;
            }
            Some(_) | None => (),
        }
        pulse.later = None;
        pulse.quiet_until = Some(now + OUTPUT_EVERY);
        pulse.told = Some((status, Arc::clone(output)));
        Some(submit())
    }

    fn forget_check(&mut self, id: &str) {
        if let Some((id, mut pulse)) = self.checks.remove_entry(id) {
            pulse.expires.leave(&mut self.order, || Due::Expired(Arc::clone(&id)));
            pulse.reaped.leave(&mut self.order, || Due::Reaped(Arc::clone(&id)));
            pulse.other.leave(&mut self.order, || Due::Other(Arc::clone(&id)));
        }
    }

    fn forget_session(&mut self, id: &str) {
        if let Some((id, mut lived)) = self.sessions.remove_entry(id) {
            lived.ends.leave(&mut self.order, || Due::Ended(Arc::clone(&id)));
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

    fn tell(clocks: &Clocks, id: &Arc<str>, status: Status, output: &str, now: Instant) -> bool {
        let report = Report { id, status, output: &output.into(), own: false };
        clocks.tell(report, now, || ()).is_some()
    }

    #[test]
    fn a_renewal_puts_the_end_off_and_tells_nobody() {
        let (clocks, id, now) = clocks(Status::Passing, 0);
        let tell = |status, after| tell(&clocks, &id, status, "", now + after);
        assert!(tell(Status::Passing, SECOND), "somebody may have told something else when it was looked at");
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
    fn an_end_that_was_put_off_after_it_was_found_out_is_not_told() {
        let (clocks, id, now) = clocks(Status::Critical, 0);
        let expire = |after| clocks.expire(&id, &"late".into(), now + after, || ()).is_some();
        assert_eq!(clocks.due(now + 10 * SECOND), [Due::Expired(id.clone())], "whatever it was seen to be");
        tell(&clocks, &id, Status::Passing, "", now + 10 * SECOND);
        assert!(!expire(10 * SECOND));
        assert_eq!(clocks.due(now + 20 * SECOND), [Due::Expired(id.clone())]);
        assert!(expire(20 * SECOND));
    }

    #[test]
    fn another_output_alone_is_told_seldom_and_its_last_state_in_the_end() {
        let (clocks, id, now) = clocks(Status::Passing, 0);
        let tell = |status, output, after| tell(&clocks, &id, status, output, now + after);
        assert!(tell(Status::Passing, "a", SECOND));
        assert!(!tell(Status::Passing, "b", 2 * SECOND) && !tell(Status::Passing, "c", 3 * SECOND));
        assert!(tell(Status::Warning, "d", 4 * SECOND), "another status is told at once");
        assert!(!tell(Status::Warning, "e", 5 * SECOND));
        let (early, late) = (3 * SECOND + OUTPUT_EVERY, 4 * SECOND + OUTPUT_EVERY);
        assert!(clocks.due(now + early).iter().all(|due| *due != Due::Other(id.clone())));
        assert!(clocks.due(now + late).contains(&Due::Other(id.clone())));
        let other =
            |after| clocks.tell_other(&id, now + after, |status, output| (status, output.to_string()));
        assert_eq!(other(late), Some((Status::Warning, "e".to_owned())));
        assert_eq!(other(late), None);
        assert!(!tell(Status::Warning, "e", late));
    }

    #[test]
    fn what_is_gone_or_flaps_leaves_nothing_behind() {
        let (clocks, id, now) = clocks(Status::Passing, 60_000);
        clocks.watch_session(&"s".into(), 10 * SECOND, now);
        for status in [Status::Critical, Status::Passing].into_iter().cycle().take(100) {
            tell(&clocks, &id, status, "", now);
        }
        assert_eq!(clocks.lock().order.len(), 3);
        clocks.forget_gone(&clocks.watched(), |watched| *watched == Watched::Session("s".into()));
        assert_eq!(clocks.watched(), [Watched::Check(id)]);
        clocks.forget_gone(&clocks.watched(), |_| true);
        assert!(clocks.lock().order.is_empty());
    }

    #[test]
    fn being_critical_is_counted_from_its_beginning() {
        let (clocks, id, now) = clocks(Status::Critical, 60_000);
        let tell = |status, after| tell(&clocks, &id, status, "", now + after);
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
    fn what_runs_out_while_nobody_could_be_heard_is_put_off() {
        let (clocks, id, now) = clocks(Status::Passing, 0);
        clocks.put_off(5 * SECOND);
        assert_eq!(clocks.due(now + 14 * SECOND), []);
        assert_eq!(clocks.due(now + 15 * SECOND), [Due::Expired(id)]);
    }

    #[test]
    fn sessions_end_when_nobody_renews_them() {
        let (clocks, now) = (Clocks::default(), Instant::now());
        let (id, other): (Arc<str>, Arc<str>) = ("s".into(), "t".into());
        clocks.watch_session(&id, 10 * SECOND, now);
        clocks.watch_session(&other, Duration::ZERO, now);
        assert_eq!(clocks.renew_session(&id, now + 5 * SECOND), Renewal::Renewed);
        assert_eq!(clocks.renew_session(&other, now), Renewal::Unknown);
        assert_eq!(clocks.due(now + 14 * SECOND), []);
        assert_eq!(clocks.due(now + 15 * SECOND), [Due::Ended(id.clone())]);
        assert_eq!(clocks.renew_session(&id, now + 15 * SECOND), Renewal::Over);
        clocks.again(&Due::Ended(id.clone()), now + 16 * SECOND);
        assert_eq!(clocks.due(now + 16 * SECOND), [Due::Ended(id.clone())], "it could not be told");
        clocks.forget_session(&id);
        assert_eq!(clocks.renew_session(&id, now), Renewal::Unknown);
    }
}
