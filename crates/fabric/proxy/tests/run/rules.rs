//! Models of several routes and clusters.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::net::SocketAddr;
use std::time::Duration;

use coreto_proxy::model::{
    Action, Balance, Cluster, Forward, Model, Outlier, PathMatch, Protocol, RetryOn, Route, Split, SplitBy,
};

use super::proxy::{cluster, listener};

pub(crate) fn route(name: &str, prefix: &str) -> Route {
    Route { name: name.to_owned(), path: PathMatch::Prefix(prefix.to_owned()), ..Route::default() }
}

pub(crate) fn to(cluster: &str) -> Action {
    split(&[(cluster, 1)], SplitBy::Request)
}

pub(crate) fn split(shares: &[(&str, u32)], split_by: SplitBy) -> Action {
    let share = |(cluster, weight): &(&str, u32)| Split { cluster: (*cluster).to_owned(), weight: *weight };
    Action::Forward(Forward { to: shares.iter().map(share).collect(), split_by, ..Forward::default() })
}

pub(crate) fn named(name: &str, endpoints: &[SocketAddr]) -> Cluster {
    Cluster { name: name.to_owned(), ..cluster(endpoints, Protocol::Http1) }
}

pub(crate) fn model(routes: Vec<Route>, clusters: Vec<Cluster>) -> Model {
    Model { listeners: vec![listener()], routes, clusters }
}

/// A port that refuses.
pub(crate) fn closed() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
}

/// Two endpoints in turns, of which the first fails.
pub(crate) fn two(
    first: SocketAddr,
    second: SocketAddr,
    retry_on: &[RetryOn],
    outlier: Option<Outlier>,
) -> Model {
    let cluster = Cluster { balance: Balance::RoundRobin, outlier, ..named("two", &[first, second]) };
    let mut all = Route { action: to("two"), ..route("all", "/") };
    all.retry.on = retry_on.to_vec();
    all.timeouts.per_try = Some(Duration::from_millis(300));
    model(vec![all], vec![cluster])
}

pub(crate) trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Model {}
