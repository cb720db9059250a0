//! What goes upstream of a path, and where a client is sent instead.

use std::borrow::Cow;

use super::entry::Entry;
use super::{Path, rewrite};
use crate::model::{Action, EncodedSlash, PathMode, Redirect, Route, Scheme};

/// What becomes of a request's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage<'a> {
    /// This path goes on.
    Forward(Cow<'a, str>),
    /// The client is sent to this path, by 307.
    Redirect(String),
    /// It is answered 400.
    Refuse(Refused),
}

/// Why a path does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not in normal form, which the route demands.
    NotNormal,
    /// It has `%2F`, `%5C`, `\` or `..;`, which programs read in different ways.
    Doubtful,
}

impl Refused {
    /// For the answer.
    pub fn message(self) -> &'static str {
        match self {
            Self::NotNormal => "the path is not in normal form, and this route takes no other",
            Self::Doubtful => "the path has `%2F`, `%5C`, `\\` or `..;`, and this route takes none of them",
        }
    }
}

/// What the route makes of the path that it was chosen for.
pub(crate) fn of<'a>(route: &Route, entry: &Entry, path: &'a Path<'_>) -> Passage<'a> {
    if path.is_doubtful() {
        match route.encoded_slash {
            EncodedSlash::Keep => {}
            EncodedSlash::Reject => return Passage::Refuse(Refused::Doubtful),
            EncodedSlash::Redirect => return Passage::Redirect(path.separated()),
        }
    }
    if route.path_mode == PathMode::Reject && !path.is_normal() {
        return Passage::Refuse(Refused::NotNormal);
    }
    let wanted = match &route.action {
        Action::Forward(forward) => forward.path.as_ref(),
        Action::Redirect(_) | Action::Respond(_) => None,
    };
    Passage::Forward(match (wanted, route.path_mode) {
        // What is rewritten is the normal form: the prefix of another form may be written in other bytes.
        (Some(wanted), _) => Cow::Owned(rewrite::apply(wanted, &entry.pattern, path.normal())),
        (None, PathMode::Raw) => Cow::Borrowed(path.raw()),
        (None, PathMode::Normalized | PathMode::Reject) => Cow::Borrowed(path.normal()),
    })
}

/// How a client asked, as far as a redirect keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The scheme of its connection.
    pub scheme: Scheme,
    /// The host, without its port.
    pub host: &'a str,
    /// The port that it named.
    pub port: Option<u16>,
    /// The path.
    pub path: &'a Path<'a>,
    /// The query, without its `?`.
    pub query: Option<&'a str>,
}

/// The URL of a redirect's `Location`.
pub(crate) fn location(redirect: &Redirect, entry: &Entry, asked: &Asked<'_>) -> String {
    let scheme = redirect.scheme.unwrap_or(asked.scheme);
    // Another scheme has another server, and its own port.
    let port = redirect.port.or(if redirect.scheme.is_some() { None } else { asked.port });
    let port = port.filter(|port| *port != scheme.port()).map(|port| format!(":{port}"));
    let path = match &redirect.path {
        None => Cow::Borrowed(asked.path.raw()),
        Some(wanted) => Cow::Owned(rewrite::apply(wanted, &entry.pattern, asked.path.normal())),
    };
    let query = asked.query.map(|query| format!("?{query}"));
    let host = redirect.host.as_deref().unwrap_or(asked.host);
    format!("{}://{host}{}{path}{}", scheme.name(), port.unwrap_or_default(), query.unwrap_or_default())
}
