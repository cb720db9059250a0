//! Another plan instead of the one in force: what stays, what changes, and what a refused one leaves as it was.

#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/rules.rs"]
mod rules;
#[path = "run/service.rs"]
mod service;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coreto_proxy::model::{Circuit, Cluster, Health, Listener, Model, Outlier, Route, UpstreamTls};

use proxy::{Proxy, listener, plan};
use rules::{Tap, closed, model, named, route, to, two};
use service::{Caller, Service, until};

#[test]
fn a_plan_is_replaced_and_no_connection_drops() {
    let (one, other) = (Service::start("one"), Service::start("other"));
    let of = |service: &Service, listeners: Vec<Listener>| Model {
        listeners,
        routes: vec![Route { action: to("s"), ..route("all", "/") }],
        clusters: vec![named("s", &[service.address])],
    };
    let proxy = Proxy::start(of(&one, vec![listener()]));
    let mut caller = Caller::connect(proxy.address);
    assert_eq!(caller.ask("GET /", "").body, "one");
    let mut slow = Caller::connect(proxy.address);
    slow.send("GET /slow", "");
    until("it is there", || one.take().iter().any(|request| request.starts_with("GET /slow")));
    let second = Listener { name: "second".to_owned(), address: closed(), ..listener() };
    proxy.plane.replace(plan(of(&other, vec![listener(), second.clone()]))).expect("it is sound");
    assert_eq!(caller.ask("GET /", "").body, "other", "on the same connection");
    assert_eq!(slow.receive().expect("an answer").body, "one", "who began with the old plan ends with it");
    let mut at_second = Caller::connect(second.address);
    assert_eq!(at_second.ask("GET /", "").body, "other");
    let taken = Listener { address: one.address, ..second.clone() };
    let refused = proxy.plane.replace(plan(of(&one, vec![listener(), taken])));
    assert!(refused.is_err(), "the address is taken");
    assert_eq!(caller.ask("GET /", "").body, "other", "nothing has changed");
    proxy.plane.replace(plan(of(&one, vec![listener()]))).expect("it is sound");
    assert_eq!(caller.ask("GET /", "").body, "one");
    until("the second listener is gone", || std::net::TcpStream::connect(second.address).is_err());
    for turn in 0..20 {
        let service = if turn % 2 == 0 { &other } else { &one };
        proxy.plane.replace(plan(of(service, vec![listener()]))).expect("it is sound");
        assert_eq!(caller.ask("GET /", "").status, 200);
    }
}

#[test]
fn connections_of_a_listener_that_goes_are_served_by_what_it_was() {
    let (one, other) = (Service::start("one"), Service::start("other"));
    let of = |service: &Service, listeners: Vec<Listener>| Model {
        listeners,
        routes: vec![Route { action: to("s"), ..route("all", "/") }],
        clusters: vec![named("s", &[service.address])],
    };
    let mut leaving = Listener { name: "leaving".to_owned(), ..listener() };
    leaving.clocks.drain = Duration::from_secs(5);
    let proxy = Proxy::start(of(&one, vec![listener(), leaving]));
    let address = proxy.plane.addresses()[1].1;
    let mut kept = Caller::connect(address);
    assert_eq!(kept.ask("GET /", "").body, "one");
    // Some of them still wait to be accepted when it goes.
    let mut waiting: Vec<Caller> = (0..50).map(|_| Caller::connect(address)).collect();
    proxy.plane.replace(plan(of(&other, vec![listener()]))).expect("it is sound");
    for caller in waiting.iter_mut().chain([&mut kept]) {
        let answer = caller.ask("GET /", "");
        assert_eq!((answer.body.as_str(), answer.field("connection")), ("one", Some("close")));
    }
    assert_eq!(Caller::connect(proxy.address).ask("GET /", "").body, "other");
    until("the listener is gone", || std::net::TcpStream::connect(address).is_err());
}

#[test]
fn listeners_that_leave_their_ports_to_the_system_keep_them() {
    let service = Service::start("s");
    let of = |names: &[&str]| {
        let listens = |name: &&str| Listener { name: (*name).to_owned(), ..listener() };
        let listeners = names.iter().map(listens).collect();
        let routes = vec![Route { action: to("s"), ..route("all", "/") }];
        Model { listeners, ..model(routes, vec![named("s", &[service.address])]) }
    };
    let proxy = Proxy::start(of(&["a", "b"]));
    let before = proxy.plane.addresses();
    for names in [&["a", "b"][..], &["b", "a"], &["b", "a", "c"], &["b", "c"]] {
        proxy.plane.replace(plan(of(names))).expect("it is sound");
        let after = proxy.plane.addresses();
        let ports: HashSet<u16> = after.iter().map(|(_, address)| address.port()).collect();
        assert_eq!(ports.len(), names.len(), "{after:?}");
        let kept = |named: &&(String, SocketAddr)| before.iter().any(|(name, _)| *name == named.0);
        assert!(after.iter().filter(kept).all(|named| before.contains(named)), "{before:?} {after:?}");
    }
}

#[test]
fn a_reload_that_is_refused_changes_no_bound() {
    let service = Service::start("s");
    let of = |circuit: Circuit, others: Vec<Cluster>| {
        let mut clusters = vec![Cluster { circuit, ..named("s", &[service.address]) }];
        clusters.extend(others);
        model(vec![Route { action: to("s"), ..route("all", "/") }], clusters)
    };
    let proxy = Proxy::start(of(Circuit::default(), Vec::new()));
    let missing = UpstreamTls { ca: Some("/nowhere".into()), ..UpstreamTls::default() };
    let broken = Cluster { tls: Some(missing), ..named("t", &[service.address]) };
    let one = Circuit { requests: 1, ..Circuit::default() };
    assert!(proxy.plane.replace(plan(of(one.clone(), vec![broken]))).is_err(), "there is no such file");
    let both = |expected: [u16; 2]| {
        let mut callers = [(); 2].map(|()| Caller::connect(proxy.address));
        for caller in &mut callers {
            caller.send("GET /slow", "");
        }
        let mut found = callers.map(|mut caller| caller.receive().expect("an answer").status);
        found.sort_unstable();
        assert_eq!(found, expected);
    };
    both([200, 200]);
    proxy.plane.replace(plan(of(one, Vec::new()))).expect("it is sound");
    both([200, 503]);
}

#[test]
fn what_is_known_of_endpoints_outlives_a_reload_as_long_as_it_is_asked_for() {
    use coreto_proxy::balance::Fitness::{Ejected, Failing, Fit};
    let (bad, good) = (Service::start("bad"), Service::start("good"));
    let asked = |path: &str| Health {
        path: path.to_owned(),
        interval: Duration::from_millis(50),
        timeout: Duration::from_millis(50),
        fall: 1,
        ..Health::default()
    };
    let of = |health: Option<Health>, wait: u64| {
        let outlier = Outlier { failures: 1, base: Duration::from_mins(1), ..Outlier::default() };
        two(bad.address, good.address, &[], Some(outlier)).tap(|model| {
            model.clusters[0].health = health;
            model.clusters[0].wait = Duration::from_secs(wait);
            model.clusters[0].panic_percent = 0;
        })
    };
    let proxy = Proxy::start(of(Some(asked("/404")), 1));
    let known =
        || proxy.plane.in_force().upstreams()[0].members().iter().map(|(_, of)| *of).collect::<Vec<_>>();
    until("no endpoint is well", || known() == [Failing; 2]);
    proxy.plane.replace(plan(of(Some(asked("/404")), 2))).expect("it is sound");
    assert_eq!(known(), [Failing; 2]);
    proxy.plane.replace(plan(of(None, 2))).expect("it is sound");
    assert_eq!(known(), [Fit; 2], "nobody asks them any more");
    let mut caller = Caller::connect(proxy.address);
    bad.failing.store(true, Ordering::Relaxed);
    let failed = (0..2).filter(|_| caller.ask("GET /", "").status == 503).count();
    assert_eq!((failed, known()), (1, vec![Ejected, Fit]));
    proxy.plane.replace(plan(of(None, 3))).expect("it is sound");
    assert_eq!(known(), [Ejected, Fit]);
    let upstream = std::sync::Arc::clone(&proxy.plane.in_force().upstreams()[0]);
    assert_eq!(upstream.counts().ejections.load(Ordering::Relaxed), 1);
}
