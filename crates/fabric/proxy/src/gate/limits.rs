//! How large a message may be.

use http::Method;

/// Bounds of a message's parts.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest request target in bytes; longer ones are answered 414.
    pub target_bytes_max: usize,
    /// The largest head in bytes, start line and fields together, and also the largest section of trailers.
    pub head_bytes_max: usize,
    /// The most fields of a head.
    pub fields_max: usize,
    /// Methods that pass beside GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.
    pub methods: Vec<Method>,
    /// Whether fields with `_` in their names pass. Programs behind us that turn `-` into `_` cannot tell them
    /// from others, so they are dropped unless this is set.
    pub underscores: bool,
}

/// More fields than this are never read, whatever [`Limits::fields_max`] says.
pub(super) const FIELDS_MAX: usize = 256;

/// The longest method in bytes.
pub(super) const METHOD_BYTES_MAX: usize = 32;

impl Default for Limits {
    fn default() -> Self {
        Self {
            target_bytes_max: 16 << 10,
            head_bytes_max: 32 << 10,
            fields_max: 100,
            methods: Vec::new(),
            underscores: false,
        }
    }
}

impl Limits {
    pub(super) fn lists(&self, method: &Method) -> bool {
        const USUAL: [Method; 7] = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ];
        USUAL.contains(method) || self.methods.contains(method)
    }
}
