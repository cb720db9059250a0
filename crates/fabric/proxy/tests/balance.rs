//! The choice of endpoints, on a clock and dice of the test.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use coreto_proxy::balance::{Ask, Ended, Fitness, Picker, Ticket};
use coreto_proxy::chance::Dice;
use coreto_proxy::model::{Balance, Cluster, Endpoint, HashKey, RingHash, SlowStart, Sticky};
use coreto_proxy::moment::Moment;

fn address(at: usize) -> SocketAddr {
    format!("10.0.0.{at}:80").parse().unwrap()
}

fn endpoints(weights: &[u32]) -> Vec<Endpoint> {
    weights
        .iter()
        .enumerate()
        .map(|(at, weight)| Endpoint { address: address(at), weight: *weight })
        .collect()
}

fn at(ms: u64) -> Moment {
    Moment::after_start(Duration::from_millis(ms))
}

fn picker(balance: Balance, weights: &[u32]) -> Picker {
    of(&Cluster { balance, ..Cluster::default() }, weights)
}

fn of(cluster: &Cluster, weights: &[u32]) -> Picker {
    let mut picker = Picker::new(cluster, Dice::seeded(42));
    picker.update(Moment::START, &endpoints(weights));
    picker
}

fn policies() -> Vec<Balance> {
    let ring = RingHash { key: HashKey::Client, bound_percent: 0 };
    let sticky = Sticky { cookie: "at".to_owned(), age: None, secret: None };
    vec![
        Balance::P2c,
        Balance::RoundRobin,
        Balance::LeastRequest,
        Balance::RingHash(ring),
        Balance::Sticky(sticky),
    ]
}

/// How many of so many requests, one after the other, go where.
fn shares(picker: &mut Picker, count: u64, now: Moment) -> BTreeMap<SocketAddr, u64> {
    let mut shares = BTreeMap::new();
    for _ in 0..count {
        let ticket = picker.pick(now, &Ask::default()).unwrap();
        *shares.entry(ticket.address).or_default() += 1;
        picker.done(now, &ticket, Ended::Answered(Duration::from_millis(30)));
    }
    shares
}

#[test]
fn every_policy_shares_by_weight_and_leaves_out_what_is_unfit() {
    for policy in policies() {
        let mut even = picker(policy.clone(), &[1, 1, 1, 1]);
        for (address, share) in shares(&mut even, 8_000, Moment::START) {
            assert!((1_500..2_500).contains(&share), "{policy:?}: {address} had {share} of 8,000");
        }
        let mut uneven = picker(policy.clone(), &[1, 3, 0]);
        let found = shares(&mut uneven, 8_000, Moment::START);
        assert_eq!(found.get(&address(2)), None, "{policy:?}");
        assert!((1_500..2_500).contains(&found[&address(0)]), "{policy:?}: {found:?}");
        for unfit in [Fitness::Failing, Fitness::Draining] {
            even.set_fitness(Moment::START, 1, unfit);
            assert_eq!(shares(&mut even, 500, Moment::START).get(&address(1)), None, "{policy:?} {unfit:?}");
        }
        for at in 0..4 {
            even.set_fitness(Moment::START, at, Fitness::Failing);
        }
        assert_eq!(even.pick(Moment::START, &Ask::default()), None);
    }
}

#[test]
fn a_retry_goes_elsewhere_while_there_is_elsewhere() {
    for policy in policies() {
        let mut picker = picker(policy, &[1, 2, 3]);
        let two = [address(0), address(2)];
        let all = [address(0), address(1), address(2)];
        for _ in 0..200 {
            let key = Some(7);
            let ticket = picker.pick(Moment::START, &Ask { key, avoid: &two, ..Ask::default() }).unwrap();
            assert_eq!(ticket.address, address(1));
            let again = picker.pick(Moment::START, &Ask { key, avoid: &all, ..Ask::default() });
            picker.done(Moment::START, &ticket, Ended::Unknown);
            picker.done(Moment::START, &again.unwrap(), Ended::Unknown);
        }
    }
}

#[test]
fn latency_decides_and_failing_fast_attracts_nothing() {
    // One endpoint in four is ten times slower, or fails at once.
    for (ended, share_max) in
        [(Ended::Answered(Duration::from_millis(300)), 500), (Ended::Failed(Duration::from_millis(1)), 500)]
    {
        let mut picker = picker(Balance::P2c, &[1, 1, 1, 1]);
        let (mut now, mut share) = (0, 0);
        for _ in 0..10_000 {
            now += 2;
            let ticket = picker.pick(at(now), &Ask::default()).unwrap();
            let slow = ticket.address == address(3);
            share += u32::from(slow);
            picker.done(
                at(now),
                &ticket,
                if slow { ended } else { Ended::Answered(Duration::from_millis(30)) },
            );
        }
        assert!(share < share_max, "{share} of 10,000 went to the bad endpoint");
        assert!(share > 0, "it was never tried again");
    }
}

#[test]
fn requests_that_wait_count() {
    for policy in [Balance::P2c, Balance::LeastRequest] {
        let mut picker = picker(policy, &[1, 1]);
        let held: Vec<Ticket> =
            (0..100).map(|_| picker.pick(Moment::START, &Ask::default()).unwrap()).collect();
        let share = held.iter().filter(|ticket| ticket.address == address(0)).count();
        assert!((49..=51).contains(&share), "{share} of 100");
        for ticket in held.iter().filter(|ticket| ticket.address == address(0)) {
            picker.done(Moment::START, ticket, Ended::Unknown);
        }
        let next = picker.pick(Moment::START, &Ask::default()).unwrap();
        assert_eq!(next.address, address(0));
    }
}

#[test]
fn a_new_endpoint_warms_up() {
    let slow_start = Some(SlowStart { window: Duration::from_secs(10), aggression_percent: 100 });
    for policy in [Balance::P2c, Balance::RoundRobin] {
        let cluster =
            Cluster { balance: policy.clone(), slow_start: slow_start.clone(), ..Cluster::default() };
        let mut picker = of(&cluster, &[1, 1]);
        assert!(shares(&mut picker, 1_000, at(0))[&address(0)] > 300, "at first none warms up");
        picker.update(at(0), &endpoints(&[1, 1, 1]));
        let mut last = 0;
        for (ms, low, high) in [(500, 100, 350), (5_000, 500, 1_000), (10_000, 900, 1_300)] {
            // What is not measured falls, so all are measured anew.
            let share = shares(&mut picker, 3_000, at(ms)).get(&address(2)).copied().unwrap_or(0);
            assert!((low..high).contains(&share), "{policy:?}: {share} of 3,000 after {ms} ms");
            assert!(share > last);
            last = share;
        }
    }
}

#[test]
fn panic_uses_the_ejected_and_never_the_failing() {
    use Fitness::{Ejected, Failing, Fit};
    let used = |panic_percent, fitness: [Fitness; 4]| -> usize {
        let cluster = Cluster { balance: Balance::RoundRobin, panic_percent, ..Cluster::default() };
        let mut picker = of(&cluster, &[1, 1, 1, 1]);
        for (at, fitness) in fitness.into_iter().enumerate() {
            picker.set_fitness(Moment::START, at, fitness);
        }
        if picker.pick(Moment::START, &Ask::default()).is_none() {
            return 0;
        }
        shares(&mut picker, 100, Moment::START).len()
    };
    assert_eq!(used(50, [Fit, Fit, Ejected, Ejected]), 2);
    assert_eq!(used(50, [Fit, Ejected, Ejected, Ejected]), 4);
    assert_eq!(used(50, [Fit, Ejected, Ejected, Failing]), 3);
    assert_eq!(used(50, [Fit, Failing, Failing, Failing]), 1);
    assert_eq!(used(50, [Failing, Failing, Failing, Ejected]), 1);
    assert_eq!(used(0, [Failing, Failing, Failing, Ejected]), 0);
    assert_eq!(used(100, [Fit, Fit, Fit, Ejected]), 4);
}

#[test]
fn a_cookie_keeps_a_client_while_its_endpoint_is_there() {
    let mut picker = picker(Balance::P2c, &[1, 1, 1]);
    let kept = Ask { kept_at: Some(2), ..Ask::default() };
    picker.set_fitness(Moment::START, 2, Fitness::Draining);
    for _ in 0..20 {
        assert_eq!(picker.pick(Moment::START, &kept).unwrap().address, address(2));
    }
    picker.set_fitness(Moment::START, 2, Fitness::Failing);
    assert_ne!(picker.pick(Moment::START, &kept).unwrap().address, address(2));
    assert!(picker.pick(Moment::START, &Ask { kept_at: Some(9), ..Ask::default() }).is_some());
}

#[test]
fn a_key_stays_where_it_is_and_overflows_by_the_bound() {
    let ring = |bound_percent| Balance::RingHash(RingHash { key: HashKey::Path, bound_percent });
    let ask = Ask { key: Some(99), ..Ask::default() };
    let mut free = picker(ring(0), &[1, 1, 1, 1]);
    let first = free.pick(Moment::START, &ask).unwrap().address;
    assert!((0..100).all(|_| free.pick(Moment::START, &ask).unwrap().address == first));
    let mut bound = picker(ring(125), &[1, 1, 1, 1]);
    for sent in 1..=400_u32 {
        drop(bound.pick(Moment::START, &ask).unwrap());
        let most = bound.seats().iter().map(|seat| seat.pending).max().unwrap();
        assert!(most <= (sent * 125).div_ceil(400), "{most} of {sent} at one endpoint");
    }
}

#[test]
fn every_place_is_given_back_whatever_comes() {
    for (seed, policy) in (0..40).flat_map(|seed| policies().into_iter().map(move |policy| (seed, policy))) {
        let mut dice = Dice::seeded(seed);
        let mut picker = Picker::new(&Cluster { balance: policy, ..Cluster::default() }, Dice::seeded(seed));
        let mut held: Vec<Ticket> = Vec::new();
        for step in 0..400 {
            let now = at(step * 10);
            match dice.below(10) {
                0 => {
                    let chosen: Vec<Endpoint> = (0..8)
                        .filter(|_| dice.below(3) > 0)
                        .map(|at| Endpoint { address: address(at), weight: u32::try_from(at % 4).unwrap() })
                        .collect();
                    picker.update(now, &chosen);
                }
                1 => {
                    let fitness = [Fitness::Fit, Fitness::Ejected, Fitness::Failing, Fitness::Draining];
                    picker.set_fitness(now, dice.index(8), fitness[dice.index(4)]);
                }
                2..6 => {
                    let avoid = [address(dice.index(8))];
                    let ask = Ask { key: Some(dice.below(9)), avoid: &avoid, ..Ask::default() };
                    let fit = |picker: &Picker| {
                        picker
                            .seats()
                            .iter()
                            .any(|seat| seat.fitness == Fitness::Fit && seat.endpoint.weight > 0)
                    };
                    let before = fit(&picker);
                    let ticket = picker.pick(now, &ask);
                    assert!(ticket.is_some() || !before, "seed {seed}: a fit endpoint was not taken");
                    held.extend(ticket);
                }
                _ if held.is_empty() => {}
                _ => {
                    let ticket = held.swap_remove(dice.index(held.len()));
                    let ended =
                        [Ended::Unknown, Ended::Answered(Duration::ZERO), Ended::Failed(Duration::MAX)];
                    picker.done(now, &ticket, ended[dice.index(3)]);
                }
            }
            let there =
                |ticket: &&Ticket| picker.seats().iter().any(|seat| seat.endpoint.address == ticket.address);
            let pending: u32 = picker.seats().iter().map(|seat| seat.pending).sum();
            assert!(
                pending as usize <= held.iter().filter(there).count(),
                "seed {seed}: more pending than held"
            );
        }
        for ticket in held.drain(..) {
            picker.done(at(9_000), &ticket, Ended::Unknown);
        }
        assert!(picker.seats().iter().all(|seat| seat.pending == 0), "seed {seed}");
    }
}
