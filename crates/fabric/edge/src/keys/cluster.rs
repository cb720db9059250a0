//! Keys of `[[cluster]]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use coreto_proxy::model::{
    Balance, Cluster, Endpoint, Health, Outlier, RingHash, ServiceName, SlowStart, Source, Sticky,
    UpstreamTls,
};

use crate::value::{Value, Written, quoted};
use crate::visit::Keys;

pub(super) fn cluster<K: Keys>(keys: &mut K, cluster: &mut Cluster) {
    keys.value("name", &mut cluster.name);
    source(keys, &mut cluster.source);
    keys.value("protocol", &mut cluster.protocol);
    keys.switch("tls", &mut cluster.tls, |keys, tls: &mut UpstreamTls| {
        keys.optional("name", &mut tls.name);
        keys.optional("ca", &mut tls.ca);
        keys.optional("cert", &mut tls.cert);
        keys.optional("key", &mut tls.key);
    });
    balance(keys, &mut cluster.balance);
    keys.switch("slow-start", &mut cluster.slow_start, |keys, slow: &mut SlowStart| {
        keys.value("window", &mut slow.window);
        keys.value("aggression-percent", &mut slow.aggression_percent);
    });
    keys.value("panic-percent", &mut cluster.panic_percent);
    keys.switch("health", &mut cluster.health, health);
    keys.switch("outlier", &mut cluster.outlier, outlier);
    let circuit = &mut cluster.circuit;
    keys.table("circuit", |keys| {
        keys.value("connections", &mut circuit.connections);
        keys.value("pending", &mut circuit.pending);
        keys.value("requests", &mut circuit.requests);
    });
    let budget = &mut cluster.budget;
    keys.table("budget", |keys| {
        keys.value("percent", &mut budget.percent);
        keys.value("reserve-per-second", &mut budget.reserve_per_second);
    });
    keys.value("connect", &mut cluster.connect);
    keys.value("wait", &mut cluster.wait);
    keys.value("idle", &mut cluster.idle);
}

/// An endpoint while it is read.
struct Row(Endpoint);

impl Default for Row {
    fn default() -> Self {
        Self(Endpoint { address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), weight: 1 })
    }
}

/// A name while it is read.
struct Name {
    host: String,
    port: u16,
    refresh: Duration,
}

impl Default for Name {
    fn default() -> Self {
        Self { host: String::new(), port: 80, refresh: Duration::from_secs(5) }
    }
}

fn source<K: Keys>(keys: &mut K, source: &mut Source) {
    let (mut rows, mut name, mut service) = (Vec::new(), None, None);
    let mut tags = Vec::new();
    match source {
        Source::Static(endpoints) => rows = endpoints.iter().cloned().map(Row).collect(),
        Source::Dns { host, port, refresh } => {
            name = Some(Name { host: host.clone(), port: *port, refresh: *refresh });
        }
        Source::Service(of) => (service, tags) = (Some(of.name.clone()), of.tags.clone()),
    }
    let short: Vec<SocketAddr> = keys.short_list("endpoints");
    keys.tables("endpoint", &mut rows, |keys, row: &mut Row| {
        keys.value("address", &mut row.0.address);
        keys.value("weight", &mut row.0.weight);
    });
    if !(keys.writes() && name.is_none()) {
        keys.switch("dns", &mut name, |keys, name: &mut Name| {
            keys.value("host", &mut name.host);
            keys.value("port", &mut name.port);
            keys.value("refresh", &mut name.refresh);
        });
    }
    keys.optional("service", &mut service);
    if !(keys.writes() && service.is_none()) {
        keys.list("service-tags", &mut tags);
    }
    let mut endpoints: Vec<Endpoint> = rows.into_iter().map(|row| row.0).collect();
    endpoints.extend(short.into_iter().map(|address| Endpoint { address, weight: 1 }));
    let ways = [!endpoints.is_empty(), name.is_some(), service.is_some()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        let key = if service.is_some() { "service" } else { "dns" };
        keys.fault(key, "endpoints come from a list, from a name or from a service; one of them");
    }
    if service.is_none() && !tags.is_empty() {
        keys.fault("service-tags", "it has no effect without `service`");
    }
    *source = match (service, name) {
        (Some(name), _) => Source::Service(ServiceName { name, tags }),
        (None, Some(name)) => Source::Dns { host: name.host, port: name.port, refresh: name.refresh },
        (None, None) => Source::Static(endpoints),
    };
}

fn balance<K: Keys>(keys: &mut K, balance: &mut Balance) {
    let word = match balance {
        Balance::P2c => "p2c",
        Balance::RoundRobin => "round-robin",
        Balance::LeastRequest => "least-request",
        Balance::RingHash(_) => "ring-hash",
        Balance::Sticky(_) => "sticky",
    };
    let mut word = Policy(word);
    keys.value("balance", &mut word);
    if keys.writes() {
        // Only the table of the policy in use is written.
        match balance {
            Balance::RingHash(ring) => keys.table("ring-hash", |keys| ring_keys(keys, ring)),
            Balance::Sticky(sticky) => keys.table("sticky", |keys| sticky_keys(keys, sticky)),
            Balance::P2c | Balance::RoundRobin | Balance::LeastRequest => {}
        }
        return;
    }
    let (mut ring, mut sticky) = (None, None);
    keys.switch("ring-hash", &mut ring, ring_keys);
    keys.switch("sticky", &mut sticky, sticky_keys);
    for (there, key) in [(ring.is_some(), "ring-hash"), (sticky.is_some(), "sticky")] {
        if there && word.0 != key {
            keys.fault(key, "it has no effect without `balance` set to it");
        }
    }
    *balance = match word.0 {
        "round-robin" => Balance::RoundRobin,
        "least-request" => Balance::LeastRequest,
        "ring-hash" => Balance::RingHash(ring.unwrap_or_default()),
        "sticky" => Balance::Sticky(sticky.unwrap_or_default()),
        _ => Balance::P2c,
    };
}

/// The name of a policy.
struct Policy(&'static str);

const POLICIES: [&str; 5] = ["p2c", "round-robin", "least-request", "ring-hash", "sticky"];

impl Value for Policy {
    fn read(written: &Written<'_>) -> Result<Self, String> {
        let known = |text: &str| POLICIES.into_iter().find(|name| *name == text).map(Self);
        let found = if let Written::Text(text) = written { known(text) } else { None };
        found.ok_or_else(|| format!("write one of `{}`", POLICIES.join("`, `")))
    }

    fn write(&self) -> String {
        quoted(self.0)
    }
}

fn ring_keys<K: Keys>(keys: &mut K, ring: &mut RingHash) {
    keys.value("key", &mut ring.key);
    keys.value("bound-percent", &mut ring.bound_percent);
}

fn sticky_keys<K: Keys>(keys: &mut K, sticky: &mut Sticky) {
    keys.value("cookie", &mut sticky.cookie);
    keys.optional("age", &mut sticky.age);
    keys.optional("secret", &mut sticky.secret);
}

fn health<K: Keys>(keys: &mut K, health: &mut Health) {
    keys.value("path", &mut health.path);
    keys.optional("host", &mut health.host);
    keys.value("interval", &mut health.interval);
    keys.value("timeout", &mut health.timeout);
    keys.value("fall", &mut health.fall);
    keys.value("rise", &mut health.rise);
}

fn outlier<K: Keys>(keys: &mut K, outlier: &mut Outlier) {
    keys.value("failures", &mut outlier.failures);
    keys.value("base", &mut outlier.base);
    keys.value("longest", &mut outlier.longest);
    keys.value("ceiling-percent", &mut outlier.ceiling_percent);
}
