//! Every key of the file.

mod cluster;
mod filter;
mod listener;
mod route;

use std::net::SocketAddr;

use coreto_proxy::model::Model;

use crate::visit::Keys;

/// The keys of a whole file.
pub(crate) fn file(keys: &mut impl Keys, model: &mut Model, admin: &mut SocketAddr) {
    keys.table("admin", |keys| keys.value("address", admin));
    keys.tables("listener", &mut model.listeners, listener::listener);
    keys.tables("cluster", &mut model.clusters, cluster::cluster);
    keys.tables("route", &mut model.routes, route::route);
}
