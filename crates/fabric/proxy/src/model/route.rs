//! Which requests are meant, and what becomes of them.

use std::time::Duration;

use http::Method;

use super::filter::Filters;

/// Requests that look alike, and what is done with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// Its name, by which metrics, logs and people speak of it.
    pub name: String,
    /// The listeners that it is for, by name; all when there is none.
    pub listeners: Vec<String>,
    /// `api.example`, `*.example`, `*`; any host when there is none.
    pub hosts: Vec<String>,
    /// Its path.
    pub path: PathMatch,
    /// Its methods; any when there is none.
    pub methods: Vec<Method>,
    /// Headers that all must fit.
    pub headers: Vec<FieldMatch>,
    /// Query parameters that all must fit.
    pub query: Vec<FieldMatch>,
    /// Among routes with a regex, the higher goes first.
    pub priority: i32,
    /// Which form of the path goes upstream.
    pub path_mode: PathMode,
    /// What is done with a path that programs read in different ways.
    pub encoded_slash: EncodedSlash,
    /// What becomes of a request.
    pub action: Action,
    /// What is done to it on the way.
    pub filters: Filters,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// When it is sent again.
    pub retry: Retry,
    /// Protocols that a connection may change to: `websocket`.
    pub upgrades: Vec<String>,
    /// Bytes of a request's body at most; no bound without it.
    pub body_bytes: Option<u64>,
}

/// How a path is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// This path, its trailing slash included.
    Exact(String),
    /// `/orders/{id}` a segment, `/files/{rest*}` all the rest.
    Template(String),
    /// This path and all below it: `/a` has `/a`, `/a/` and `/a/b`, not `/ab`.
    Prefix(String),
    /// A regular expression for the whole path.
    Regex(String),
}

impl Default for PathMatch {
    fn default() -> Self {
        Self::Prefix("/".to_owned())
    }
}

/// A header or query parameter that a request must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldMatch {
    /// Its name: a header's in any case, a parameter's exactly.
    pub name: String,
    /// What its value must be.
    pub value: ValueMatch,
}

/// What a value must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ValueMatch {
    /// Anything, so long as it is there.
    #[default]
    Present,
    /// Exactly this.
    Exact(String),
    /// A regular expression for the whole value.
    Regex(String),
}

/// Which form of a path goes upstream when it is not in normal form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathMode {
    /// As it came, byte for byte.
    #[default]
    Raw,
    /// The normal form that routes are matched by.
    Normalized,
    /// None: it is answered 400.
    Reject,
}

/// What is done with `%2F`, `%5C`, `\` and `..;` in a path, which some programs take for separators or dots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncodedSlash {
    /// It is answered 400.
    #[default]
    Reject,
    /// They are data.
    Keep,
    /// The client is sent to the path with the separators written out.
    Redirect,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// It goes to a cluster.
    Forward(Forward),
    /// The client is sent elsewhere.
    Redirect(Redirect),
    /// It is answered here.
    Respond(Respond),
}

impl Default for Action {
    fn default() -> Self {
        Self::Forward(Forward::default())
    }
}

/// Which cluster takes a request, and how it looks there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forward {
    /// Clusters with their shares.
    pub to: Vec<Split>,
    /// What keeps the requests of one client at one side of a split.
    pub split_by: SplitBy,
    /// The path that is sent instead.
    pub path: Option<PathRewrite>,
    /// The host that is sent instead.
    pub host: Option<String>,
    /// A cluster that gets copies.
    pub mirror: Option<Mirror>,
}

/// A cluster's share of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The cluster, by name.
    pub cluster: String,
    /// Its share of the sum; 0 takes none.
    pub weight: u32,
}

impl Default for Split {
    fn default() -> Self {
        Self { cluster: String::new(), weight: 1 }
    }
}

/// What of a request chooses the side of a split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SplitBy {
    /// The request's own id: each is chosen anew, its retries stay.
    #[default]
    Request,
    /// The client's address.
    Client,
    /// A header's value.
    Header(String),
    /// A cookie's value.
    Cookie(String),
}

/// How a path is rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathRewrite {
    /// This instead of the route's own prefix.
    Prefix(String),
    /// This, with `{name}` of the route's template or regex filled in.
    Template(String),
}

/// A cluster that gets copies of requests, whose answers nobody waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirror {
    /// The cluster, by name.
    pub cluster: String,
    /// Of how many percent of the requests.
    pub percent: u8,
    /// Requests with a longer body are not copied.
    pub body_bytes: u64,
    /// Whether POST, PUT, PATCH and DELETE are copied too, which then happen twice.
    pub unsafe_methods: bool,
    /// Whether `-shadow` is put behind the host.
    pub shadow_host: bool,
}

impl Default for Mirror {
    fn default() -> Self {
        Self {
            cluster: String::new(),
            percent: 100,
            body_bytes: 64 << 10,
            unsafe_methods: false,
            shadow_host: false,
        }
    }
}

/// Where a client is sent; what is not said stays as it was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Another scheme; its own port goes with it.
    pub scheme: Option<Scheme>,
    /// Another host.
    pub host: Option<String>,
    /// Another port.
    pub port: Option<u16>,
    /// Another path.
    pub path: Option<PathRewrite>,
}

impl Default for Redirect {
    fn default() -> Self {
        Self { status: 302, scheme: None, host: None, port: None, path: None }
    }
}

/// A scheme of URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL need not name.
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// An answer of our own.
#[derive(Clone, Debug, PartialEq)]
pub struct Respond {
    /// Its status.
    pub status: u16,
    /// The media type of its body.
    pub content_type: String,
    /// Its body.
    pub body: String,
}

impl Default for Respond {
    fn default() -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8".to_owned(), body: String::new() }
    }
}

/// How long the parts of a request may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeouts {
    /// From the request's headers to the end of the response; retries and back-off included. To the response's
    /// headers when the response is a stream.
    pub total: Duration,
    /// One try, from when it is sent to its response's headers.
    pub per_try: Option<Duration>,
    /// Silence in a response.
    pub idle: Duration,
    /// Silence in an upgraded connection.
    pub upgrade_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            per_try: None,
            idle: Duration::from_mins(5),
            upgrade_idle: Duration::from_hours(1),
        }
    }
}

/// When a request is sent again, within the cluster's budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries after the first.
    pub attempts: u32,
    /// What is tried again, beyond what never reached an endpoint.
    pub on: Vec<RetryOn>,
    /// Whether the route's POST and PATCH may happen twice: the service says that it knows doubles.
    pub unsafe_methods: bool,
    /// Bytes of a body that are kept for another try; a longer one is sent once.
    pub body_bytes: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 1, on: vec![RetryOn::ConnectionClosed], unsafe_methods: false, body_bytes: 64 << 10 }
    }
}

/// A failure after which a request may be sent again, if its method may happen twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryOn {
    /// A kept connection that closed without a byte of an answer.
    ConnectionClosed,
    /// A reset of the connection or stream.
    Reset,
    /// A try that ran out of its own time.
    PerTry,
    /// 502.
    BadGateway,
    /// 503.
    Unavailable,
    /// 504.
    GatewayTimeout,
}
