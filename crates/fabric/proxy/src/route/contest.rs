//! How a route is chosen, told for people: every route is asked, and what decided is named.
//!
//! It asks one route after the other and shares nothing with [`Table::find`](super::Table::find) but the tests of a
//! single route, so that each is a check of the other.

use std::cmp::Reverse;

use super::entry::Entry;
use super::host::canonical;
use super::pattern::{Pattern, Segment};
use super::{Request, Table};

/// All routes of a listener with what a request makes of them; those that fit come first, the winner at the top.
#[derive(Clone, Debug)]
pub struct Contest {
    /// The routes.
    pub entrants: Vec<Entrant>,
}

/// One route in a contest.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// The route's number.
    pub route: usize,
    /// Where it stands, or why it does not fit.
    pub verdict: Result<Rank, Vec<Miss>>,
}

/// What of a route does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Its hosts.
    Host,
    /// Its path.
    Path,
    /// Its methods.
    Method,
    /// Its headers.
    Headers,
    /// Its query parameters.
    Query,
}

impl Miss {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Path => "path",
            Self::Method => "method",
            Self::Headers => "headers",
            Self::Query => "query",
        }
    }
}

/// Where a route stands: compared from the first to the last, and the smaller wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    host: Reverse<(u8, usize)>,
    path: PathRank,
    without_method: bool,
    headers: Reverse<usize>,
    query: Reverse<usize>,
    order: usize,
}

/// The kinds of paths in the order of their precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PathRank {
    /// How loose each segment is, the first counting most.
    Whole(Vec<u8>),
    /// How many segments it has.
    Prefix(Reverse<usize>),
    /// Its declared priority.
    Regex(Reverse<i32>),
}

impl Rank {
    /// What sets this rank before another.
    pub fn before(&self, other: &Self) -> &'static str {
        if self.host != other.host {
            "its host is more exact"
        } else if self.path != other.path {
            match (&self.path, &other.path) {
                (PathRank::Whole(_), PathRank::Whole(_)) => {
                    "its path has fewer variables, counted from the left"
                }
                (PathRank::Prefix(_), PathRank::Prefix(_)) => "its prefix is longer",
                (PathRank::Regex(_), PathRank::Regex(_)) => "its priority is higher",
                (PathRank::Whole(_), _) => "it means the whole path, not a prefix or regex",
                (_, _) => "a prefix goes before a regex",
            }
        } else if self.without_method != other.without_method {
            "it names the method"
        } else if self.headers != other.headers {
            "it names more headers"
        } else if self.query != other.query {
            "it names more query parameters"
        } else {
            "it comes first in the file"
        }
    }
}

impl Contest {
    /// Asks all routes of a listener.
    pub fn hold(table: &Table, request: &Request<'_>) -> Self {
        let mut entrants: Vec<Entrant> = table
            .entries()
            .map(|(route, entry)| Entrant { route, verdict: judge(entry, route, request) })
            .collect();
        entrants.sort_by(|one, other| match (&one.verdict, &other.verdict) {
            (Ok(one), Ok(other)) => one.cmp(other),
            (one, other) => other.is_ok().cmp(&one.is_ok()),
        });
        Self { entrants }
    }

    /// The route that takes the request.
    pub fn winner(&self) -> Option<usize> {
        self.entrants.first().filter(|entrant| entrant.verdict.is_ok()).map(|entrant| entrant.route)
    }
}

fn judge(entry: &Entry, order: usize, request: &Request<'_>) -> Result<Rank, Vec<Miss>> {
    let host = canonical(request.host);
    let fitting = entry.hosts.iter().filter(|pattern| pattern.fits(&host));
    let exactness = fitting.map(super::HostPattern::exactness).max();
    let checks = [
        (exactness.is_some(), Miss::Host),
        (entry.pattern.fits(request.path.normal(), |_, _| {}), Miss::Path),
        (entry.fits_method(request.method), Miss::Method),
        (entry.headers.iter().all(|test| test.fits(request.headers)), Miss::Headers),
        (entry.query.iter().all(|test| test.fits(request.query)), Miss::Query),
    ];
    let misses: Vec<Miss> = checks.into_iter().filter(|(fits, _)| !fits).map(|(_, miss)| miss).collect();
    match exactness {
        Some(exactness) if misses.is_empty() => Ok(Rank {
            host: Reverse(exactness),
            path: path_rank(entry),
            without_method: entry.methods.is_empty(),
            headers: Reverse(entry.headers.len()),
            query: Reverse(entry.query.len()),
            order,
        }),
        _ => Err(misses),
    }
}

fn path_rank(entry: &Entry) -> PathRank {
    match &entry.pattern {
        Pattern::Whole(parts) => PathRank::Whole(parts.iter().map(Segment::looseness).collect()),
        Pattern::Prefix(parts) => PathRank::Prefix(Reverse(parts.len())),
        Pattern::Regex(_) => PathRank::Regex(Reverse(entry.priority)),
    }
}
