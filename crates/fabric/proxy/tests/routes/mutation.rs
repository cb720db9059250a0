//! Random tables and random requests: the search agrees with asking one route after the other, and nothing panics.
//! `ROUTE_SEED=n` repeats a failure, `ROUTE_TABLES=n` makes more of them.

use coreto_proxy::chance::Dice;
use coreto_proxy::model::{Plan, Route};
use coreto_proxy::route::{Contest, Match, Miss, Path, Request};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::script;

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("it is a number"))
}

fn pick<'a>(dice: &mut Dice, list: &[&'a str]) -> &'a str {
    list[dice.index(list.len())]
}

fn random_route(dice: &mut Dice, number: usize) -> Route {
    let mut words = vec![format!("r{number}")];
    match dice.below(5) {
        0 => words.push(format!("path={}", some_path(dice, &["a", "b", "c", ""]))),
        1 => words.push(format!("template={}{}", template(dice), pick(dice, &["", "", "/{t*}", "/"]))),
        2 => words.push(format!("prefix={}", some_path(dice, &["a", "b", "c"]))),
        3 => {
            words.push(format!("regex=/[ab]/{}", pick(dice, &[".*", "a?", "(b|c)/?"])));
            words.push(format!("priority={}", dice.below(3)));
        }
        _ => {}
    }
    for (one_in, key, values) in [
        (2, "host", &["a.x", "b.a.x", "*.x", "*.a.x", "*", "a.x,*.a.x"][..]),
        (3, "method", &["GET", "POST", "GET,PUT"]),
        (3, "header", &["x-a", "x-a:1", "x-a,x-b", "x-b~[12]+"]),
        (3, "query", &["v", "v:1", "v,w", "w~.?"]),
    ] {
        if dice.below(one_in) == 0 {
            words.push(format!("{key}={}", pick(dice, values)));
        }
    }
    script::route(&words.join(" "))
}

/// Up to four of the parts.
fn some_path(dice: &mut Dice, parts: &[&str]) -> String {
    let chosen: Vec<&str> = (0..=dice.below(3)).map(|_| pick(dice, parts)).collect();
    format!("/{}", chosen.join("/"))
}

fn template(dice: &mut Dice) -> String {
    let count = 1 + dice.index(3);
    let part = |at| if dice.below(2) == 0 { format!("/{{v{at}}}") } else { "/a".to_owned() };
    (0..count).map(part).collect()
}

/// A plan of routes of which no two ask the same.
fn random_plan(dice: &mut Dice) -> Plan {
    let mut routes: Vec<Route> = Vec::new();
    for number in 0..=dice.index(20) {
        let route = random_route(dice, number);
        let same = |other: &Route| {
            Route { name: String::new(), priority: 0, ..other.clone() }
                == Route { name: String::new(), priority: 0, ..route.clone() }
        };
        if !routes.iter().any(same) {
            routes.push(route);
        }
    }
    script::plan(routes)
}

#[test]
fn the_search_agrees_with_asking_each_route() {
    let seed = variable("ROUTE_SEED", 1);
    let mut dice = Dice::seeded(seed);
    let mut matched = 0;
    for table in 0..variable("ROUTE_TABLES", 1_500) {
        let plan = random_plan(&mut dice);
        for _ in 0..30 {
            matched += u32::from(agrees(&plan, &mut dice, &format!("seed {seed}, table {table}")));
        }
    }
    assert!(matched > 1_000, "only {matched} requests found a route");
}

/// Whether the request found a route.
fn agrees(plan: &Plan, dice: &mut Dice, said: &str) -> bool {
    let parts = ["a", "b", "c", "", ".", "..", "%61", "%2f", "é", "a;x", "..;"];
    let raw = some_path(dice, &parts);
    let path = Path::read(&raw);
    let method: Method = pick(dice, &["GET", "POST", "PUT"]).parse().unwrap();
    let mut headers = HeaderMap::new();
    for _ in 0..dice.below(4) {
        let name: HeaderName = pick(dice, &["x-a", "x-b", "x-c"]).parse().unwrap();
        headers
            .append(name, HeaderValue::from_bytes(pick(dice, &["1", "2", "", "\u{e9}"]).as_bytes()).unwrap());
    }
    let host = pick(dice, &["a.x", "A.X.", "b.a.x", "c.b.a.x", "x", "", ".", "..x", "[::1]"]);
    let query = pick(dice, &["", "v", "v=1", "v=1&w", "w=%", "&&=&v=+", "%76=%31"]);
    let query = Some(query).filter(|query| !query.is_empty());
    let request = Request { host, path: &path, query, method: &method, headers: &headers };
    let contest = Contest::hold(plan.table(0), &request);
    let only_method = |misses: &Vec<Miss>| *misses == [Miss::Method];
    match plan.table(0).find(&request) {
        Match::Route(route) => {
            assert_eq!(contest.winner(), Some(route), "{said}: {method} {host} {raw} {query:?} {headers:?}");
            drop(plan.passage(route, &path));
            true
        }
        found @ (Match::OtherMethods(_) | Match::Nothing) => {
            assert_eq!(contest.winner(), None, "{said}: {method} {host} {raw} {query:?} {headers:?}");
            let other =
                contest.entrants.iter().any(|entrant| entrant.verdict.as_ref().is_err_and(only_method));
            assert_eq!(other, found != Match::Nothing, "{said}: {method} {host} {raw} {query:?} {headers:?}");
            false
        }
    }
}

#[test]
fn bytes_changed_at_random_never_panic() {
    let seed = variable("ROUTE_SEED", 1);
    let mut dice = Dice::seeded(seed);
    let plan = script::plan(vec![
        script::route("one template=/orders/{id}/{rest*} slash=keep to-path=/{rest}/{id}"),
        script::route("two regex=/(?P<a>a+)+/(?P<b>.*) slash=redirect"),
        script::route("three prefix=/x slash=keep to-prefix=/y query=v~.+ header=x-a~.+"),
        script::route("four prefix=/x/y mode=normalized"),
    ]);
    let seeds = ["/orders/7/a/b?x=1", "/aaa/b//../%2f", "/x/y/..;/\\?v=%41+", "/x?v=1&v=2"];
    let mut passed = 0;
    for _ in 0..20_000 {
        let mut target = pick(&mut dice, &seeds).to_owned().into_bytes();
        for _ in 0..dice.below(4) {
            let at = dice.index(target.len());
            match dice.below(3) {
                0 => target[at] = b"/%.?&=;\\2fFeE*+"[dice.index(15)],
                1 => drop(target.remove(at)),
                _ => target.insert(at, u8::try_from(0x21 + dice.below(0x5e)).unwrap()),
            }
        }
        let target = String::from_utf8(target).unwrap();
        let (raw, query) =
            target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
        let path = Path::read(raw);
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-a"), HeaderValue::from_static("1"))]);
        let request = Request { host: "a", path: &path, query, method: &Method::GET, headers: &headers };
        if let Match::Route(route) = plan.table(0).find(&request) {
            drop(plan.passage(route, &path));
            passed += 1;
        }
    }
    assert!(passed > 5_000, "only {passed} requests found a route");
}
