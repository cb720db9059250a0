//! Rules and bytes together: what the model says happens to requests on real sockets.

#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/rules.rs"]
mod rules;
#[path = "run/service.rs"]
mod service;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coreto_proxy::model::{
    Action, Balance, Budget, Circuit, Cluster, Cors, Endpoint, Filters, Forward, HeaderChanges, Health,
    LimitKey, Listener, Mirror, Model, Network, Outlier, PathMatch, PathRewrite, Protocol, RateLimit,
    Redirect, Respond, RetryOn, Route, Source, Split, SplitBy, Sticky,
};

use proxy::{Proxy, listener};
use rules::{Tap, closed, model, named, route, split, to, two};
use service::{Caller, Service, ask, until};

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
fn an_expression_takes_no_longer_for_a_path_that_almost_fits() {
    let mut public = listener();
    (public.bounds.target_bytes, public.bounds.header_bytes) = (200 << 10, 400 << 10);
    let own = Action::Respond(Respond { body: "fits".to_owned(), ..Respond::default() });
    let many = PathMatch::Regex("/(a+)+".to_owned());
    let routes = vec![Route { name: "many".to_owned(), path: many, action: own, ..Route::default() }];
    let proxy = Proxy::start(Model { listeners: vec![public], routes, clusters: Vec::new() });
    let path = "a".repeat(100_000);
    // One that goes back would not be done while anybody waits.
    assert_eq!(ask(proxy.address, &format!("GET /{path}"), "").body, "fits");
    assert_eq!(ask(proxy.address, &format!("GET /{path}!"), "").status, 404);
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
fn a_route_that_fails_leaves_others_their_retries() {
    let service = Service::start("s");
    let mut cluster = named("s", &[service.address]);
    cluster.budget = Budget { percent: 20, reserve_per_second: 0 };
    cluster.outlier = None;
    let again = |name: &str| {
        let mut again = Route { action: to("s"), ..route(name, &format!("/{name}")) };
        again.retry.on = vec![RetryOn::Unavailable];
        again
    };
    let proxy = Proxy::start(model(vec![again("orders"), again("reports")], vec![cluster]));
    let mut caller = Caller::connect(proxy.address);
    let mut sent = |path: &str, count: usize| {
        (0..count).for_each(|_| drop(caller.ask(&format!("GET {path}"), "")));
        service.count()
    };
    assert_eq!(sent("/orders", 400), 400);
    service.failing.store(true, Ordering::Relaxed);
    assert_eq!(sent("/reports", 100), 120, "a fifth of its own");
    assert_eq!(sent("/orders", 50), 100, "all of them");
    let tried = proxy.plane.in_force().upstreams()[0].members()[0].0.tries().all.load(Ordering::Relaxed);
    assert_eq!(tried, 620);
}

#[test]
fn what_the_gateway_says_itself_can_be_changed_by_a_rule() {
    let service = Service::start("s");
    let removed = HeaderChanges {
        remove: vec!["x-request-id".to_owned(), "content-type".to_owned()],
        set: vec![("date".to_owned(), "never".to_owned())],
        ..HeaderChanges::default()
    };
    let filters = Filters { response_headers: removed, ..Filters::default() };
    let own = Action::Respond(Respond { body: "well".to_owned(), ..Respond::default() });
    let routes = vec![
        Route { action: to("s"), filters: filters.clone(), ..route("all", "/") },
        Route { action: own, filters, ..route("own", "/own") },
    ];
    let proxy = Proxy::start(model(routes, vec![named("s", &[service.address])]));
    for (path, status) in [("/", 200), ("/503", 503), ("/own", 200)] {
        let answer = ask(proxy.address, &format!("GET {path}"), "");
        let told = ["x-request-id", "content-type", "date"].map(|name| answer.field(name));
        assert_eq!((answer.status, told), (status, [None, None, Some("never")]), "{path}");
    }
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
