//! Reads the cases and runs them.

use coreto_proxy::model::{
    Action, Cluster, EncodedSlash, Endpoint, FieldMatch, Forward, Listener, Model, PathMatch, PathMode,
    PathRewrite, Plan, Redirect, Route, Scheme, Source, Split, ValueMatch,
};
use coreto_proxy::route::{Asked, Contest, Match, Passage, Path, Request};
use http::{HeaderMap, HeaderName, Method};

/// A claim with its routes and requests.
pub(crate) struct Block {
    routes: Vec<Route>,
    shuffled: bool,
    pub(crate) requests: Vec<String>,
}

impl Block {
    pub(crate) fn read_all(text: &str) -> Vec<Self> {
        text.split("\n\n").map(Self::read).collect()
    }

    fn read(text: &str) -> Self {
        let (head, requests) = text.split_once("----\n").expect("a block has a line `----`");
        let lines = || head.lines().filter(|line| !line.starts_with('#'));
        let routes = lines().filter_map(|line| line.strip_prefix("route ")).map(route).collect();
        let shuffled = lines().any(|line| line == "shuffled");
        Self { routes, shuffled, requests: requests.lines().map(str::to_owned).collect() }
    }

    /// The requests that did not end as they should: line, expected, found.
    pub(crate) fn run(&self) -> Vec<(String, String, String)> {
        let mut orders = vec![self.routes.clone()];
        if self.shuffled {
            for turn in 1..self.routes.len() {
                let mut turned = self.routes.clone();
                turned.rotate_left(turn);
                orders.push(turned.iter().rev().cloned().collect());
                orders.push(turned);
            }
        }
        let mut failures = Vec::new();
        for routes in orders {
            let plan = plan(routes);
            for line in &self.requests {
                let (request, expected) = line.split_once(" → ").expect("a request has an arrow");
                let found = run(&plan, request, expected);
                if found != expected {
                    failures.push((line.clone(), expected.to_owned(), found));
                }
            }
        }
        failures
    }
}

/// A plan with these routes, all to one cluster.
pub(crate) fn plan(routes: Vec<Route>) -> Plan {
    let endpoint = Endpoint { address: "127.0.0.1:9001".parse().unwrap(), weight: 1 };
    let cluster =
        Cluster { name: "c".to_owned(), source: Source::Static(vec![endpoint]), ..Cluster::default() };
    let listener = Listener { name: "l".to_owned(), ..Listener::default() };
    let model = Model { listeners: vec![listener], routes, clusters: vec![cluster] };
    Plan::build(model).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// `NAME key=value …`.
pub(crate) fn route(text: &str) -> Route {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let mut route = Route { name: words.next().unwrap().replace('é', "e"), ..Route::default() };
    let mut rewrite = None;
    for word in words {
        let (key, value) = word.split_once('=').expect("a word is `key=value`");
        let list = || value.split(',').map(str::to_owned);
        match key {
            "host" => route.hosts = list().collect(),
            "path" => route.path = PathMatch::Exact(value.to_owned()),
            "template" => route.path = PathMatch::Template(value.to_owned()),
            "prefix" => route.path = PathMatch::Prefix(value.to_owned()),
            "regex" => route.path = PathMatch::Regex(value.to_owned()),
            "method" => route.methods = list().map(|name| name.parse().unwrap()).collect(),
            "header" => route.headers = list().map(field).collect(),
            "query" => route.query = list().map(field).collect(),
            "priority" => route.priority = value.parse().unwrap(),
            "mode" => {
                route.path_mode = if value == "reject" { PathMode::Reject } else { PathMode::Normalized }
            }
            "slash" => {
                route.encoded_slash =
                    if value == "keep" { EncodedSlash::Keep } else { EncodedSlash::Redirect }
            }
            "to-prefix" => rewrite = Some(PathRewrite::Prefix(value.to_owned())),
            "to-path" => rewrite = Some(PathRewrite::Template(value.to_owned())),
            "redirect" => route.action = Action::Redirect(redirect(value)),
            _ => panic!("`{key}` is no key of a route"),
        }
    }
    if let Action::Forward(_) = route.action {
        let to = vec![Split { cluster: "c".to_owned(), weight: 1 }];
        route.action = Action::Forward(Forward { to, path: rewrite, ..Forward::default() });
    }
    route
}

fn field(text: String) -> FieldMatch {
    if let Some((name, value)) = text.split_once(':') {
        return FieldMatch { name: name.to_owned(), value: ValueMatch::Exact(value.to_owned()) };
    }
    match text.split_once('~') {
        Some((name, regex)) => {
            FieldMatch { name: name.to_owned(), value: ValueMatch::Regex(regex.to_owned()) }
        }
        None => FieldMatch { name: text, value: ValueMatch::Present },
    }
}

fn redirect(text: &str) -> Redirect {
    let mut parts = text.split(',');
    let mut redirect = Redirect { status: parts.next().unwrap().parse().unwrap(), ..Redirect::default() };
    for part in parts {
        let (key, value) = part.split_once('=').expect("a part is `key=value`");
        match key {
            "scheme" => redirect.scheme = Some(if value == "https" { Scheme::Https } else { Scheme::Http }),
            "host" => redirect.host = Some(value.to_owned()),
            "port" => redirect.port = Some(value.parse().unwrap()),
            "prefix" => redirect.path = Some(PathRewrite::Prefix(value.to_owned())),
            _ => panic!("`{key}` is no part of a redirect"),
        }
    }
    redirect
}

/// What becomes of a request, told as far as the case tells it.
fn run(plan: &Plan, request: &str, expected: &str) -> String {
    let mut words = request.split(' ');
    let method: Method = words.next().unwrap().parse().unwrap();
    let (host, port) = authority(words.next().unwrap());
    let target = words.next().unwrap();
    let (raw, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let headers: HeaderMap = words
        .map(|word| {
            let (name, value) = word.split_once(':').unwrap();
            (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
        })
        .collect();
    let path = Path::read(raw);
    let request = Request { host, path: &path, query, method: &method, headers: &headers };
    let found = plan.table(0).find(&request);
    let winner = Contest::hold(plan.table(0), &request).winner();
    let route = match found {
        Match::Route(route) => route,
        Match::OtherMethods(methods) => {
            let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
            return format!("405 {}", names.join(","));
        }
        Match::Nothing => return "404".to_owned(),
    };
    assert_eq!(winner, Some(route), "the contest disagrees about {target}");
    let name = &plan.route(route).name.replace("cafe", "café");
    if !expected.contains(' ') {
        return name.clone();
    }
    if let Action::Redirect(redirect) = &plan.route(route).action {
        let asked = Asked { scheme: Scheme::Http, host, port, path: &path, query };
        return format!("{name} {} {}", redirect.status, plan.location(route, redirect, &asked));
    }
    match plan.passage(route, &path) {
        Passage::Forward(path) => format!("{name} as {path}"),
        Passage::Redirect(path) => format!("{name} moved {path}"),
        Passage::Refuse(why) => format!("{name} refused {why:?}"),
    }
}

fn authority(text: &str) -> (&str, Option<u16>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port.parse().unwrap())),
        _ => (text, None),
    }
}
