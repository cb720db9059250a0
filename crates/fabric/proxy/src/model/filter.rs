//! What is done to requests and responses on the way.

use std::time::Duration;

use http::Method;

/// The filters of a route, in the order in which they act on a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// How often requests may come.
    pub limits: Vec<RateLimit>,
    /// Which pages of other origins may read responses.
    pub cors: Option<Cors>,
    /// Whether calls of gRPC-Web are put into gRPC, and its answers back.
    pub grpc_web: bool,
    /// Changes of the request's headers.
    pub request_headers: HeaderChanges,
    /// Changes of the response's headers.
    pub response_headers: HeaderChanges,
    /// Making responses smaller.
    pub compression: Option<Compression>,
}

/// How often requests with the same key may come.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimit {
    /// Its name, in metrics and in the `RateLimit` header.
    pub name: String,
    /// Requests in a time.
    pub requests: u32,
    /// That time.
    pub per: Duration,
    /// How many may come at once; as many as in the time without it.
    pub burst: Option<u32>,
    /// What of a request is counted by.
    pub key: LimitKey,
    /// Whether responses carry `X-RateLimit-Limit`, `-Remaining` and `-Reset` too.
    pub legacy_headers: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            name: String::new(),
            requests: 100,
            per: Duration::from_secs(1),
            burst: None,
            key: LimitKey::default(),
            legacy_headers: false,
        }
    }
}

/// What of a request a limit counts by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LimitKey {
    /// All requests of the route together.
    #[default]
    Route,
    /// The client's address; of IPv6 its first 64 bits.
    Client,
    /// The host.
    Host,
    /// A header's value.
    Header(String),
}

/// Which pages of other origins may read responses.
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// `https://app.example`, `https://*.example`, `*`, `null`.
    pub origins: Vec<String>,
    /// Methods that they may use.
    pub methods: Vec<Method>,
    /// Request headers that they may set; `*` for all but `Authorization`.
    pub headers: Vec<String>,
    /// Response headers that they may read.
    pub expose: Vec<String>,
    /// Whether cookies and authorization go along.
    pub credentials: bool,
    /// How long a browser keeps the answer to a preflight.
    pub max_age: Duration,
}

impl Default for Cors {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            methods: vec![Method::GET, Method::HEAD, Method::POST],
            headers: Vec::new(),
            expose: Vec::new(),
            credentials: false,
            max_age: Duration::from_mins(10),
        }
    }
}

/// Changes of a header section: first what is removed, then what is set, then what is added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderChanges {
    /// Names that go.
    pub remove: Vec<String>,
    /// Names that have this value alone.
    pub set: Vec<(String, String)>,
    /// Names that have this value too.
    pub add: Vec<(String, String)>,
}

/// Which responses are compressed, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Compression {
    /// Codings, the one that is liked best first.
    pub codings: Vec<Coding>,
    /// Media types, without parameters.
    pub types: Vec<String>,
    /// Smaller responses stay as they are.
    pub bytes_min: u64,
}

impl Default for Compression {
    fn default() -> Self {
        let types = [
            "application/javascript",
            "application/json",
            "application/problem+json",
            "application/xhtml+xml",
            "application/xml",
            "image/svg+xml",
            "text/css",
            "text/html",
            "text/javascript",
            "text/plain",
            "text/xml",
        ];
        Self {
            codings: vec![Coding::Zstd, Coding::Brotli, Coding::Gzip],
            types: types.map(str::to_owned).to_vec(),
            bytes_min: 1 << 10,
        }
    }
}

/// A coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`.
    Gzip,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl Coding {
    /// As it stands in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}
