//! One worker's choice among the endpoints of a cluster.

use std::net::SocketAddr;
use std::time::Duration;

use super::latency::{FIRST, Latency};
use super::ring::Ring;
use super::turn::Turns;
use crate::chance::Dice;
use crate::model::{Balance, Cluster, Endpoint, SlowStart};
use crate::moment::Moment;

/// Whether an endpoint may take requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fitness {
    /// It may.
    #[default]
    Fit,
    /// It fails real requests; used again in panic.
    Ejected,
    /// It fails checks, or is gone; never used.
    Failing,
    /// It is going: clients that a cookie keeps there stay, others go elsewhere.
    Draining,
}

/// One endpoint with what this worker knows of it.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Whether it may take requests.
    pub fitness: Fitness,
    /// Requests of this worker that are there.
    pub pending: u32,
    serial: u64,
    joined: Option<Moment>,
    latency: Latency,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// The hash of what a ring goes by.
    pub key: Option<u64>,
    /// The endpoint that a cookie names.
    pub kept_at: Option<usize>,
    /// Endpoints where this request has failed.
    pub avoid: &'a [SocketAddr],
}

/// A place at an endpoint; it is given back by [`Picker::done`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an endpoint whose requests are not given back looks busier with each of them"]
pub struct Ticket {
    /// Where the request goes.
    pub address: SocketAddr,
    /// The endpoint's number, in the order in which endpoints were given.
    pub at: usize,
    serial: u64,
}

/// How a request ended at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was answered after this time.
    Answered(Duration),
    /// It failed after this time: 5xx, 429, refused, reset. Failing fast must not attract more.
    Failed(Duration),
    /// Nobody knows: the client went away.
    Unknown,
}

impl Seat {
    /// The share of its weight that an endpoint gets now.
    fn share(&self, slow_start: Option<&SlowStart>, now: Moment) -> f64 {
        let (Some(slow), Some(joined)) = (slow_start, self.joined) else { return 1.0 };
        let part = now.since(joined).as_secs_f64() / slow.window.as_secs_f64();
        if part >= 1.0 {
            return 1.0;
        }
        part.powf(100.0 / f64::from(slow.aggression_percent)).max(SHARE_MIN)
    }

    /// The weight in hundredths, so that a part of 1 is not 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a weight is small and positive"
    )]
    fn turn_weight(&self, slow_start: Option<&SlowStart>, now: Moment) -> u64 {
        (f64::from(self.endpoint.weight) * 100.0 * self.share(slow_start, now)).round().max(1.0) as u64
    }
}

/// The choice among the endpoints of one cluster.
#[derive(Clone, Debug)]
pub struct Picker {
    policy: Balance,
    slow_start: Option<SlowStart>,
    panic_percent: u8,
    seats: Vec<Seat>,
    /// Seats that may take a request now.
    open: Vec<usize>,
    even: bool,
    ring: Ring,
    turns: Turns,
    dice: Dice,
    serial: u64,
}

/// How often a choice by weight is thrown again because the endpoint is still warming up.
const THROWS_MAX: u32 = 16;
/// The least of its share that a new endpoint gets.
const SHARE_MIN: f64 = 0.1;

impl Picker {
    /// A choice among no endpoints yet.
    pub fn new(cluster: &Cluster, dice: Dice) -> Self {
        Self {
            policy: cluster.balance.clone(),
            slow_start: cluster.slow_start.clone(),
            panic_percent: cluster.panic_percent,
            seats: Vec::new(),
            open: Vec::new(),
            even: true,
            ring: Ring::default(),
            turns: Turns::default(),
            dice,
            serial: 0,
        }
    }

    /// Takes over the endpoints that there are now. Those that were there keep what is known of them.
    pub fn update(&mut self, now: Moment, endpoints: &[Endpoint]) {
        let first = self.seats.is_empty();
        let expected = Duration::from_secs_f64(self.median(now)).max(FIRST);
        let mut before = std::mem::take(&mut self.seats);
        for endpoint in endpoints {
            let known = before.iter().position(|seat| seat.endpoint.address == endpoint.address);
            if let Some(at) = known {
                self.seats.push(Seat { endpoint: endpoint.clone(), ..before.swap_remove(at) });
                continue;
            }
            self.serial += 1;
            self.seats.push(Seat {
                endpoint: endpoint.clone(),
                fitness: Fitness::Fit,
                pending: 0,
                serial: self.serial,
                // Where all are new, none warms up.
                joined: (!first).then_some(now),
                latency: Latency::expecting(expected, now),
            });
        }
        if matches!(self.policy, Balance::RingHash(_)) {
            self.ring = Ring::new(endpoints);
        }
        self.turns.reset();
        self.open_seats();
        // Workers that begin together do not go round together.
        for _ in 0..self.dice.index(self.open.len().max(1)) {
            self.take_turn(now, &[]);
        }
    }

    /// Says whether an endpoint may take requests. One that becomes fit after failing checks warms up again.
    pub fn set_fitness(&mut self, now: Moment, at: usize, fitness: Fitness) {
        let Some(seat) = self.seats.get_mut(at) else { return };
        if seat.fitness == Fitness::Failing && fitness == Fitness::Fit {
            seat.joined = Some(now);
        }
        if seat.fitness != fitness {
            seat.fitness = fitness;
            self.open_seats();
        }
    }

    /// The endpoints, in the order in which they were given.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// Chooses an endpoint; none when none is fit.
    pub fn pick(&mut self, now: Moment, ask: &Ask<'_>) -> Option<Ticket> {
        let kept = ask.kept_at.filter(|at| {
            let stays = |seat: &Seat| matches!(seat.fitness, Fitness::Fit | Fitness::Draining);
            self.seats.get(*at).is_some_and(|seat| stays(seat) && !ask.avoid.contains(&seat.endpoint.address))
        });
        let avoid =
            if self.open.iter().all(|at| ask.avoid.contains(&self.address(*at))) { &[] } else { ask.avoid };
        let at = match (kept, &self.policy) {
            (Some(kept), _) => kept,
            (None, Balance::P2c | Balance::Sticky(_)) => self.least_of_two(now, avoid, |seat| {
                seat.latency.seconds(now) * f64::from(seat.pending.saturating_add(1))
            })?,
            (None, Balance::LeastRequest) if self.even => {
                self.least_of_two(now, avoid, |seat| f64::from(seat.pending))?
            }
            (None, Balance::LeastRequest) => self.by_weight_and_load(now, avoid)?,
            (None, Balance::RoundRobin) => self.take_turn(now, avoid)?,
            (None, Balance::RingHash(ring)) => {
                let bound = ring.bound_percent;
                let key = ask.key.unwrap_or_else(|| self.dice.roll());
                self.on_ring(key, bound, avoid)?
            }
        };
        Some(self.seat(at))
    }

    /// The endpoint that a key hashes to while all are fit, where keys do.
    pub fn owner(&self, key: u64) -> Option<usize> {
        self.ring.from(key).next()
    }

    /// Takes a place at an endpoint that was chosen otherwise: by a probe.
    pub fn seat(&mut self, at: usize) -> Ticket {
        let seat = &mut self.seats[at];
        seat.pending = seat.pending.saturating_add(1);
        Ticket { address: seat.endpoint.address, at, serial: seat.serial }
    }

    /// Gives a place back.
    pub fn done(&mut self, now: Moment, ticket: &Ticket, ended: Ended) {
        let measured = match ended {
            Ended::Answered(latency) => Some(latency),
            Ended::Failed(latency) => {
                let slow = Duration::from_secs_f64(self.median(now) * 10.0);
                Some(latency.max(slow).max(Duration::from_secs(1)))
            }
            Ended::Unknown => None,
        };
        let stays = self.seats.get(ticket.at).is_some_and(|seat| seat.serial == ticket.serial);
        let moved = || self.seats.iter().position(|seat| seat.serial == ticket.serial);
        let Some(at) = stays.then_some(ticket.at).or_else(moved) else { return };
        let seat = &mut self.seats[at];
        seat.pending = seat.pending.saturating_sub(1);
        if let Some(measured) = measured {
            seat.latency.record(measured, now);
        }
    }

    fn address(&self, at: usize) -> SocketAddr {
        self.seats[at].endpoint.address
    }

    /// Which endpoints may take requests: the fit ones; with too few of them the ejected ones, too.
    fn open_seats(&mut self) {
        let open = |seats: &[Seat], fits: &dyn Fn(Fitness) -> bool| -> Vec<usize> {
            let seats = seats.iter().enumerate();
            seats
                .filter(|(_, seat)| seat.endpoint.weight > 0 && fits(seat.fitness))
                .map(|(at, _)| at)
                .collect()
        };
        let fit = open(&self.seats, &|fitness| fitness == Fitness::Fit);
        let well = open(&self.seats, &|fitness| matches!(fitness, Fitness::Fit | Fitness::Ejected));
        let panics = fit.len() * 100 < well.len() * usize::from(self.panic_percent);
        self.open = if panics { well } else { fit };
        let mut weights = self.open.iter().map(|at| self.seats[*at].endpoint.weight);
        let first = weights.next();
        self.even = weights.all(|weight| Some(weight) == first);
    }

    fn share(&self, at: usize, now: Moment) -> f64 {
        self.seats[at].share(self.slow_start.as_ref(), now)
    }

    /// One of the open seats at random by weight and share, but for those to avoid.
    fn throw(&mut self, now: Moment, avoid: &[SocketAddr]) -> Option<usize> {
        let weight = |picker: &Self, at: usize| u64::from(picker.seats[at].endpoint.weight);
        let sum: u64 = if self.even { 0 } else { self.open.iter().map(|at| weight(self, *at)).sum() };
        let mut last = None;
        for _ in 0..THROWS_MAX {
            let at = if self.even {
                *self.open.get(self.dice.index(self.open.len()))?
            } else {
                let mut left = self.dice.below(sum);
                let mut seats = self.open.iter();
                *seats.find(|at| {
                    let found = left < weight(self, **at);
                    left = left.saturating_sub(weight(self, **at));
                    found
                })?
            };
            if !avoid.contains(&self.address(at)) {
                last = Some(at);
                if self.dice.unit() < self.share(at, now) {
                    break;
                }
            }
        }
        last.or_else(|| self.open.iter().copied().find(|at| !avoid.contains(&self.address(*at))))
    }

    fn least_of_two(
        &mut self,
        now: Moment,
        avoid: &[SocketAddr],
        load: impl Fn(&Seat) -> f64,
    ) -> Option<usize> {
        let one = self.throw(now, avoid)?;
        let mut other = self.throw(now, avoid)?;
        // With weights the heavy one may meet itself, or its share would shrink.
        for _ in 0..THROWS_MAX {
            if one != other || !self.even {
                break;
            }
            other = self.throw(now, avoid)?;
        }
        Some(if load(&self.seats[other]) < load(&self.seats[one]) { other } else { one })
    }

    /// At random by weight over load, which is fairer than two choices where weights differ.
    fn by_weight_and_load(&mut self, now: Moment, avoid: &[SocketAddr]) -> Option<usize> {
        let thrown = self.dice.unit();
        let chance = |at: usize| {
            let seat = &self.seats[at];
            f64::from(seat.endpoint.weight) * self.share(at, now) / f64::from(seat.pending.saturating_add(1))
        };
        let mut open = self.open.iter().copied().filter(|at| !avoid.contains(&self.address(*at)));
        let mut left = thrown * open.clone().map(chance).sum::<f64>();
        let taken = open.clone().find(|at| {
            left -= chance(*at);
            left < 0.0
        });
        taken.or_else(|| open.next_back())
    }

    fn take_turn(&mut self, now: Moment, avoid: &[SocketAddr]) -> Option<usize> {
        let Self { turns, seats, open, slow_start, .. } = self;
        let weights = || open.iter().map(|at| seats[*at].turn_weight(slow_start.as_ref(), now));
        let avoided = |at: usize| avoid.contains(&seats[at].endpoint.address);
        // Those to avoid have their turn too, and lose it.
        for _ in 0..=open.len() {
            let at = open[turns.next(weights())?];
            if !avoided(at) {
                return Some(at);
            }
        }
        open.iter().copied().find(|at| !avoided(*at))
    }

    fn on_ring(&self, key: u64, bound_percent: u32, avoid: &[SocketAddr]) -> Option<usize> {
        if self.open.is_empty() {
            return None;
        }
        let open = |at: &usize| self.open.binary_search(at).is_ok() && !avoid.contains(&self.address(*at));
        let pending: u64 = self.seats.iter().map(|seat| u64::from(seat.pending)).sum();
        let average_times_open = (pending + 1) * u64::from(bound_percent);
        let bound = average_times_open.div_ceil(100 * (self.open.len() as u64).max(1));
        let has_room = |at: &usize| bound_percent == 0 || u64::from(self.seats[*at].pending) < bound;
        let mut from = self.ring.from(key).filter(open);
        from.clone().find(has_room).or_else(|| from.next())
    }

    /// The median of what is expected of the endpoints, in seconds.
    fn median(&self, now: Moment) -> f64 {
        let mut all: Vec<f64> = self.seats.iter().map(|seat| seat.latency.seconds(now)).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    }
}
