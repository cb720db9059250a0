//! How large a message may be.

use http::Method;

use crate::model::Bounds;

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
pub(crate) const FIELDS_MAX: usize = 256;

/// Methods that pass without being listed.
const USUAL: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// The longest method in bytes.
pub(super) const METHOD_BYTES_MAX: usize = 32;

impl Default for Limits {
    fn default() -> Self {
        Self::of(&Bounds::default())
    }
}

impl Limits {
    /// As a listener has them; no methods pass but the usual ones.
    pub fn of(bounds: &Bounds) -> Self {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            target_bytes_max: bytes(bounds.target_bytes),
            head_bytes_max: bytes(bounds.header_bytes),
            fields_max: usize::try_from(bounds.header_count).unwrap_or(usize::MAX),
            methods: Vec::new(),
            underscores: false,
        }
    }

    /// Whether a method passes.
    pub fn lists(&self, method: &Method) -> bool {
        USUAL.contains(method) || self.methods.contains(method)
    }

    /// The methods that pass, as `Allow` lists them.
    pub(crate) fn allowed(&self) -> String {
        let names: Vec<&str> = USUAL.iter().chain(&self.methods).map(Method::as_str).collect();
        names.join(", ")
    }
}
