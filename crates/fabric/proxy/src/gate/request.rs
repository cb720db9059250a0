//! A request that has passed.

use http::{HeaderMap, HeaderValue, Method, Version};

use super::{Authority, Body, Target};

/// A request's head: what it asks, without anything that was meant for the connection it came on.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a head says or does not say")]
pub struct Request {
    /// One of those that [`super::Limits`] lists, or CONNECT with a [`Request::protocol`].
    pub method: Method,
    /// The one host it is for.
    pub authority: Authority,
    /// The path and query.
    pub target: Target,
    /// All fields that are not of the connection and do not frame the body; without `host`.
    pub fields: HeaderMap,
    /// What the client speaks.
    pub version: Version,
    /// How the body comes.
    pub body: Body,
    /// Whether the client lets the connection be used again. Always, in HTTP/2.
    pub keep_alive: bool,
    /// Whether the client waits for a 100 before it sends the body.
    pub expects: bool,
    /// Whether the client says that it understands trailers.
    pub trailers: bool,
    /// The one protocol that the client would like to switch to (HTTP/1.1).
    pub upgrade: Option<HeaderValue>,
    /// The protocol of an extended CONNECT (RFC 8441).
    pub protocol: Option<HeaderValue>,
    /// Whether some field claims who is asking; see [`super::strip_claims`].
    pub claims: bool,
    /// How many fields were dropped for a `_` in their names.
    pub dropped: usize,
}
