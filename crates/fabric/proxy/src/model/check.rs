//! What is a fault in a model, but for what routes ask, which is found when that is compiled.

mod cluster;
mod filter;
mod listener;
mod route;

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::{Fault, Faults, Model};

/// Notes all faults of a model.
pub(super) fn model(model: &Model, faults: &mut Vec<Fault>) {
    names("listener", model.listeners.iter().map(|listener| listener.name.as_str()), faults);
    names("cluster", model.clusters.iter().map(|cluster| cluster.name.as_str()), faults);
    names("route", model.routes.iter().map(|route| route.name.as_str()), faults);
    listener::addresses(&model.listeners, faults);
    for (at, listener) in model.listeners.iter().enumerate() {
        listener::check(listener, &mut Faults::new(faults, format!("listener[{at}]")));
    }
    for (at, cluster) in model.clusters.iter().enumerate() {
        cluster::check(cluster, &mut Faults::new(faults, format!("cluster[{at}]")));
    }
    for (at, route) in model.routes.iter().enumerate() {
        let mut faults = Faults::new(faults, format!("route[{at}]"));
        route::check(route, model, &mut faults);
        filter::check(&route.filters, &mut faults);
    }
    route::doubles(&model.routes, faults);
}

/// Every name is one, and no two of a kind are the same.
fn names<'m>(kind: &str, names: impl Iterator<Item = &'m str>, faults: &mut Vec<Fault>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (at, name) in names.enumerate() {
        let mut faults = Faults::new(faults, format!("{kind}[{at}]"));
        if let Err(message) = label(name) {
            faults.push("name", message);
        } else if seen.insert(name, at).is_some() {
            faults.push("name", format!("another {kind} is called `{name}`"));
        }
    }
}

/// The longest name that metrics and logs carry.
const NAME_BYTES_MAX: usize = 63;

fn label(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() {
        Err("there is no name".to_owned())
    } else if name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) {
        Err(format!("`{name}` is no name: up to {NAME_BYTES_MAX} letters, digits, `-`, `_` and `.`"))
    } else {
        Ok(())
    }
}

/// A time that is over at once would end everything.
fn some_time(duration: Duration, key: &str, faults: &mut Faults<'_>) {
    faults.demand(
        !duration.is_zero(),
        key,
        "no time at all would end every request; write a time, such as `5s`",
    );
}

fn at_least_one(count: u32, key: &str, faults: &mut Faults<'_>) {
    faults.demand(count > 0, key, "0 would refuse everything; write at least 1");
}

fn percent(value: u8, key: &str, faults: &mut Faults<'_>) {
    faults.demand(value <= 100, key, format!("{value} is more than 100 percent"));
}

/// The name of a header.
pub(crate) fn header_name(name: &str) -> Result<HeaderName, String> {
    if name.is_empty() {
        return Err("the name of a header is missing".to_owned());
    }
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no name of a header"))
}

fn header_value(value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value).map_err(|_| {
        format!("`{}` is no value of a header: it has bytes that end or break one", value.escape_debug())
    })
}

/// The name of a cookie.
fn cookie_name(name: &str) -> Result<(), String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() {
        Err("the name of a cookie is missing".to_owned())
    } else if name.bytes().all(token) {
        Ok(())
    } else {
        Err(format!("`{name}` is no name of a cookie"))
    }
}
