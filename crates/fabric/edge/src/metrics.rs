//! What is counted of requests. Labels are names of the configuration and small closed sets, never anything that a
//! client wrote.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coreto_proxy::balance::Fitness;
use coreto_proxy::forward::Account;
use coreto_proxy::plane::Plane;
use http::HeaderValue;

/// Bounds of the histogram of durations, in milliseconds.
const BOUNDS_MS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
/// Classes of statuses by their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// The label of requests that no route took.
const NO_ROUTE: &str = "-";

/// Counts, each worker's by itself, so that workers do not wait for each other.
#[derive(Debug)]
pub(crate) struct Metrics(Vec<Mutex<Share>>);

/// What one worker has counted.
#[derive(Debug, Default)]
struct Share {
    routes: HashMap<String, Counts>,
    errors: HashMap<&'static str, u64>,
}

/// What is counted for one route.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) classes: [u64; CLASSES.len()],
    /// How many took no longer than each bound, and longer than the one before; the last took longer than all.
    pub(crate) buckets: [u64; BOUNDS_MS.len() + 1],
    pub(crate) took: Duration,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) retries: u64,
}

impl Counts {
    pub(crate) fn requests(&self) -> u64 {
        self.classes.iter().sum()
    }

    fn note(&mut self, account: &Account) {
        let told = account.grpc_status.as_ref().map(HeaderValue::as_bytes);
        let class = class(account.status.as_u16(), told);
        self.classes[class.clamp(1, CLASSES.len()) - 1] += 1;
        let took = account.took;
        let bucket = BOUNDS_MS.iter().position(|bound| took <= Duration::from_millis(*bound));
        self.buckets[bucket.unwrap_or(BOUNDS_MS.len())] += 1;
        self.took += took;
        self.bytes_in += account.bytes.0;
        self.bytes_out += account.bytes.1;
        self.retries += u64::from(account.attempts.saturating_sub(1));
    }

    fn add(&mut self, other: &Self) {
        let pairs = self.classes.iter_mut().zip(other.classes);
        pairs.chain(self.buckets.iter_mut().zip(other.buckets)).for_each(|(sum, more)| *sum += more);
        self.took += other.took;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.retries += other.retries;
    }
}

/// The first digit of a status; of a call of gRPC, whose status of HTTP says nothing, that of what HTTP would say.
fn class(status: u16, grpc_status: Option<&[u8]>) -> usize {
    match grpc_status {
        None | Some(b"0") => usize::from(status / 100),
        // UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS.
        Some(b"2" | b"4" | b"12" | b"13" | b"14" | b"15") => 5,
        Some(_) => 4,
    }
}

/// All counts together.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) routes: BTreeMap<String, Counts>,
    pub(crate) errors: BTreeMap<&'static str, u64>,
}

impl Metrics {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers.max(1)).map(|_| Mutex::default()).collect())
    }

    /// Counts a request.
    pub(crate) fn note(&self, worker: usize, account: &Account) {
        let mut share = lock(&self.0[worker]);
        let route = account.route().unwrap_or(NO_ROUTE);
        match share.routes.get_mut(route) {
            Some(counts) => counts.note(account),
            None => share.routes.entry(route.to_owned()).or_default().note(account),
        }
        if let Some(error) = account.error {
            *share.errors.entry(error).or_default() += 1;
        }
    }

    /// Forgets routes that there are no more.
    pub(crate) fn keep(&self, stays: impl Fn(&str) -> bool) {
        self.0
            .iter()
            .for_each(|share| lock(share).routes.retain(|route, _| route == NO_ROUTE || stays(route)));
    }

    pub(crate) fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for share in &self.0 {
            let share = lock(share);
            for (route, counts) in &share.routes {
                sum.routes.entry(route.clone()).or_default().add(counts);
            }
            for (error, count) in &share.errors {
                *sum.errors.entry(error).or_default() += count;
            }
        }
        sum
    }
}

fn lock(share: &Mutex<Share>) -> MutexGuard<'_, Share> {
    share.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How an endpoint's fitness is called.
pub(crate) fn state(fitness: Fitness) -> &'static str {
    match fitness {
        Fitness::Fit => "fit",
        Fitness::Ejected => "ejected",
        Fitness::Failing => "failing",
        Fitness::Draining => "draining",
    }
}

/// Everything in the text form of Prometheus.
pub(crate) fn prometheus(sum: &Sum, plane: &Plane) -> String {
    let mut out = Text(String::new());
    out.family(
        "coreto_edge_requests_total",
        "counter",
        "Requests that have ended, by the route that took them.",
    );
    for (route, counts) in &sum.routes {
        for (class, count) in CLASSES.iter().zip(counts.classes) {
            out.sample("coreto_edge_requests_total", &[("route", route), ("class", class)], count);
        }
    }
    durations(&mut out, sum);
    out.family("coreto_edge_bytes_total", "counter", "Bytes of requests and responses, heads included.");
    for (route, counts) in &sum.routes {
        for (direction, bytes) in [("in", counts.bytes_in), ("out", counts.bytes_out)] {
            out.sample("coreto_edge_bytes_total", &[("route", route), ("direction", direction)], bytes);
        }
    }
    out.family("coreto_edge_retries_total", "counter", "Tries after the first.");
    for (route, counts) in &sum.routes {
        out.sample("coreto_edge_retries_total", &[("route", route)], counts.retries);
    }
    out.family(
        "coreto_edge_errors_total",
        "counter",
        "Requests that the gateway failed, by the error of Proxy-Status.",
    );
    for (error, count) in &sum.errors {
        out.sample("coreto_edge_errors_total", &[("error", error)], *count);
    }
    listeners(&mut out, plane);
    clusters(&mut out, plane);
    endpoints(&mut out, plane);
    out.0
}

fn durations(out: &mut Text, sum: &Sum) {
    const NAME: &str = "coreto_edge_request_duration_seconds";
    out.family(NAME, "histogram", "From a request's head to the end of its response.");
    for (route, counts) in &sum.routes {
        let mut below = 0;
        for (bound, count) in BOUNDS_MS.iter().zip(counts.buckets) {
            below += count;
            let le = Duration::from_millis(*bound).as_secs_f64().to_string();
            out.sample(&format!("{NAME}_bucket"), &[("route", route), ("le", &le)], below);
        }
        out.sample(&format!("{NAME}_bucket"), &[("route", route), ("le", "+Inf")], counts.requests());
        out.sample(&format!("{NAME}_sum"), &[("route", route)], counts.took.as_secs_f64());
        out.sample(&format!("{NAME}_count"), &[("route", route)], counts.requests());
    }
}

fn listeners(out: &mut Text, plane: &Plane) {
    let force = plane.in_force();
    out.family("coreto_edge_connections", "gauge", "Connections of clients that a listener has now.");
    for (listener, open, _) in force.listeners() {
        out.sample("coreto_edge_connections", &[("listener", listener)], open);
    }
    let name = "coreto_edge_connections_refused_total";
    out.family(name, "counter", "Connections of clients that were refused or cut off, by the reason.");
    for (listener, _, refused) in force.listeners() {
        let reasons =
            [("bounds", &refused.crowded), ("handshake", &refused.handshake), ("flood", &refused.flood)];
        for (reason, count) in reasons {
            let labels = [("listener", listener), ("reason", reason)];
            out.sample(name, &labels, count.load(Ordering::Relaxed));
        }
    }
}

fn clusters(out: &mut Text, plane: &Plane) {
    let force = plane.in_force();
    out.family("coreto_edge_requests_in_flight", "gauge", "Requests that a cluster has now.");
    for upstream in force.upstreams() {
        let cluster = upstream.cluster().name.as_str();
        out.sample("coreto_edge_requests_in_flight", &[("cluster", cluster)], upstream.in_flight());
    }
    out.family("coreto_edge_endpoints", "gauge", "Endpoints of a cluster, by whether they take requests.");
    for upstream in force.upstreams() {
        let cluster = upstream.cluster().name.as_str();
        let members = upstream.members();
        for fitness in [Fitness::Fit, Fitness::Ejected, Fitness::Failing] {
            let count = members.iter().filter(|(_, found)| *found == fitness).count();
            let labels = [("cluster", cluster), ("state", state(fitness))];
            out.sample("coreto_edge_endpoints", &labels, count);
        }
    }
    for (name, help, read) in [
        ("coreto_edge_connects_total", "Connections made to endpoints.", 0),
        ("coreto_edge_connect_failures_total", "Connections to endpoints that could not be made.", 1),
        ("coreto_edge_retries_denied_total", "Retries that a cluster's budget did not allow.", 2),
        ("coreto_edge_ejections_total", "Endpoints left out since they failed requests.", 3),
    ] {
        out.family(name, "counter", help);
        for upstream in force.upstreams() {
            let counts = upstream.counts();
            let all = [&counts.connects, &counts.connect_failures, &counts.retries_denied, &counts.ejections];
            let cluster = upstream.cluster().name.as_str();
            out.sample(name, &[("cluster", cluster)], all[read].load(Ordering::Relaxed));
        }
    }
}

/// So many endpoints have samples of their own; what the others have is together.
const ENDPOINTS_MAX: usize = 1_000;
const OTHERS: &str = "-";

fn endpoints(out: &mut Text, plane: &Plane) {
    let mut rows: Vec<(String, String, [u64; 2])> = Vec::new();
    for upstream in plane.in_force().upstreams() {
        let cluster = &upstream.cluster().name;
        for (member, _) in upstream.members() {
            let counts =
                [&member.tries().all, &member.tries().failed].map(|count| count.load(Ordering::Relaxed));
            let others = rows.len() >= ENDPOINTS_MAX;
            match rows.last_mut().filter(|row| others && row.0 == *cluster && row.1 == OTHERS) {
                Some(row) => row.2.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count),
                None if others => rows.push((cluster.clone(), OTHERS.to_owned(), counts)),
                None => rows.push((cluster.clone(), member.endpoint.address.to_string(), counts)),
            }
        }
    }
    for (name, help, read) in [
        ("coreto_edge_endpoint_tries_total", "Requests sent to an endpoint, each try counted.", 0),
        ("coreto_edge_endpoint_failures_total", "Tries that an endpoint failed.", 1),
    ] {
        out.family(name, "counter", help);
        for (cluster, endpoint, counts) in &rows {
            out.sample(name, &[("cluster", cluster), ("endpoint", endpoint)], counts[read]);
        }
    }
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Labels are names of the configuration, which have nothing to escape.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_count_by_what_became_of_them() {
        for (status, grpc_status, expected) in [
            (200, None, 2),
            (499, None, 4),
            (503, None, 5),
            (200, Some("0"), 2),
            (200, Some("1"), 4),
            (200, Some("5"), 4),
            (200, Some("13"), 5),
            (200, Some("14"), 5),
            (200, Some("16"), 4),
        ] {
            assert_eq!(class(status, grpc_status.map(str::as_bytes)), expected, "{status} {grpc_status:?}");
        }
    }
}
