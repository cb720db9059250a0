//! Which route a request takes, and what it does to the request.
//!
//! **In:** a [`Request`]: host, path, query, method and headers that have passed the gate.
//! **Out:** the number of the route that takes it, or why there is none; the path that goes upstream; redirects.
//!
//! # Invariants
//! - The most precise route wins, whatever the order of the file: host, then path, method, headers, query; see [`Rank`].
//! - Routes are matched by the normal form of a path; what goes upstream is the path as it came, unless said otherwise.
//! - The time of a match is bounded by the length of the request and the routes of its host, for expressions too.
//!
//! # Where to look
//! `path.rs` the normal form · `pattern.rs`, `host.rs`, `field.rs` what a route asks · `table.rs` and `tree.rs` the
//! search · `contest.rs` the same for people, one route after the other · `rewrite.rs`, `passage.rs` what is sent.

mod contest;
mod entry;
mod field;
mod host;
pub(crate) mod passage;
mod path;
mod pattern;
mod rewrite;
mod table;
mod tree;

use http::{HeaderMap, Method};

pub use contest::{Contest, Entrant, Miss, Rank};
pub(crate) use entry::Entry;
pub use host::HostPattern;
pub use passage::{Asked, Passage, Refused};
pub use path::Path;
pub(crate) use pattern::literal;
pub use table::Table;

/// What routes ask of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The host, without its port.
    pub host: &'a str,
    /// The path.
    pub path: &'a Path<'a>,
    /// The query, without its `?`.
    pub query: Option<&'a str>,
    /// The method.
    pub method: &'a Method,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// What a table has for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// The route with this number.
    Route(usize),
    /// Nothing for the method, but for these: 405.
    OtherMethods(Vec<Method>),
    /// Nothing: 404.
    Nothing,
}
