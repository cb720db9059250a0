//! A model, checked and compiled.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;

use super::{Action, Fault, Faults, Listener, Model, Redirect, Route, check};
use crate::filter;
use crate::gate::Limits;
use crate::route::passage::{self, Asked, Passage};
use crate::route::{Entry, Match, Path, Request, Table};

/// What workers act by.
#[derive(Clone, Debug)]
pub struct Plan {
    model: Model,
    entries: Arc<[Entry]>,
    tables: Vec<Table>,
    shares: Vec<Vec<Share>>,
    mirrors: Vec<Option<usize>>,
}

/// A cluster's share of a route, with the cluster by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The cluster's number.
    pub cluster: usize,
    /// Its share of the sum.
    pub weight: u32,
}

impl Plan {
    /// Checks and compiles a model.
    ///
    /// # Errors
    /// All its faults, in the order of its parts.
    pub fn build(model: Model) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        check::model(&model, &mut faults);
        let entries: Vec<Option<Entry>> = model
            .routes
            .iter()
            .enumerate()
            .map(|(at, route)| Entry::compile(route, &mut Faults::new(&mut faults, format!("route[{at}]"))))
            .collect();
        let tables = entries.into_iter().collect::<Option<Vec<Entry>>>().map(|entries| {
            let entries: Arc<[Entry]> = entries.into();
            let tables = tables(&model, &entries, &mut faults);
            (entries, tables)
        });
        let Some((entries, tables)) = tables.filter(|_| faults.is_empty()) else {
            faults.sort_by_key(|fault| place(&fault.at));
            faults.dedup();
            return Err(faults);
        };
        let numbers: HashMap<&str, usize> =
            model.clusters.iter().enumerate().map(|(at, cluster)| (cluster.name.as_str(), at)).collect();
        let shares = model.routes.iter().map(|route| shares(route, &numbers)).collect();
        let mirrors = model.routes.iter().map(|route| mirror(route, &numbers)).collect();
        Ok(Self { model, entries, tables, shares, mirrors })
    }

    /// What was described.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The routes of the listener with this number.
    pub fn table(&self, listener: usize) -> &Table {
        &self.tables[listener]
    }

    /// What passes the gate of the listener with this number: a method that a route names passes, too.
    pub fn limits(&self, listener: usize) -> Limits {
        let listener = &self.model.listeners[listener];
        let mut limits = Limits::of(&listener.bounds);
        let routes = self.model.routes.iter().filter(|route| is_for(route, listener));
        for method in routes.flat_map(|route| &route.methods) {
            if !limits.lists(method) {
                limits.methods.push(method.clone());
            }
        }
        limits
    }

    /// The route whose CORS filter answers a request, and the method that its page asks for: a preflight is for the
    /// route of the request that would follow.
    pub fn preflight(&self, listener: usize, request: &Request<'_>) -> Option<(usize, Method)> {
        let method = filter::preflight(request.method, request.headers)?;
        match self.table(listener).find(&Request { method: &method, ..*request }) {
            Match::Route(route) if self.route(route).filters.cors.is_some() => Some((route, method)),
            Match::Route(_) | Match::OtherMethods(_) | Match::Nothing => None,
        }
    }

    /// The route with this number.
    pub fn route(&self, route: usize) -> &Route {
        &self.model.routes[route]
    }

    /// The clusters of a route with their shares; empty when it does not forward.
    pub fn shares(&self, route: usize) -> &[Share] {
        &self.shares[route]
    }

    /// The cluster that gets copies of a route's requests.
    pub fn mirror(&self, route: usize) -> Option<usize> {
        self.mirrors[route]
    }

    /// What becomes of the path that the route was chosen for.
    pub fn passage<'a>(&self, route: usize, path: &'a Path<'_>) -> Passage<'a> {
        passage::of(self.route(route), &self.entries[route], path)
    }

    /// The URL that a route's redirect leads to.
    pub fn location(&self, route: usize, redirect: &Redirect, asked: &Asked<'_>) -> String {
        passage::location(redirect, &self.entries[route], asked)
    }
}

fn is_for(route: &Route, listener: &Listener) -> bool {
    route.listeners.is_empty() || route.listeners.contains(&listener.name)
}

fn tables(model: &Model, entries: &Arc<[Entry]>, faults: &mut Vec<Fault>) -> Vec<Table> {
    let build = |(at, listener): (usize, &Listener)| {
        let chosen = (0..model.routes.len()).filter(|at| is_for(&model.routes[*at], listener));
        let chosen: Vec<usize> = chosen.collect();
        Table::build(entries, &model.routes, &chosen, &mut Faults::new(faults, format!("listener[{at}]")))
    };
    model.listeners.iter().enumerate().map(build).collect()
}

fn shares(route: &Route, clusters: &HashMap<&str, usize>) -> Vec<Share> {
    let Action::Forward(forward) = &route.action else { return Vec::new() };
    let share =
        |split: &super::Split| Share { cluster: clusters[split.cluster.as_str()], weight: split.weight };
    forward.to.iter().map(share).collect()
}

fn mirror(route: &Route, clusters: &HashMap<&str, usize>) -> Option<usize> {
    let Action::Forward(forward) = &route.action else { return None };
    forward.mirror.as_ref().map(|mirror| clusters[mirror.cluster.as_str()])
}

/// Listeners, then clusters, then routes, each by number.
fn place(at: &str) -> (u8, usize) {
    let kind = ["listener", "cluster", "route"].iter().position(|kind| at.starts_with(kind));
    let number = at
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .and_then(|(number, _)| number.parse().ok());
    (u8::try_from(kind.unwrap_or(3)).unwrap_or(3), number.unwrap_or(0))
}
