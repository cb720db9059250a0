//! All routes of a listener, so laid out that few of them are looked at.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use http::Method;
use regex::{Regex, RegexSet};

use super::entry::Entry;
use super::host::{HostPattern, canonical};
use super::pattern::{Pattern, anchored};
use super::tree::Node;
use super::{Match, Request};
use crate::model::{Faults, PathMatch, Route};

/// More expressions for one host are refused: each costs every request that no other route takes.
pub(crate) const REGEXES_MAX: usize = 100;

/// The routes of one listener.
#[derive(Clone, Debug)]
pub struct Table {
    entries: Arc<[Entry]>,
    /// The routes of the listener, by number.
    routes: Vec<usize>,
    exact: HashMap<String, Site>,
    suffix: HashMap<String, Site>,
    any: Site,
}

/// The routes of one host.
#[derive(Clone, Debug, Default)]
struct Site {
    tree: Node,
    /// Expressions, and their routes in the order of precedence.
    regexes: Regexes,
    regex_routes: Vec<usize>,
}

/// What finds the expressions that fit.
#[derive(Clone, Debug, Default)]
enum Regexes {
    #[default]
    None,
    /// That of the route itself.
    One(Regex),
    /// All at once.
    Many(RegexSet),
}

impl Table {
    /// Lays out some of the routes, which are named by their numbers.
    pub(crate) fn build(
        entries: &Arc<[Entry]>,
        routes: &[Route],
        chosen: &[usize],
        faults: &mut Faults<'_>,
    ) -> Self {
        let mut order = chosen.to_vec();
        order.sort_by_key(|route| (entries[*route].looseness(), *route));
        let mut hosts: HashMap<&HostPattern, Vec<usize>> = HashMap::new();
        for route in order {
            for host in &entries[route].hosts {
                let list = hosts.entry(host).or_default();
                if list.last() != Some(&route) {
                    list.push(route);
                }
            }
        }
        let mut table = Self {
            entries: Arc::clone(entries),
            routes: chosen.to_vec(),
            exact: HashMap::new(),
            suffix: HashMap::new(),
            any: Site::default(),
        };
        for (host, list) in hosts {
            match Site::build(entries, routes, &list) {
                Err(message) => faults.push("hosts", format!("`{host}` {message}")),
                Ok(site) => match host {
                    HostPattern::Exact(name) => drop(table.exact.insert(name.clone(), site)),
                    HostPattern::Suffix(suffix) => drop(table.suffix.insert(suffix.clone(), site)),
                    HostPattern::Any => table.any = site,
                },
            }
        }
        table
    }

    /// The route that takes a request.
    pub fn find(&self, request: &Request<'_>) -> Match {
        let found = self.search(request, &mut |routes| {
            routes.iter().copied().find(|route| {
                let entry = &self.entries[*route];
                entry.fits_method(request.method) && entry.fits_fields(request)
            })
        });
        match found {
            Some(route) => Match::Route(route),
            None => self.other_methods(request),
        }
    }

    /// What the method of a request that no route takes should have been.
    fn other_methods(&self, request: &Request<'_>) -> Match {
        let mut allowed: BTreeSet<&str> = BTreeSet::new();
        let _: Option<()> = self.search(request, &mut |routes| {
            let fitting =
                routes.iter().map(|route| &self.entries[*route]).filter(|entry| entry.fits_fields(request));
            allowed.extend(fitting.flat_map(|entry| entry.methods.iter().map(Method::as_str)));
            None
        });
        if allowed.is_empty() {
            return Match::Nothing;
        }
        let method = |name: &str| Method::from_bytes(name.as_bytes()).expect("it is the name of a method");
        Match::OtherMethods(allowed.into_iter().map(method).collect())
    }

    /// Offers the lists of routes whose host and path fit, the most precise first, until one is taken.
    fn search<T>(&self, request: &Request<'_>, take: &mut impl FnMut(&[usize]) -> Option<T>) -> Option<T> {
        let host = canonical(request.host);
        let path = request.path.normal();
        let exact = self.exact.get(host.as_ref());
        if let Some(found) = exact.and_then(|site| site.search(path, take)) {
            return Some(found);
        }
        if !self.suffix.is_empty() {
            for (at, _) in host.match_indices('.').filter(|(at, _)| *at > 0) {
                let site = self.suffix.get(&host[at..]);
                if let Some(found) = site.and_then(|site| site.search(path, take)) {
                    return Some(found);
                }
            }
        }
        self.any.search(path, take)
    }

    /// The routes of the listener by number, with what they ask.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.routes.iter().map(|route| (*route, &self.entries[*route]))
    }
}

impl Site {
    /// The routes come with the more precise first, those with expressions among them in no order of priority yet.
    fn build(entries: &[Entry], routes: &[Route], list: &[usize]) -> Result<Self, String> {
        let mut site = Self::default();
        for route in list {
            match &entries[*route].pattern {
                Pattern::Regex(_) => site.regex_routes.push(*route),
                pattern => site.tree.insert(pattern, *route),
            }
        }
        if site.regex_routes.len() > REGEXES_MAX {
            return Err(format!(
                "has {} routes with a regex; at most {REGEXES_MAX} are taken",
                site.regex_routes.len()
            ));
        }
        site.regex_routes.sort_by_key(|route| std::cmp::Reverse(entries[*route].priority));
        site.regexes = match site.regex_routes[..] {
            [] => Regexes::None,
            [only] => match &entries[only].pattern {
                Pattern::Regex(regex) => Regexes::One(regex.clone()),
                Pattern::Whole(_) | Pattern::Prefix(_) => Regexes::None,
            },
            [..] => Regexes::Many(set(routes, &site.regex_routes)?),
        };
        Ok(site)
    }

    fn search<T>(&self, path: &str, take: &mut impl FnMut(&[usize]) -> Option<T>) -> Option<T> {
        let found = self.tree.search(path, take);
        if found.is_some() || self.regex_routes.is_empty() {
            return found;
        }
        match &self.regexes {
            Regexes::None => None,
            Regexes::One(regex) => regex.is_match(path).then(|| take(&self.regex_routes))?,
            Regexes::Many(set) => {
                set.matches(path).into_iter().find_map(|at| take(&self.regex_routes[at..=at]))
            }
        }
    }
}

/// The expressions of routes, to be searched together.
fn set(routes: &[Route], list: &[usize]) -> Result<RegexSet, String> {
    let texts = list.iter().filter_map(|route| match &routes[*route].path {
        PathMatch::Regex(text) => Some(anchored(text)),
        PathMatch::Exact(_) | PathMatch::Template(_) | PathMatch::Prefix(_) => None,
    });
    RegexSet::new(texts)
        .map_err(|error| format!("has routes whose regexes cannot be searched together: {error}"))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::model::{Action, Forward, Listener, Model, Plan, Split};
    use crate::route::Path;

    fn plan(paths: impl Iterator<Item = (Vec<String>, PathMatch)>) -> Plan {
        let routes = paths.enumerate().map(|(at, (hosts, path))| Route {
            name: format!("r{at}"),
            hosts,
            path,
            action: Action::Forward(Forward {
                to: vec![Split { cluster: "c".to_owned(), weight: 1 }],
                ..Forward::default()
            }),
            ..Route::default()
        });
        let cluster = crate::model::Cluster {
            name: "c".to_owned(),
            source: crate::model::Source::Static(vec![crate::model::Endpoint {
                address: "127.0.0.1:1".parse().unwrap(),
                weight: 1,
            }]),
            ..Default::default()
        };
        let listener = Listener { name: "l".to_owned(), ..Listener::default() };
        Plan::build(Model { routes: routes.collect(), listeners: vec![listener], clusters: vec![cluster] })
            .unwrap()
    }

    fn offered(plan: &Plan, host: &str, path: &str) -> usize {
        let path = Path::read(path);
        let headers = HeaderMap::new();
        let request = Request { host, path: &path, query: None, method: &Method::GET, headers: &headers };
        let mut offered = 0;
        let _: Option<()> = plan.table(0).search(&request, &mut |routes| {
            offered += routes.len();
            None
        });
        offered
    }

    #[test]
    fn looks_at_few_of_many_routes() {
        let prefixes = (0..1_000).map(|at| (Vec::new(), PathMatch::Prefix(format!("/s{at}/v1"))));
        assert_eq!(offered(&plan(prefixes), "a", "/s500/v1/x"), 1);
        let hosts = (0..1_000).map(|at| (vec![format!("h{at}.example")], PathMatch::default()));
        assert_eq!(offered(&plan(hosts), "h500.example", "/x"), 1);
        let templates = (0..1_000).map(|at| (Vec::new(), PathMatch::Template(format!("/a/{{id}}/s{at}"))));
        assert_eq!(offered(&plan(templates), "a", "/a/7/s500"), 1);
    }

    #[test]
    fn refuses_more_regexes_for_a_host_than_each_request_should_pay_for() {
        let routes = |count: usize| -> Vec<Route> {
            let regex = |at| Route { path: PathMatch::Regex(format!("/{at}")), ..Route::default() };
            (0..count).map(regex).collect()
        };
        for (count, faults) in [(REGEXES_MAX, 0), (REGEXES_MAX + 1, 1)] {
            let (routes, mut found) = (routes(count), Vec::new());
            let mut noted = Faults::new(&mut found, "listener[0]".to_owned());
            let entries: Arc<[Entry]> =
                routes.iter().map(|route| Entry::compile(route, &mut noted).unwrap()).collect();
            Table::build(&entries, &routes, &(0..count).collect::<Vec<_>>(), &mut noted);
            assert_eq!(found.len(), faults, "{found:?}");
        }
    }
}
