//! A response that has passed.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};

use super::Body;

/// What a response answers, as far as its reading depends on it.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Whether the request was HEAD, whose response has no body whatever it says.
    pub head: bool,
    /// The protocol that the request asked to switch to.
    pub upgrade: Option<HeaderValue>,
}

/// A response's head, without anything that was meant for the connection it came on.
#[derive(Clone, Debug)]
pub struct Response {
    /// 100 to 599.
    pub status: StatusCode,
    /// All fields that are not of the connection and do not frame the body.
    pub fields: HeaderMap,
    /// How the body comes.
    pub body: Body,
    /// What `content-length` says; also of bodies that are left out.
    pub length: Option<u64>,
    /// Whether the connection may be used again after this response.
    pub keep_alive: bool,
    /// How long the server keeps it unused, where it says so.
    pub kept_for: Option<Duration>,
}

impl Response {
    /// Whether another response follows: any 1xx but 101.
    pub fn is_informational(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }
}
