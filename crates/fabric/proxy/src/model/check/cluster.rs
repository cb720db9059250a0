//! Faults of clusters.

use std::collections::HashSet;

use super::{at_least_one, cookie_name, header_name, percent, some_time};
use crate::model::{
    Balance, Cluster, Endpoint, Faults, HashKey, Health, Outlier, Protocol, RingHash, ServiceName, Source,
    Sticky,
};
use crate::route::{HostPattern, literal};

/// The largest weight, so that sums stay small and rings bounded.
const WEIGHT_MAX: u32 = 1_000;
/// The most endpoints of one cluster.
const ENDPOINTS_MAX: usize = 10_000;

pub(super) fn check(cluster: &Cluster, faults: &mut Faults<'_>) {
    match &cluster.source {
        Source::Static(endpoints) => check_endpoints(endpoints, faults),
        Source::Dns { host, port, refresh } => {
            let named = matches!(HostPattern::read(host), Ok(HostPattern::Exact(_)));
            let message = if host.is_empty() {
                "the name that is looked up is missing".to_owned()
            } else {
                format!("`{host}` is no name that can be looked up")
            };
            faults.demand(named, "dns.host", message);
            faults.demand(*port > 0, "dns.port", "port 0 cannot be connected to");
            some_time(*refresh, "dns.refresh", faults);
        }
        Source::Service(ServiceName { name, tags }) => {
            faults.keep("service", service_word(name));
            for tag in tags {
                faults.keep("service-tags", service_word(tag));
            }
        }
    }
    if let Some(tls) = &cluster.tls {
        let both = tls.cert.is_some() == tls.key.is_some();
        faults.demand(both, "tls.key", "a certificate of our own has two files: `cert` and `key`");
    }
    match &cluster.balance {
        Balance::P2c | Balance::RoundRobin | Balance::LeastRequest => {}
        Balance::RingHash(ring) => check_ring(ring, faults),
        Balance::Sticky(sticky) => check_sticky(sticky, faults),
    }
    if let Some(slow) = &cluster.slow_start {
        some_time(slow.window, "slow-start.window", faults);
        let fits = (100..=1_000).contains(&slow.aggression_percent);
        faults.demand(fits, "slow-start.aggression-percent", "it is between 100 and 1000");
    }
    percent(cluster.panic_percent, "panic-percent", faults);
    if let Some(health) = &cluster.health {
        check_health(health, faults);
    }
    if let Some(outlier) = &cluster.outlier {
        check_outlier(outlier, faults);
    }
    at_least_one(cluster.circuit.connections, "circuit.connections", faults);
    at_least_one(cluster.circuit.requests, "circuit.requests", faults);
    faults.demand(
        cluster.budget.percent <= 100,
        "budget.percent",
        "more retries than requests are no budget",
    );
    some_time(cluster.connect, "connect", faults);
    some_time(cluster.wait, "wait", faults);
    some_time(cluster.idle, "idle", faults);
    if cluster.protocol == Protocol::Http1 && cluster.circuit.connections == 1 {
        faults.push(
            "circuit.connections",
            "with HTTP/1.1 one connection is one request at a time; write at least 2",
        );
    }
}

/// A name or tag as catalogs take it.
fn service_word(text: &str) -> Result<(), String> {
    let fits = !text.is_empty() && text.len() <= 255 && !text.contains(|char: char| char.is_control());
    if fits { Ok(()) } else { Err(format!("`{text}` is no name or tag of a service: write 1 to 255 bytes")) }
}

fn check_endpoints(endpoints: &[Endpoint], faults: &mut Faults<'_>) {
    faults.demand(
        !endpoints.is_empty(),
        "endpoint",
        "there is no endpoint: write `endpoints`, `dns` or `service`",
    );
    let count = endpoints.len();
    faults.demand(
        count <= ENDPOINTS_MAX,
        "endpoint",
        format!("{count} endpoints are more than {ENDPOINTS_MAX}"),
    );
    let mut seen = HashSet::new();
    for (at, endpoint) in endpoints.iter().enumerate() {
        let Endpoint { address, weight } = endpoint;
        let key = format!("endpoint[{at}].address");
        faults.demand(address.port() > 0, &key, format!("`{address}` has no port that can be connected to"));
        faults.demand(!address.ip().is_unspecified(), &key, format!("`{address}` is no address of anybody"));
        faults.demand(seen.insert(address), &key, format!("`{address}` is there twice; write a weight"));
        let fits = *weight <= WEIGHT_MAX;
        faults.demand(fits, &format!("endpoint[{at}].weight"), format!("{weight} is more than {WEIGHT_MAX}"));
    }
    let idle = !endpoints.is_empty() && endpoints.iter().all(|endpoint| endpoint.weight == 0);
    faults.demand(!idle, "endpoint", "every endpoint has weight 0: none takes a request");
}

fn check_ring(ring: &RingHash, faults: &mut Faults<'_>) {
    match &ring.key {
        HashKey::Client | HashKey::Path => {}
        HashKey::Header(name) => drop(faults.keep("ring-hash.key", header_name(name))),
        HashKey::Cookie(name) => drop(faults.keep("ring-hash.key", cookie_name(name))),
    }
    let fits = ring.bound_percent == 0 || (101..=1_000).contains(&ring.bound_percent);
    faults.demand(fits, "ring-hash.bound-percent", "it is 0 for none, or between 101 and 1000");
}

fn check_sticky(sticky: &Sticky, faults: &mut Faults<'_>) {
    faults.keep("sticky.cookie", cookie_name(&sticky.cookie));
    let long = sticky.secret.as_ref().is_none_or(|secret| secret.len() >= 16);
    faults.demand(long, "sticky.secret", "a secret has at least 16 bytes");
}

fn check_health(health: &Health, faults: &mut Faults<'_>) {
    faults.keep("health.path", literal(&health.path));
    if let Some(host) = &health.host {
        let named = matches!(HostPattern::read(host), Ok(HostPattern::Exact(_)));
        faults.demand(named, "health.host", format!("`{host}` is no host"));
    }
    some_time(health.interval, "health.interval", faults);
    some_time(health.timeout, "health.timeout", faults);
    let fits = health.timeout <= health.interval;
    faults.demand(fits, "health.timeout", "a check must be over before the next one begins");
    at_least_one(health.fall, "health.fall", faults);
    at_least_one(health.rise, "health.rise", faults);
}

fn check_outlier(outlier: &Outlier, faults: &mut Faults<'_>) {
    at_least_one(outlier.failures, "outlier.failures", faults);
    some_time(outlier.base, "outlier.base", faults);
    let fits = outlier.base <= outlier.longest;
    faults.demand(fits, "outlier.longest", "the longest time is not shorter than the first one, `base`");
    percent(outlier.ceiling_percent, "outlier.ceiling-percent", faults);
}
