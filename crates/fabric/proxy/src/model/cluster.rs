//! Where requests go: endpoints that do the same, and how they are treated.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Endpoints of which any can take a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Its name, by which routes and metrics speak of it.
    pub name: String,
    /// Where its endpoints come from.
    pub source: Source,
    /// What is spoken to them.
    pub protocol: Protocol,
    /// TLS, when it is encrypted.
    pub tls: Option<UpstreamTls>,
    /// Which endpoint takes a request.
    pub balance: Balance,
    /// A new endpoint's share grows over this time; at once without it.
    pub slow_start: Option<SlowStart>,
    /// When fewer percent of the endpoints are fit, those that were ejected are used again. 0 never does.
    pub panic_percent: u8,
    /// Requests of our own that ask whether an endpoint is well.
    pub health: Option<Health>,
    /// Leaving endpoints out that fail real requests.
    pub outlier: Option<Outlier>,
    /// What the cluster may be asked at a time.
    pub circuit: Circuit,
    /// How much of the load may be retries.
    pub budget: Budget,
    /// A connection, TLS included.
    pub connect: Duration,
    /// How long a request waits for a connection.
    pub wait: Duration,
    /// How long an unused connection is kept. Below the server's own time, so that the server never closes first.
    pub idle: Duration,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            name: String::new(),
            source: Source::Static(Vec::new()),
            protocol: Protocol::default(),
            tls: None,
            balance: Balance::default(),
            slow_start: None,
            panic_percent: 50,
            health: None,
            outlier: Some(Outlier::default()),
            circuit: Circuit::default(),
            budget: Budget::default(),
            connect: Duration::from_secs(3),
            wait: Duration::from_secs(1),
            idle: Duration::from_secs(4),
        }
    }
}

/// Where endpoints come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A list.
    Static(Vec<Endpoint>),
    /// The addresses of a name.
    Dns {
        /// The name that is looked up.
        host: String,
        /// The port at each of its addresses.
        port: u16,
        /// How often it is looked up.
        refresh: Duration,
    },
    /// The instances of a service, as a catalog knows them.
    Service(ServiceName),
}

/// A service of a catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServiceName {
    /// Its name.
    pub name: String,
    /// Tags that its instances must all have.
    pub tags: Vec<String>,
}

/// One address that takes requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share among the others; 0 takes no request.
    pub weight: u32,
}

/// What is spoken to an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1; with TLS, HTTP/2 when the server chooses it.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, without TLS too; what gRPC wants.
    Http2,
}

/// How a connection to an endpoint is encrypted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamTls {
    /// The name that the server's certificate must have. The host of the request without it.
    pub name: Option<String>,
    /// The authorities that are believed, a PEM file. Those of the system without it.
    pub ca: Option<PathBuf>,
    /// Our own certificate chain, a PEM file.
    pub cert: Option<PathBuf>,
    /// Its private key, a PEM file.
    pub key: Option<PathBuf>,
}

/// Which endpoint takes a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Balance {
    /// Of two at random the one that answers sooner, by its latency and what waits there.
    #[default]
    P2c,
    /// One after the other, by weight.
    RoundRobin,
    /// Of two at random the one with fewer requests.
    LeastRequest,
    /// The same key to the same endpoint, as long as the endpoints stay.
    RingHash(RingHash),
    /// A cookie keeps a client at its endpoint.
    Sticky(Sticky),
}

/// How a key chooses an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct RingHash {
    /// What of a request is the key.
    pub key: HashKey,
    /// An endpoint with more than this percentage of the average load is passed over; 0 never does.
    pub bound_percent: u32,
}

impl Default for RingHash {
    fn default() -> Self {
        Self { key: HashKey::Client, bound_percent: 0 }
    }
}

/// What of a request is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address.
    Client,
    /// A header's value.
    Header(String),
    /// A cookie's value.
    Cookie(String),
    /// The path without the query.
    Path,
}

/// The cookie that keeps a client at its endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Sticky {
    /// The cookie's name.
    pub cookie: String,
    /// How long it lives; the browser's session without it.
    pub age: Option<Duration>,
    /// What keys the hash in it, so that a cookie is good after a restart and at other nodes; made at random without it.
    pub secret: Option<String>,
}

impl Default for Sticky {
    fn default() -> Self {
        Self { cookie: "coreto-endpoint".to_owned(), age: None, secret: None }
    }
}

/// How a new endpoint's share grows.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowStart {
    /// The time until the whole share.
    pub window: Duration,
    /// 100 grows evenly, more grows sooner.
    pub aggression_percent: u32,
}

impl Default for SlowStart {
    fn default() -> Self {
        Self { window: Duration::from_secs(30), aggression_percent: 100 }
    }
}

/// Requests of our own that ask an endpoint whether it is well.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// The path of a GET that must answer 2xx.
    pub path: String,
    /// The host that is asked for; the endpoint's address without it.
    pub host: Option<String>,
    /// From one check to the next, ± 20 %.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Failures in a row that make it unfit.
    pub fall: u32,
    /// Successes in a row that make it fit again.
    pub rise: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            host: None,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            fall: 3,
            rise: 2,
        }
    }
}

/// When an endpoint that fails real requests is left out, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlier {
    /// Failures in a row: 502, 503, 504, refused, reset, out of time.
    pub failures: u32,
    /// How long it is left out the first time; each time in a row doubles it.
    pub base: Duration,
    /// How long at most.
    pub longest: Duration,
    /// How many percent of the endpoints may be out at a time, rounded down; never the last one.
    pub ceiling_percent: u8,
}

impl Default for Outlier {
    fn default() -> Self {
        Self {
            failures: 5,
            base: Duration::from_secs(5),
            longest: Duration::from_mins(5),
            ceiling_percent: 50,
        }
    }
}

/// What a cluster may be asked at a time, on the whole node.
#[derive(Clone, Debug, PartialEq)]
pub struct Circuit {
    /// Connections to one endpoint.
    pub connections: u32,
    /// Requests that wait for a connection.
    pub pending: u32,
    /// Requests in flight, those that wait included.
    pub requests: u32,
}

impl Default for Circuit {
    fn default() -> Self {
        Self { connections: 1_024, pending: 1_024, requests: 10_000 }
    }
}

/// How many retries there may be, counted over ten seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Percent of the requests.
    pub percent: u32,
    /// And this many a second on top, so that little traffic has retries too.
    pub reserve_per_second: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { percent: 20, reserve_per_second: 10 }
    }
}
