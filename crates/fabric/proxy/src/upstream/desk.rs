//! Where a worker chooses the endpoints of its requests.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Member, Upstream};
use crate::balance::{Ask, Ended, Picker, Ticket};
use crate::chance::Dice;
use crate::moment::Moment;

/// One worker's choice among the endpoints of one cluster. The lock is never contended: only that worker takes it.
#[derive(Debug)]
pub(crate) struct Desk {
    upstream: Arc<Upstream>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    picker: Picker,
    members: Arc<[Arc<Member>]>,
    /// What stands for each of the endpoints in a cookie.
    tokens: Vec<u64>,
    /// The version of the upstream that all of this is of.
    seen: u64,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// The hash of what a ring goes by.
    pub(crate) key: Option<u64>,
    /// What its cookie says of an endpoint.
    pub(crate) token: Option<u64>,
    /// Endpoints where it has failed.
    pub(crate) avoid: &'a [SocketAddr],
}

/// A request's place at an endpoint, which is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    desk: Arc<Desk>,
    pub(crate) member: Arc<Member>,
    ticket: Ticket,
    /// Whether the endpoint is in again if this request is answered.
    pub(crate) probe: bool,
    taken: Moment,
    /// The time until its answer began.
    took: Option<Duration>,
    /// What is known of its end: when, and whether the endpoint failed.
    ended: Option<(Ended, Moment)>,
}

/// How long a probe waits for a request that is at home nowhere else.
const PATIENCE: Duration = Duration::from_secs(10);

impl Desk {
    pub(crate) fn new(upstream: Arc<Upstream>, dice: Dice) -> Self {
        let picker = Picker::new(upstream.cluster(), dice);
        let state = State { picker, members: Arc::default(), tokens: Vec::new(), seen: 0 };
        Self { upstream, state: Mutex::new(state) }
    }

    pub(crate) fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    /// A place at an endpoint; none when none is fit.
    pub(crate) fn take(self: &Arc<Self>, now: Moment, wanted: &Wanted<'_>) -> Option<Place> {
        let mut state = self.lock();
        if self.upstream.version() != state.seen {
            self.refresh(&mut state, now);
        }
        let kept_at = wanted.token.and_then(|token| state.tokens.iter().position(|known| *known == token));
        let probe = self.upstream.take_probe(now, |address| {
            let home = kept_at.or_else(|| state.picker.owner(wanted.key?));
            match home.map(|at| state.members[at].address()) {
                // Where the request has failed it proves nothing.
                _ if wanted.avoid.contains(&address) => None,
                // A client that another endpoint knows is taken away from it only when no other comes.
                Some(home) if home != address => Some(PATIENCE),
                _ => Some(Duration::ZERO),
            }
        });
        let seat = probe.and_then(|address| state.find(address));
        if let (Some(address), None) = (probe, seat) {
            self.upstream.abandon_probe(address, now);
        }
        let ticket = if let Some(at) = seat {
            state.picker.seat(at)
        } else {
            state.picker.pick(now, &Ask { key: wanted.key, kept_at, avoid: wanted.avoid })?
        };
        let member = Arc::clone(&state.members[ticket.at]);
        member.tries().all.fetch_add(1, Ordering::Relaxed);
        Some(Place {
            desk: Arc::clone(self),
            member,
            ticket,
            probe: seat.is_some(),
            taken: now,
            took: None,
            ended: None,
        })
    }

    /// Takes over what has changed.
    fn refresh(&self, state: &mut State, now: Moment) {
        let view = self.upstream.view();
        if !Arc::ptr_eq(&view.members, &state.members) {
            let endpoints: Vec<_> = view.members.iter().map(|member| member.endpoint.clone()).collect();
            state.picker.update(now, &endpoints);
            let token = |member: &Arc<Member>| {
                self.upstream.cookies().map(|cookies| cookies.token(member.endpoint.address))
            };
            state.tokens = view.members.iter().filter_map(token).collect();
            state.members = view.members;
        }
        for (at, fitness) in view.fitness.into_iter().enumerate() {
            state.picker.set_fitness(now, at, fitness);
        }
        state.seen = view.version;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, address: SocketAddr) -> Option<usize> {
        self.members.iter().position(|member| member.address() == address)
    }
}

impl Place {
    pub(crate) fn address(&self) -> SocketAddr {
        self.ticket.address
    }

    /// The endpoint has begun to answer.
    pub(crate) fn heard(&mut self, now: Moment) {
        self.took = Some(now.since(self.taken));
    }

    /// It is known whether the answer speaks for or against the endpoint. It stays taken until this is dropped.
    pub(crate) fn answered(&mut self, now: Moment, failed: bool, unhealthy: bool) {
        let took = self.took.unwrap_or_else(|| now.since(self.taken));
        let ended = if failed { Ended::Failed(took) } else { Ended::Answered(took) };
        self.note(now, ended, unhealthy);
    }

    /// The endpoint has not answered, through its own fault.
    pub(crate) fn failed(&mut self, now: Moment) {
        self.note(now, Ended::Failed(now.since(self.taken)), true);
    }

    fn note(&mut self, now: Moment, ended: Ended, unhealthy: bool) {
        if matches!(ended, Ended::Failed(_)) {
            self.member.tries().failed.fetch_add(1, Ordering::Relaxed);
        }
        self.desk.upstream.record(self.ticket.address, unhealthy, now);
        self.ended = Some((ended, now));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let unknown = (Ended::Unknown, self.taken);
        if self.probe && self.ended.is_none() {
            self.desk.upstream.abandon_probe(self.ticket.address, self.taken);
        }
        let (ended, at) = self.ended.unwrap_or(unknown);
        self.desk.lock().picker.done(at, &self.ticket, ended);
    }
}
