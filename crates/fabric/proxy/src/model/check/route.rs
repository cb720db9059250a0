//! Faults of what routes do.

use std::collections::HashMap;

use http::Method;

use super::{cookie_name, header_name, header_value, percent, some_time};
use crate::model::{
    Action, Fault, Faults, Forward, Model, PathMatch, Redirect, Respond, Route, Split, SplitBy,
};
use crate::route::HostPattern;

/// More tries than this are load, not help.
const ATTEMPTS_MAX: u32 = 3;
/// The longest body that is kept for another try, or copied.
const KEPT_BYTES_MAX: u64 = 1 << 20;
/// The longest answer of our own.
const BODY_BYTES_MAX: usize = 64 << 10;

pub(super) fn check(route: &Route, model: &Model, faults: &mut Faults<'_>) {
    for name in &route.listeners {
        let known = model.listeners.iter().any(|listener| listener.name == *name);
        faults.demand(known, "listeners", format!("there is no listener `{name}`"));
    }
    if route.methods.contains(&Method::CONNECT) || route.methods.contains(&Method::TRACE) {
        faults.push("methods", "CONNECT and TRACE are never routed");
    }
    let ranked = route.priority == 0 || matches!(route.path, PathMatch::Regex(_));
    faults.demand(
        ranked,
        "priority",
        "only routes with a `regex` have a priority: others go by how much they say",
    );
    match &route.action {
        Action::Forward(forward) => check_forward(forward, model, faults),
        Action::Redirect(redirect) => check_redirect(redirect, faults),
        Action::Respond(respond) => check_respond(respond, faults),
    }
    let timeouts = &route.timeouts;
    some_time(timeouts.total, "timeouts.total", faults);
    some_time(timeouts.idle, "timeouts.idle", faults);
    some_time(timeouts.upgrade_idle, "timeouts.upgrade-idle", faults);
    if let Some(per_try) = timeouts.per_try {
        some_time(per_try, "timeouts.per-try", faults);
        let fits = per_try <= timeouts.total;
        faults.demand(fits, "timeouts.per-try", "one try is not longer than all of them, `total`");
    }
    let attempts = route.retry.attempts;
    let fits = attempts <= ATTEMPTS_MAX;
    faults.demand(fits, "retry.attempts", format!("{attempts} is more than {ATTEMPTS_MAX}"));
    let fits = route.retry.body_bytes <= KEPT_BYTES_MAX;
    faults.demand(fits, "retry.body-bytes", "at most 1 MiB of a body is kept for another try");
    for upgrade in &route.upgrades {
        let message =
            format!("`{upgrade}` is no protocol that a connection is upgraded to here; write `websocket`");
        faults.demand(is_upgrade(upgrade), "upgrades", message);
    }
}

/// A protocol by its registered name. HTTP itself and TLS are none, and neither is what no client says of `websocket`.
fn is_upgrade(name: &str) -> bool {
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let folded = folded.to_ascii_lowercase();
    let misspelt = folded.starts_with("ws") || folded.starts_with("websock");
    header_name(name).is_ok()
        && !matches!(name, "h2c" | "h2" | "tls")
        && (!misspelt || name.eq_ignore_ascii_case("websocket"))
}

fn check_forward(forward: &Forward, model: &Model, faults: &mut Faults<'_>) {
    let known = |name: &str| !name.is_empty() && model.clusters.iter().any(|cluster| cluster.name == name);
    let unknown = |name: &str| match name {
        "" => "the name of a cluster is missing".to_owned(),
        name => format!("there is no cluster `{name}`"),
    };
    faults.demand(
        !forward.to.is_empty(),
        "to",
        "there is nothing to do: write `to`, `split`, `redirect` or `respond`",
    );
    for (at, split) in forward.to.iter().enumerate() {
        let key = if forward.to.len() == 1 { "to".to_owned() } else { format!("split[{at}].cluster") };
        faults.demand(known(&split.cluster), &key, unknown(&split.cluster));
        let same = |other: &Split| other.cluster == split.cluster && !split.cluster.is_empty();
        let twice = forward.to[..at].iter().any(same);
        faults.demand(!twice, &key, format!("cluster `{}` is there twice", split.cluster));
    }
    match &forward.split_by {
        SplitBy::Request | SplitBy::Client => {}
        SplitBy::Header(name) => drop(faults.keep("split-by", header_name(name))),
        SplitBy::Cookie(name) => drop(faults.keep("split-by", cookie_name(name))),
    }
    if let Some(host) = &forward.host {
        faults.keep("rewrite.host", authority(host));
    }
    if let Some(mirror) = &forward.mirror {
        faults.demand(known(&mirror.cluster), "mirror.cluster", unknown(&mirror.cluster));
        percent(mirror.percent, "mirror.percent", faults);
        let fits = mirror.body_bytes <= KEPT_BYTES_MAX;
        faults.demand(fits, "mirror.body-bytes", "at most 1 MiB of a body is copied");
    }
}

/// A host with an optional port.
fn authority(text: &str) -> Result<(), String> {
    let bad = || format!("`{text}` is no host");
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let named = matches!(HostPattern::read(host), Ok(HostPattern::Exact(_)));
    let ported = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if named && ported { Ok(()) } else { Err(bad()) }
}

fn check_redirect(redirect: &Redirect, faults: &mut Faults<'_>) {
    let status = redirect.status;
    let known = matches!(status, 301 | 302 | 303 | 307 | 308);
    faults.demand(known, "redirect.status", format!("{status} is not one of 301, 302, 303, 307, 308"));
    if let Some(host) = &redirect.host {
        let named = matches!(HostPattern::read(host), Ok(HostPattern::Exact(_)));
        faults.demand(named, "redirect.host", format!("`{host}` is no host; a port has a key of its own"));
    }
    faults.demand(redirect.port != Some(0), "redirect.port", "port 0 cannot be connected to");
    let changes = redirect.scheme.is_some() || redirect.host.is_some() || redirect.port.is_some();
    faults.demand(changes || redirect.path.is_some(), "redirect", "it leads to itself: change something");
}

fn check_respond(respond: &Respond, faults: &mut Faults<'_>) {
    let status = respond.status;
    let fits = (200..600).contains(&status);
    faults.demand(fits, "respond.status", format!("{status} is no status that ends a request"));
    let empty = matches!(status, 204 | 205 | 304);
    faults.demand(
        !empty || respond.body.is_empty(),
        "respond.body",
        format!("an answer {status} has no body"),
    );
    faults.demand(respond.body.len() <= BODY_BYTES_MAX, "respond.body", "it has more than 64 KiB");
    faults.keep("respond.content-type", header_value(&respond.content_type));
}

/// A route that asks the same as one before it never gets a request.
pub(super) fn doubles(routes: &[Route], faults: &mut Vec<Fault>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (at, route) in routes.iter().enumerate() {
        let sorted = |list: &[String]| {
            let mut list = list.to_vec();
            list.sort();
            list
        };
        let mut methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
        methods.sort_unstable();
        let asks = format!(
            "{:?} {:?} {:?} {methods:?} {:?} {:?}",
            sorted(&route.listeners),
            sorted(&route.hosts),
            route.path,
            route.headers,
            route.query
        );
        if let Some(first) = seen.get(asks.as_str()) {
            let message =
                format!("route `{first}` asks the same and comes first: this one never gets a request");
            Faults::new(faults, format!("route[{at}]")).push("name", message);
        } else {
            seen.insert(asks, &route.name);
        }
    }
}
