//! One route, compiled.

use http::Method;

use super::field::{HeaderTest, QueryTest};
use super::host::HostPattern;
use super::pattern::Pattern;
use super::{Request, rewrite};
use crate::model::{Action, Faults, PathMatch, PathRewrite, Route};

/// What a route asks of a request, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) pattern: Pattern,
    pub(crate) methods: Vec<Method>,
    pub(crate) headers: Vec<HeaderTest>,
    pub(crate) query: Vec<QueryTest>,
    pub(crate) priority: i32,
}

impl Entry {
    /// Compiles what a route asks; its faults are noted.
    pub(crate) fn compile(route: &Route, faults: &mut Faults<'_>) -> Option<Self> {
        let hosts: Vec<Option<HostPattern>> =
            route.hosts.iter().map(|host| faults.keep("hosts", HostPattern::read(host))).collect();
        let mut headers = Vec::new();
        for (at, wanted) in route.headers.iter().enumerate() {
            headers.push(faults.keep(&format!("header[{at}]"), HeaderTest::compile(wanted)));
        }
        let mut query = Vec::new();
        for (at, wanted) in route.query.iter().enumerate() {
            query.push(faults.keep(&format!("query[{at}]"), QueryTest::compile(wanted)));
        }
        let pattern = faults.keep(key(&route.path), Pattern::compile(&route.path))?;
        check_rewrite(route, &pattern, faults);
        let mut hosts: Vec<HostPattern> = hosts.into_iter().collect::<Option<_>>()?;
        if hosts.is_empty() {
            hosts.push(HostPattern::Any);
        }
        Some(Self {
            hosts,
            pattern,
            methods: route.methods.clone(),
            headers: headers.into_iter().collect::<Option<_>>()?,
            query: query.into_iter().collect::<Option<_>>()?,
            priority: route.priority,
        })
    }

    pub(crate) fn fits_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
    }

    /// Whether headers and query fit.
    pub(crate) fn fits_fields(&self, request: &Request<'_>) -> bool {
        self.headers.iter().all(|test| test.fits(request.headers))
            && self.query.iter().all(|test| test.fits(request.query))
    }

    /// Where it stands among routes for the same path: lower goes first.
    pub(crate) fn looseness(&self) -> (bool, std::cmp::Reverse<usize>, std::cmp::Reverse<usize>) {
        let reverse = std::cmp::Reverse;
        (self.methods.is_empty(), reverse(self.headers.len()), reverse(self.query.len()))
    }
}

/// The key under which a path is written.
fn key(path: &PathMatch) -> &'static str {
    match path {
        PathMatch::Exact(_) => "path",
        PathMatch::Template(_) => "template",
        PathMatch::Prefix(_) => "prefix",
        PathMatch::Regex(_) => "regex",
    }
}

fn check_rewrite(route: &Route, pattern: &Pattern, faults: &mut Faults<'_>) {
    let (place, wanted) = match &route.action {
        Action::Forward(forward) => ("rewrite", &forward.path),
        Action::Redirect(redirect) => ("redirect", &redirect.path),
        Action::Respond(_) => return,
    };
    match wanted {
        None => {}
        Some(PathRewrite::Prefix(prefix)) => {
            let key = format!("{place}.prefix");
            let prefixed = matches!(pattern, Pattern::Prefix(_));
            faults.demand(prefixed, &key, "only a route with a `prefix` has one that can be replaced");
            faults.keep(&key, rewrite::check_prefix(prefix));
        }
        Some(PathRewrite::Template(template)) => {
            faults.keep(&format!("{place}.path"), rewrite::check_template(template, &pattern.variables()));
        }
    }
}
