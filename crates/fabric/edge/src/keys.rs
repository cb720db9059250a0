//! Every key of the file.

mod acme;
mod catalog;
mod cluster;
mod filter;
mod listener;
mod route;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use coreto_proxy::model::Model;

use crate::acme::Acme;
use crate::catalog::Seat;
use crate::visit::Keys;

/// What a file says beside the model of the data plane.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// Where the gateway's management is served.
    pub(crate) admin: SocketAddr,
    /// How long it says that it drains before it does.
    pub(crate) pre_drain: Duration,
    /// Where the catalog of services is, and how it is asked.
    pub(crate) catalog: Seat,
    /// From whom certificates are ordered.
    pub(crate) acme: Option<Acme>,
}

const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9901);

impl Default for Own {
    fn default() -> Self {
        Self { admin: ADMIN, pre_drain: Duration::ZERO, catalog: Seat::default(), acme: None }
    }
}

/// The keys of a whole file.
pub(crate) fn file<K: Keys>(keys: &mut K, model: &mut Model, own: &mut Own) {
    keys.table("admin", |keys| {
        keys.value("address", &mut own.admin);
        keys.value("pre-drain", &mut own.pre_drain);
    });
    keys.table("catalog", |keys| catalog::catalog(keys, &mut own.catalog));
    // At the top of a file nothing is turned off.
    if !keys.writes() || own.acme.is_some() {
        keys.switch("acme", &mut own.acme, acme::acme);
    }
    keys.tables("listener", &mut model.listeners, listener::listener);
    keys.tables("cluster", &mut model.clusters, cluster::cluster);
    keys.tables("route", &mut model.routes, route::route);
}
