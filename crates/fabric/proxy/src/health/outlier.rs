//! What real requests tell: an endpoint that fails several in a row is left out for a while.

use std::fmt;
use std::time::Duration;

use super::check::around;
use crate::chance::Dice;
use crate::model::Outlier;
use crate::moment::Moment;

/// A probe that nobody heard of for so long is lost.
const PROBE: Duration = Duration::from_mins(1);
/// A time without an ejection that takes one doubling back.
const FORGIVEN: Duration = Duration::from_mins(1);
/// More doublings than reach any longest time.
const DOUBLINGS_MAX: u32 = 30;

/// The endpoints of a cluster, by number.
#[derive(Clone, Debug)]
pub struct Outliers {
    rules: Outlier,
    members: Vec<Member>,
    /// No endpoint can be probed before.
    probe_from: Option<Moment>,
    dice: Dice,
}

#[derive(Clone, Copy, Debug, Default)]
struct Member {
    state: State,
    /// Whether checks and registration have it take requests.
    available: bool,
    /// Ejections in a row.
    times: u32,
    /// When it last came back.
    returned: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It takes requests; this many in a row have failed.
    In { failures: u32 },
    /// It takes none until then.
    Out { until: Moment },
    /// It has one request, since then, that decides.
    Probing { since: Moment },
}

impl Default for State {
    fn default() -> Self {
        Self::In { failures: 0 }
    }
}

/// What became of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It takes no requests.
    Ejected {
        /// The endpoint's number.
        endpoint: usize,
        /// For how long, at least.
        lasts: Duration,
        /// Why.
        reason: Reason,
    },
    /// It takes requests again.
    Returned {
        /// The endpoint's number.
        endpoint: usize,
    },
}

/// Why an endpoint was ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// So many requests in a row had failed.
    Failures(u32),
    /// Its probe failed.
    Probe,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures(count) => write!(f, "{count} failures in a row"),
            Self::Probe => f.write_str("the request that tried it out failed"),
        }
    }
}

impl Outliers {
    /// This many endpoints, all in.
    pub fn new(rules: Outlier, endpoints: usize, dice: Dice) -> Self {
        let member = Member { available: true, ..Member::default() };
        Self { rules, members: vec![member; endpoints], probe_from: None, dice }
    }

    /// The same endpoints, as they are, under other rules.
    #[must_use]
    pub fn under(self, rules: Outlier) -> Self {
        Self { rules, ..self }
    }

    /// Takes over other endpoints: for each the number that it had before, if it was there.
    pub fn renumber(&mut self, before: &[Option<usize>]) {
        let known = |at: &Option<usize>| at.and_then(|at| self.members.get(at)).copied();
        let new = Member { available: true, ..Member::default() };
        self.members = before.iter().map(|at| known(at).unwrap_or(new)).collect();
        self.find_next_probe();
    }

    /// Whether every endpoint is in and none has failed last: then an answer tells nothing new.
    pub fn is_calm(&self) -> bool {
        self.members.iter().all(|member| member.state == State::In { failures: 0 })
    }

    /// Whether an endpoint takes requests, as far as real requests tell.
    pub fn is_in(&self, endpoint: usize) -> bool {
        self.members.get(endpoint).is_none_or(|member| matches!(member.state, State::In { .. }))
    }

    /// Says whether an endpoint would take requests if it was not ejected: the last one that would is never ejected.
    pub fn set_available(&mut self, endpoint: usize, available: bool) {
        if let Some(member) = self.members.get_mut(endpoint) {
            member.available = available;
        }
    }

    /// Takes the result of a request in. A failure is 502, 503, 504, refused, reset or out of time.
    pub fn record(&mut self, endpoint: usize, failed: bool, now: Moment) -> Option<Change> {
        let member = self.members.get_mut(endpoint)?;
        match (member.state, failed) {
            // What was sent before the ejection tells nothing new.
            (State::Out { .. }, _) => None,
            (State::In { .. }, false) => {
                member.state = State::In { failures: 0 };
                None
            }
            (State::In { failures }, true) => {
                let failures = failures.saturating_add(1);
                member.state = State::In { failures };
                let many = failures >= self.rules.failures;
                (many && self.may_eject(endpoint))
                    .then(|| self.eject(endpoint, Reason::Failures(failures), now))
            }
            (State::Probing { .. }, false) => {
                member.state = State::In { failures: 0 };
                member.returned = now;
                Some(Change::Returned { endpoint })
            }
            (State::Probing { .. }, true) => Some(self.eject(endpoint, Reason::Probe, now)),
        }
    }

    /// An endpoint that a request may go to as a probe, if one is due; it decides whether the endpoint is in again.
    /// `after`: for how long that must have been so, and none where this request is no probe.
    pub fn take_probe(&mut self, now: Moment, after: impl Fn(usize) -> Option<Duration>) -> Option<usize> {
        if self.probe_from.is_none_or(|from| from > now) {
            return None;
        }
        let due = |(at, member): (usize, &Member)| {
            let since = member.probe_due().filter(|_| member.available);
            since.is_some_and(|since| after(at).is_some_and(|wait| since.plus(wait) <= now))
        };
        let endpoint = self.members.iter().enumerate().position(due);
        if let Some(endpoint) = endpoint {
            self.members[endpoint].state = State::Probing { since: now };
        }
        self.find_next_probe();
        endpoint
    }

    /// Gives a probe back whose request ended without telling anything.
    pub fn abandon_probe(&mut self, endpoint: usize, now: Moment) {
        if let Some(member) = self.members.get_mut(endpoint)
            && matches!(member.state, State::Probing { .. })
        {
            member.state = State::Out { until: now };
            self.find_next_probe();
        }
    }

    /// How many are not in.
    fn out(&self) -> usize {
        self.members.iter().filter(|member| !matches!(member.state, State::In { .. })).count()
    }

    fn may_eject(&self, endpoint: usize) -> bool {
        let ceiling = self.members.len() * usize::from(self.rules.ceiling_percent) / 100;
        let others = self.members.iter().enumerate().filter(|(at, _)| *at != endpoint);
        let another = others.map(|(_, member)| member).any(Member::takes_requests);
        self.out() < ceiling && another
    }

    fn eject(&mut self, endpoint: usize, reason: Reason, now: Moment) -> Change {
        let member = &mut self.members[endpoint];
        if let State::In { .. } = member.state {
            let forgiven = now.since(member.returned).as_secs() / FORGIVEN.as_secs();
            member.times = member.times.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
        }
        let doublings = member.times.min(DOUBLINGS_MAX);
        member.times = doublings + 1;
        let lasts = self.rules.base.saturating_mul(1 << doublings).min(self.rules.longest);
        let lasts = around(lasts, 0.1, &mut self.dice);
        member.state = State::Out { until: now.plus(lasts) };
        self.find_next_probe();
        Change::Ejected { endpoint, lasts, reason }
    }

    fn find_next_probe(&mut self) {
        self.probe_from = self.members.iter().filter_map(Member::probe_due).min();
    }
}

impl Member {
    fn takes_requests(&self) -> bool {
        self.available && matches!(self.state, State::In { .. })
    }

    /// When it may get a probe.
    fn probe_due(&self) -> Option<Moment> {
        match self.state {
            State::In { .. } => None,
            State::Out { until } => Some(until),
            State::Probing { since } => Some(since.plus(PROBE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    fn fail(outliers: &mut Outliers, endpoint: usize, now: u64) -> Vec<Change> {
        (0..5).filter_map(|_| outliers.record(endpoint, true, at(now))).collect()
    }

    fn probe(outliers: &mut Outliers, now: Moment) -> Option<usize> {
        outliers.take_probe(now, |_| Some(Duration::ZERO))
    }

    fn lasts(changes: &[Change]) -> f64 {
        match changes {
            [Change::Ejected { lasts, .. }] => lasts.as_secs_f64(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ejects_after_failures_in_a_row_and_takes_back_by_a_probe() {
        let mut outliers = Outliers::new(Outlier::default(), 4, Dice::seeded(1));
        for failed in [true, true, true, true, false, true, true, true, true] {
            assert_eq!(outliers.record(0, failed, at(0)), None);
        }
        let change = outliers.record(0, true, at(0));
        let Some(Change::Ejected { endpoint: 0, lasts, reason: Reason::Failures(5) }) = change else {
            panic!("{change:?}");
        };
        assert!((4.5..5.5).contains(&lasts.as_secs_f64()));
        assert!(!outliers.is_in(0));
        assert_eq!(
            outliers.record(0, false, at(1)),
            None,
            "an answer to an earlier request takes nothing back"
        );
        assert_eq!(probe(&mut outliers, at(4)), None);
        assert_eq!(probe(&mut outliers, at(6)), Some(0));
        assert_eq!(probe(&mut outliers, at(6)), None, "one probe at a time");
        outliers.abandon_probe(0, at(7));
        assert_eq!(probe(&mut outliers, at(7)), Some(0));
        assert_eq!(probe(&mut outliers, at(66)), None);
        assert_eq!(probe(&mut outliers, at(67)), Some(0), "nobody heard of the probe");
        assert_eq!(outliers.record(0, false, at(68)), Some(Change::Returned { endpoint: 0 }));
        assert!(outliers.is_in(0));
    }

    #[test]
    fn a_probe_waits_for_a_request_that_may_be_one() {
        let mut outliers = Outliers::new(Outlier::default(), 4, Dice::seeded(1));
        assert_eq!(fail(&mut outliers, 0, 0).len(), 1);
        let late =
            |outliers: &mut Outliers, now| outliers.take_probe(at(now), |_| Some(Duration::from_secs(10)));
        assert_eq!(outliers.take_probe(at(60), |_| None), None);
        assert_eq!(late(&mut outliers, 14), None);
        assert_eq!(late(&mut outliers, 16), Some(0));
    }

    #[test]
    fn doubles_the_time_and_forgives() {
        let mut outliers = Outliers::new(Outlier::default(), 4, Dice::seeded(1));
        let mut now = 0;
        let mut expected = 5.0;
        assert!((lasts(&fail(&mut outliers, 0, now)) / expected - 1.0).abs() <= 0.1);
        for _ in 0..10 {
            now += 1_000;
            expected = f64::min(expected * 2.0, 300.0);
            assert_eq!(probe(&mut outliers, at(now)), Some(0));
            let change = outliers.record(0, true, at(now)).unwrap();
            assert!(matches!(change, Change::Ejected { reason: Reason::Probe, .. }));
            assert!((lasts(&[change]) / expected - 1.0).abs() <= 0.1, "{change:?}, not {expected}");
        }
        now += 1_000;
        assert_eq!(probe(&mut outliers, at(now)), Some(0));
        assert!(outliers.record(0, false, at(now)).is_some());
        assert!(
            (lasts(&fail(&mut outliers, 0, now + 11 * 60)) / 5.0 - 1.0).abs() <= 0.1,
            "a minute a doubling"
        );
    }

    #[test]
    fn remembers_endpoints_under_other_numbers() {
        let mut outliers = Outliers::new(Outlier::default(), 3, Dice::seeded(1));
        assert!(outliers.is_calm());
        assert_eq!(fail(&mut outliers, 2, 0).len(), 1);
        outliers.renumber(&[Some(2), None, Some(0)]);
        assert_eq!([0, 1, 2].map(|at| outliers.is_in(at)), [false, true, true]);
        assert!(!outliers.is_calm());
        assert_eq!(probe(&mut outliers, at(6)), Some(0));
        outliers.renumber(&[None]);
        assert!(outliers.is_calm());
    }

    #[test]
    fn keeps_to_the_ceiling_and_to_the_last_one() {
        for (endpoints, unavailable, ceiling_percent, most) in [
            (1, 0, 50, 0),
            (2, 0, 50, 1),
            (3, 0, 50, 1),
            (4, 0, 50, 2),
            (4, 0, 100, 3),
            (4, 2, 100, 1),
            (4, 3, 50, 0),
            (9, 0, 0, 0),
        ] {
            let rules = Outlier { ceiling_percent, ..Outlier::default() };
            let mut outliers = Outliers::new(rules, endpoints, Dice::seeded(1));
            (0..unavailable).for_each(|endpoint| outliers.set_available(endpoint, false));
            let ejected =
                (unavailable..endpoints).flat_map(|endpoint| fail(&mut outliers, endpoint, 0)).count();
            assert_eq!(
                ejected, most,
                "{endpoints} endpoints, {unavailable} unavailable, {ceiling_percent} %"
            );
        }
    }

    #[test]
    fn holds_its_rules_whatever_comes() {
        for seed in 0..200 {
            let mut dice = Dice::seeded(seed);
            let endpoints = 1 + dice.index(6);
            let mut outliers = Outliers::new(Outlier::default(), endpoints, Dice::seeded(seed));
            let (mut now, mut probed) = (0, None);
            for _ in 0..500 {
                now += dice.below(3);
                let endpoint = dice.index(endpoints);
                let was_in = outliers.is_in(endpoint);
                let out_before = outliers.out();
                match outliers.record(endpoint, dice.below(4) > 0, at(now)) {
                    None => assert_eq!(outliers.is_in(endpoint), was_in),
                    Some(Change::Ejected { reason: Reason::Failures(count), .. }) => {
                        assert!(was_in && count >= 5 && out_before < endpoints / 2);
                    }
                    Some(Change::Ejected { reason: Reason::Probe, .. } | Change::Returned { .. }) => {
                        assert_eq!(probed.take(), Some(endpoint), "seed {seed}");
                    }
                }
                if probed.is_none() {
                    probed = probe(&mut outliers, at(now));
                }
                assert!(
                    outliers.out() <= endpoints / 2 && outliers.members.iter().any(Member::takes_requests)
                );
            }
        }
    }
}
