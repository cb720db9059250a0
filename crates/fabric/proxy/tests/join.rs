//! Rules and bytes together: what the model says happens to requests on real sockets.

#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/service.rs"]
mod service;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coreto_proxy::model::{
    Action, Balance, Budget, Circuit, Cluster, Cors, Endpoint, Filters, Forward, HeaderChanges, Health,
    LimitKey, Listener, Mirror, Model, Network, Outlier, PathMatch, PathRewrite, Protocol, RateLimit,
    Redirect, Respond, RetryOn, Route, Source, Split, SplitBy, Sticky, UpstreamTls,
};

use proxy::{Proxy, cluster, listener, plan};
use service::{Caller, Service, ask, until};

fn route(name: &str, prefix: &str) -> Route {
    Route { name: name.to_owned(), path: PathMatch::Prefix(prefix.to_owned()), ..Route::default() }
}

fn to(cluster: &str) -> Action {
    split(&[(cluster, 1)], SplitBy::Request)
}

fn split(shares: &[(&str, u32)], split_by: SplitBy) -> Action {
    let share = |(cluster, weight): &(&str, u32)| Split { cluster: (*cluster).to_owned(), weight: *weight };
    Action::Forward(Forward { to: shares.iter().map(share).collect(), split_by, ..Forward::default() })
}

fn named(name: &str, endpoints: &[SocketAddr]) -> Cluster {
    Cluster { name: name.to_owned(), ..cluster(endpoints, Protocol::Http1) }
}

fn model(routes: Vec<Route>, clusters: Vec<Cluster>) -> Model {
    Model { listeners: vec![listener()], routes, clusters }
}

/// A port that refuses.
fn closed() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
}

#[test]
fn a_request_takes_its_route() {
    let (one, other) = (Service::start("one"), Service::start("other"));
    let api = Forward {
        to: vec![Split { cluster: "other".to_owned(), weight: 1 }],
        path: Some(PathRewrite::Prefix("/v2".to_owned())),
        host: Some("inner.example:8080".to_owned()),
        ..Forward::default()
    };
    let headers = |name: &str, value: &str| HeaderChanges {
        remove: vec!["x-gone".to_owned()],
        set: vec![(name.to_owned(), value.to_owned())],
        add: Vec::new(),
    };
    let filters = Filters {
        request_headers: headers("x-to", "up"),
        response_headers: headers("x-from", "down"),
        ..Filters::default()
    };
    let away = Redirect { status: 308, host: Some("new.example".to_owned()), ..Redirect::default() };
    let routes = vec![
        Route { action: to("one"), methods: vec![http::Method::GET], ..route("one", "/one") },
        Route { action: Action::Forward(api), filters, ..route("api", "/api") },
        Route { action: Action::Redirect(away), ..route("old", "/old") },
        Route {
            action: Action::Respond(Respond { body: "well".to_owned(), ..Respond::default() }),
            ..route("health", "/health")
        },
    ];
    let clusters = vec![named("one", &[one.address]), named("other", &[other.address])];
    let proxy = Proxy::start(model(routes, clusters));
    let mut caller = Caller::connect(proxy.address);
    assert_eq!(caller.ask("GET /one/a?b=c", "").body, "one");
    assert!(one.take()[0].starts_with("GET /one/a?b=c HTTP/1.1\r\nhost: a\r\n"));
    let answer = caller.ask("GET /api/a?b=c", "x-gone: 1\nx-to: me");
    assert_eq!((answer.body.as_str(), answer.field("x-from")), ("other", Some("down")));
    let seen = other.take().remove(0);
    assert!(seen.starts_with("GET /v2/a?b=c HTTP/1.1\r\nhost: inner.example:8080\r\n"), "{seen}");
    assert!(
        seen.contains("\r\nx-to: up\r\n") && !seen.contains("x-gone") && !seen.contains("x-to: me"),
        "{seen}"
    );
    assert!(seen.contains("\r\nx-forwarded-host: a\r\n"), "{seen}");
    let answer = caller.ask("GET /old/x?y", "");
    assert_eq!((answer.status, answer.field("location")), (308, Some("http://new.example/old/x?y")));
    assert_eq!(caller.ask("GET /health", "").body, "well");
    let answer = caller.ask("PUT /one", "");
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET")));
    assert_eq!(caller.ask("GET /nowhere", "").status, 404);
    assert_eq!(caller.ask("GET /one/a%2fb", "").status, 400, "the path can be read in two ways");
    let told = proxy.end();
    let names: Vec<Option<&str>> = told.iter().map(|account| account.route()).collect();
    assert_eq!(names, [Some("one"), Some("api"), Some("old"), Some("health"), None, None, Some("one")]);
}

#[test]
fn a_method_that_a_route_names_passes() {
    let service = Service::start("s");
    let propfind = http::Method::from_bytes(b"PROPFIND").expect("a token");
    let dav = Route { action: to("s"), methods: vec![propfind], ..route("dav", "/dav") };
    let all = Route { action: to("s"), ..route("all", "/") };
    let proxy = Proxy::start(model(vec![dav, all], vec![named("s", &[service.address])]));
    let told = |request: &str| {
        let answer = ask(proxy.address, request, "");
        (answer.status, answer.field("allow").map(str::to_owned))
    };
    let usual = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND";
    assert_eq!(told("PROPFIND /dav"), (200, None));
    assert_eq!(told("PROPFIND /x"), (200, None), "another route takes any that passes");
    assert_eq!(told("PURGE /x"), (405, Some(usual.to_owned())));
}

#[test]
fn limits_count_and_pages_of_other_origins_are_told_so() {
    let service = Service::start("s");
    let limit = RateLimit {
        name: "few".to_owned(),
        requests: 2,
        per: Duration::from_mins(1),
        key: LimitKey::Header("x-key".to_owned()),
        legacy_headers: true,
        ..RateLimit::default()
    };
    let cors = Cors { origins: vec!["https://app.example".to_owned()], ..Cors::default() };
    let filters = Filters { limits: vec![limit], cors: Some(cors), ..Filters::default() };
    let routes = vec![Route { action: to("s"), filters, body_bytes: Some(4), ..route("all", "/") }];
    let proxy = Proxy::start(model(routes, vec![named("s", &[service.address])]));
    let mut caller = Caller::connect(proxy.address);
    let page = "x-key: 1\norigin: https://app.example";
    for left in ["1", "0"] {
        let answer = caller.ask("GET /", page);
        assert_eq!((answer.status, answer.field("x-ratelimit-remaining")), (200, Some(left)));
    }
    let answer = caller.ask("GET /", page);
    assert_eq!(answer.status, 429);
    assert_eq!(
        answer.field("access-control-allow-origin"),
        Some("https://app.example"),
        "a page can read it"
    );
    assert!(
        answer.field("retry-after").is_some_and(|after| after.parse::<u64>().is_ok_and(|after| after >= 30))
    );
    assert_eq!(answer.field("proxy-status"), Some("coreto; error=http_request_denied"));
    assert_eq!(caller.ask("GET /", "x-key: 2").status, 200, "another key");
    let before = service.count();
    let preflight = "x-key: 3\norigin: https://app.example\naccess-control-request-method: GET";
    let answer = caller.ask("OPTIONS /", preflight);
    assert_eq!((answer.status, answer.field("access-control-allow-methods")), (204, Some("GET, HEAD, POST")));
    assert_eq!((before, service.count()), (3, 0));
    assert_eq!(caller.ask("POST /", "x-key: 4\ncontent-length: 5").status, 413, "before it is read");
}

#[test]
fn a_cookie_or_header_keeps_a_client_where_it_is() {
    let services: Vec<Service> = ["a", "b", "c"].map(Service::start).into();
    let addresses: Vec<SocketAddr> = services.iter().map(|service| service.address).collect();
    let sticky = Cluster { balance: Balance::Sticky(Sticky::default()), ..named("sticky", &addresses) };
    let routes = vec![
        Route { action: to("sticky"), ..route("sticky", "/sticky") },
        Route {
            action: split(&[("x", 1), ("y", 1)], SplitBy::Header("x-user".to_owned())),
            ..route("split", "/split")
        },
    ];
    let clusters = vec![sticky, named("x", &addresses[..1]), named("y", &addresses[1..2])];
    let proxy = Proxy::start(model(routes, clusters));
    let mut caller = Caller::connect(proxy.address);
    let first = caller.ask("GET /sticky", "");
    let cookie = first.field("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
    for _ in 0..20 {
        let answer = caller.ask("GET /sticky", &format!("cookie: a=b; {cookie}"));
        assert_eq!((answer.body.as_str(), answer.field("set-cookie")), (first.body.as_str(), None));
    }
    let sides: Vec<String> =
        (0..20).map(|user| caller.ask("GET /split", &format!("x-user: {user}")).body).collect();
    let again: Vec<String> =
        (0..20).map(|user| caller.ask("GET /split", &format!("x-user: {user}")).body).collect();
    assert_eq!(sides, again);
    assert!(sides.contains(&"a".to_owned()) && sides.contains(&"b".to_owned()), "{sides:?}");
}

/// Two endpoints in turns, of which the first fails.
fn two(first: SocketAddr, second: SocketAddr, retry_on: &[RetryOn], outlier: Option<Outlier>) -> Model {
    let cluster = Cluster { balance: Balance::RoundRobin, outlier, ..named("two", &[first, second]) };
    let mut all = Route { action: to("two"), ..route("all", "/") };
    all.retry.on = retry_on.to_vec();
    all.timeouts.per_try = Some(Duration::from_millis(300));
    model(vec![all], vec![cluster])
}

#[test]
fn what_may_happen_twice_is_tried_elsewhere() {
    let (bad, good) = (Service::start("bad"), Service::start("good"));
    bad.failing.store(true, Ordering::Relaxed);
    let all = [RetryOn::Unavailable, RetryOn::PerTry, RetryOn::Reset];
    for (request, fields, on, statuses) in [
        ("GET /", "", &all[..], [200, 200]),
        ("GET /", "", &[], [200, 503]),
        ("POST /", "", &all, [200, 503]),
        ("POST /", "idempotency-key: 1", &all, [200, 200]),
    ] {
        let proxy = Proxy::start(two(bad.address, good.address, on, None));
        let mut caller = Caller::connect(proxy.address);
        let mut found: Vec<u16> = (0..2).map(|_| caller.ask(request, fields).status).collect();
        found.sort_unstable();
        assert_eq!(found, statuses, "{request} {fields} {on:?}");
    }
    bad.take();
    good.take();
    bad.failing.store(false, Ordering::Relaxed);
    let proxy = Proxy::start(two(bad.address, bad.address, &all, None).tap(|model| {
        model.clusters[0].source = Source::Static(vec![Endpoint { address: bad.address, weight: 1 }]);
    }));
    assert_eq!(ask(proxy.address, "GET /hang", "").status, 504);
    assert_eq!(bad.count(), 2, "a try that took too long is made once more");
    assert_eq!(ask(proxy.address, "GET /close", "").status, 502);
    assert_eq!(bad.count(), 2);
    assert_eq!(ask(proxy.address, "POST /close", "").status, 502);
    assert_eq!(bad.count(), 1, "it may have acted");
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Model {}

#[test]
fn retries_are_no_more_than_the_budget_allows() {
    let bad = Service::start("bad");
    bad.failing.store(true, Ordering::Relaxed);
    let model = two(bad.address, closed(), &[RetryOn::Unavailable], None).tap(|model| {
        model.clusters[0].source = Source::Static(vec![Endpoint { address: bad.address, weight: 1 }]);
        model.clusters[0].budget = Budget { percent: 20, reserve_per_second: 0 };
    });
    let proxy = Proxy::start(model);
    let mut caller = Caller::connect(proxy.address);
    for _ in 0..100 {
        assert_eq!(caller.ask("GET /", "").status, 503, "the last answer passes");
    }
    assert_eq!(bad.count(), 120);
    let denied = proxy.plane.in_force().upstreams()[0].counts().retries_denied.load(Ordering::Relaxed);
    assert_eq!(denied, 80);
}

#[test]
fn an_endpoint_that_fails_is_left_out_and_comes_back_by_one_request() {
    let (bad, good) = (Service::start("bad"), Service::start("good"));
    bad.failing.store(true, Ordering::Relaxed);
    let outlier = Outlier {
        failures: 2,
        base: Duration::from_millis(300),
        longest: Duration::from_secs(1),
        ..Outlier::default()
    };
    let proxy = Proxy::start(two(bad.address, good.address, &[], Some(outlier)).tap(|model| {
        model.clusters[0].panic_percent = 0;
    }));
    let mut caller = Caller::connect(proxy.address);
    let failed = (0..20).filter(|_| caller.ask("GET /", "").status == 503).count();
    assert!((2..=4).contains(&failed), "{failed} requests went to the one that fails");
    bad.failing.store(false, Ordering::Relaxed);
    until("it is back", || {
        ask(proxy.address, "GET /", "");
        let members = proxy.plane.in_force().upstreams()[0].members();
        members.iter().all(|(_, fitness)| *fitness == coreto_proxy::balance::Fitness::Fit)
    });
}

#[test]
fn an_endpoint_that_fails_its_checks_gets_nothing() {
    let (bad, good) = (Service::start("bad"), Service::start("good"));
    bad.failing.store(true, Ordering::Relaxed);
    let health = Health {
        interval: Duration::from_millis(100),
        timeout: Duration::from_millis(100),
        fall: 1,
        rise: 1,
        ..Health::default()
    };
    let proxy = Proxy::start(two(bad.address, good.address, &[], None).tap(|model| {
        model.clusters[0].health = Some(health);
    }));
    let fit = || {
        let members = proxy.plane.in_force().upstreams()[0].members();
        members.iter().filter(|(_, fitness)| *fitness == coreto_proxy::balance::Fitness::Fit).count()
    };
    until("the bad one is found", || fit() == 1);
    let mut caller = Caller::connect(proxy.address);
    assert!((0..10).all(|_| caller.ask("GET /", "").body == "good"));
    bad.failing.store(false, Ordering::Relaxed);
    until("it is well again", || fit() == 2);
}

#[test]
fn a_cluster_has_no_more_requests_and_connections_than_it_may() {
    let service = Service::start("s");
    let full = Cluster {
        circuit: Circuit { requests: 1, ..Circuit::default() },
        ..named("full", &[service.address])
    };
    let narrow = Cluster {
        circuit: Circuit { connections: 2, ..Circuit::default() },
        protocol: Protocol::Auto,
        ..named("narrow", &[service.address])
    };
    let routes = vec![
        Route { action: to("full"), ..route("full", "/full") },
        Route { action: to("narrow"), ..route("narrow", "/narrow") },
    ];
    let proxy = Proxy::start(model(routes, vec![full, narrow]));
    let mut slow = Caller::connect(proxy.address);
    slow.send("GET /full/slow", "");
    until("it is there", || !service.take().is_empty());
    let answer = ask(proxy.address, "GET /full", "");
    assert_eq!((answer.status, answer.field("retry-after")), (503, Some("1")));
    assert_eq!(answer.field("proxy-status"), Some("coreto; error=connection_limit_reached"));
    assert_eq!(slow.receive().expect("an answer").status, 200);
    let before = service.connections.load(Ordering::Relaxed);
    let mut callers: Vec<Caller> = (0..4).map(|_| Caller::connect(proxy.address)).collect();
    for caller in &mut callers {
        caller.send("GET /narrow/slow", "");
    }
    let statuses: Vec<u16> =
        callers.iter_mut().map(|caller| caller.receive().expect("an answer").status).collect();
    assert_eq!(statuses, [200; 4], "those that had to wait got theirs");
    assert_eq!(service.connections.load(Ordering::Relaxed) - before, 2);
}

#[test]
fn who_asks_is_found_by_those_who_are_believed() {
    let service = Service::start("s");
    let trusted = |networks: &[&str], trusted_hops| Listener {
        trusted_proxies: networks.iter().map(|network| Network::read(network).expect("a network")).collect(),
        trusted_hops,
        ..listener()
    };
    let loopback = "127.0.0.0/8";
    for (public, told, client) in [
        (trusted(&[], 0), "1.1.1.1", "127.0.0.1"),
        (trusted(&["10.0.0.0/8"], 0), "1.1.1.1", "127.0.0.1"),
        (trusted(&[loopback], 0), "1.1.1.1", "1.1.1.1"),
        (trusted(&[loopback], 0), "", "127.0.0.1"),
        (
            trusted(&[loopback, "10.0.0.0/8"], 0),
            "9.9.9.9, 1.1.1.1:80, 10.0.0.1, [::ffff:10.0.0.2]",
            "1.1.1.1",
        ),
        (trusted(&[loopback, "10.0.0.0/8"], 0), "1.1.1.1, nobody, 10.0.0.1", "10.0.0.1"),
        (trusted(&[], 1), "2.2.2.2, 1.1.1.1", "1.1.1.1"),
        (trusted(&[], 2), "2.2.2.2, 1.1.1.1", "2.2.2.2"),
        (trusted(&[], 3), "2.2.2.2, 1.1.1.1", "127.0.0.1"),
    ] {
        let believed = public.trusted_proxies.iter().any(|proxy| proxy.has([127, 0, 0, 1].into()));
        // A number of hops says on which way requests come, and not that each peer may say who asks.
        let way = believed || matches!(public.trusted_hops, 1 | 2);
        let routes = vec![Route { action: to("s"), ..route("all", "/") }];
        let clusters = vec![named("s", &[service.address])];
        let proxy = Proxy::start(Model { listeners: vec![public], routes, clusters });
        let fields = if told.is_empty() { String::new() } else { format!("x-forwarded-for: {told}\n") };
        let answer = ask(
            proxy.address,
            "GET /",
            &format!("{fields}x-request-id: mine\nx_forwarded_host: evil\nx-tenant: north"),
        );
        assert_eq!(answer.status, 200, "{told}: {answer:?}");
        let seen = service.take().remove(0);
        let field = |name: &str| seen.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        assert_eq!(field("x-real-ip"), Some(client), "{told}");
        let chain =
            if way && !told.is_empty() { format!("{told}, 127.0.0.1") } else { "127.0.0.1".to_owned() };
        assert_eq!(field("x-forwarded-for"), Some(chain.as_str()), "{told}");
        assert_eq!(field("x-request-id") == Some("mine"), believed);
        assert_eq!(field("x-tenant").is_some(), believed);
        assert!(!seen.contains("evil"), "{seen}");
        assert_eq!(proxy.end()[0].client.to_string(), client, "{told}");
    }
}

#[test]
fn copies_are_sent_and_nobody_waits_for_them() {
    let (main, copy) = (Service::start("main"), Service::start("copy"));
    let mirror = |unsafe_methods| Mirror {
        cluster: "copy".to_owned(),
        body_bytes: 4,
        unsafe_methods,
        shadow_host: true,
        ..Mirror::default()
    };
    let forward = |mirror| {
        let to = vec![Split { cluster: "main".to_owned(), weight: 1 }];
        Action::Forward(Forward { to, mirror: Some(mirror), ..Forward::default() })
    };
    let routes = vec![
        Route { action: forward(mirror(false)), ..route("safe", "/safe") },
        Route { action: forward(mirror(true)), ..route("all", "/all") },
    ];
    let clusters = vec![named("main", &[main.address]), named("copy", &[copy.address])];
    let proxy = Proxy::start(model(routes, clusters));
    let mut caller = Caller::connect(proxy.address);
    for (request, fields) in [
        ("GET /safe/hang-copy?x=1", "host: shop:80"),
        ("POST /safe", ""),
        ("POST /all", "content-length: 4\n\nbody"),
        ("POST /all", "content-length: 5\n\nbody5"),
    ] {
        assert_eq!(caller.ask(request, fields).body, "main", "{request}");
    }
    assert_eq!(main.count(), 4);
    let mut copies = Vec::new();
    for _ in 0..500 {
        copies.extend(copy.take());
        if copies.len() >= 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(copies.len(), 2, "{copies:?}");
    assert!(
        copies[0].starts_with("GET /safe/hang-copy?x=1 HTTP/1.1\r\nhost: shop-shadow:80\r\n"),
        "{copies:?}"
    );
    assert!(copies[1].starts_with("POST /all ") && copies[1].ends_with("\r\n\r\nbody"), "{copies:?}");
}

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
fn a_drain_lets_requests_end_and_tells_clients_so() {
    let service = Service::start("s");
    let mut public = listener();
    public.clocks.drain = Duration::from_secs(5);
    let routes = vec![Route { action: to("s"), ..route("all", "/") }];
    let model = Model { listeners: vec![public], routes, clusters: vec![named("s", &[service.address])] };
    let proxy = Proxy::start(model);
    let mut idle = Caller::connect(proxy.address);
    idle.ask("GET /", "");
    let mut slow = Caller::connect(proxy.address);
    slow.send("GET /slow", "");
    until("it is there", || service.take().iter().any(|request| request.starts_with("GET /slow")));
    proxy.plane.drain();
    let late = idle.ask("GET /", "");
    assert_eq!((late.status, late.field("connection")), (200, Some("close")), "it was on its way");
    let answer = slow.receive().expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(slow.receive().is_none() && idle.receive().is_none());
    assert_eq!(proxy.end().len(), 3);
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
