//! Why a request takes the route that it takes.

use std::fmt::Write;

use coreto_proxy::gate::{Authority, Fault, Limits, Target};
use coreto_proxy::model::{Action, Plan, Scheme};
use coreto_proxy::route::{Asked, Contest, Entrant, Match, Passage, Path, Request};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::Config;

/// A request that somebody asks about.
#[derive(Clone, Debug)]
pub struct Question {
    method: Method,
    scheme: Scheme,
    authority: Authority,
    target: Target,
    headers: HeaderMap,
}

impl Question {
    /// A method, a URL such as `http://api.example/orders?v=2`, and headers such as `x-beta: 1`.
    ///
    /// # Errors
    /// What of it cannot be asked.
    pub fn read(method: &str, url: &str, headers: &[String]) -> Result<Self, String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("`{method}` is no method"))?;
        let (scheme, rest) = if let Some(rest) = url.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else if let Some(rest) = url.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else {
            return Err(format!("`{url}` is no URL of the web: write `http://api.example/orders`"));
        };
        // What the gate does not let pass has no route.
        let refused = |fault: Fault| format!("`{url}` is refused before any route: {fault}");
        let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = Authority::read(host.to_owned().into()).map_err(refused)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let target = Target::read(target.into(), &Limits::default()).map_err(refused)?;
        let mut known = HeaderMap::new();
        for header in headers {
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| format!("`{header}` is no header: write `name: value`"))?;
            let bad = || format!("`{header}` cannot be a header");
            let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| bad())?;
            known.append(name, HeaderValue::from_str(value.trim()).map_err(|_| bad())?);
        }
        Ok(Self { method, scheme, authority, target, headers: known })
    }
}

/// The answer, as lines for people: who took part, who won and why, and what becomes of the request.
pub fn explain(config: &Config, question: &Question) -> String {
    let path = Path::read(question.target.path());
    let request = Request {
        host: question.authority.host(),
        path: &path,
        query: question.target.query(),
        method: &question.method,
        headers: &question.headers,
    };
    let plan = &config.plan;
    let mut out = String::new();
    for (number, listener) in plan.model().listeners.iter().enumerate() {
        let secure = listener.tls.is_some();
        if secure == (question.scheme == Scheme::Https) {
            let _ = writeln!(out, "listener `{}` at {}", listener.name, listener.address);
            if !path.is_normal() {
                let _ = writeln!(out, "  the path is matched as {}", path.normal());
            }
            tell(&mut out, plan, number, &request, question);
        }
    }
    if out.is_empty() {
        let _ = writeln!(out, "no listener speaks {}", question.scheme.name());
    }
    out
}

fn tell(out: &mut String, plan: &Plan, listener: usize, request: &Request<'_>, question: &Question) {
    let preflight = plan.preflight(listener, request);
    // The routes of a preflight are those of the request that would follow.
    let meant = preflight.as_ref().map_or(*request, |(_, method)| Request { method, ..*request });
    let contest = Contest::hold(plan.table(listener), &meant);
    let fitting: Vec<&Entrant> = contest.entrants.iter().filter(|entrant| entrant.verdict.is_ok()).collect();
    for pair in 0..fitting.len() {
        let name = &plan.route(fitting[pair].route).name;
        let next = fitting.get(pair + 1).and_then(|next| next.verdict.as_ref().ok().map(|rank| (next, rank)));
        let why = match (&fitting[pair].verdict, next) {
            (Ok(rank), Some((next, other))) => {
                format!(" goes before `{}`: {}", plan.route(next.route).name, rank.before(other))
            }
            _ => " fits".to_owned(),
        };
        let _ = writeln!(out, "  {} `{name}`{why}", if pair == 0 { "→" } else { " " });
    }
    for entrant in &contest.entrants {
        if let Err(misses) = &entrant.verdict {
            let misses: Vec<&str> = misses.iter().map(|miss| miss.name()).collect();
            let _ = writeln!(
                out,
                "    `{}` does not fit by {}",
                plan.route(entrant.route).name,
                misses.join(", ")
            );
        }
    }
    let outcome = match plan.table(listener).find(request) {
        _ if !plan.limits(listener).lists(request.method) => {
            format!("405: no route of this listener names {}, which is no usual method", request.method)
        }
        _ if preflight.is_some() => "204 by the gateway itself: a preflight".to_owned(),
        Match::Route(route) => outcome(plan, route, request, question),
        Match::OtherMethods(methods) => {
            let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
            format!("405: there are routes for {}", names.join(", "))
        }
        Match::Nothing => "404: no route fits".to_owned(),
    };
    let _ = writeln!(out, "  {outcome}");
}

/// What becomes of a request that has a route.
fn outcome(plan: &Plan, number: usize, request: &Request<'_>, question: &Question) -> String {
    let route = plan.route(number);
    let sent = match plan.passage(number, request.path) {
        Passage::Forward(path) => path,
        Passage::Redirect(path) => return format!("307 to {path}"),
        Passage::Refuse(why) => return format!("400: {}", why.message()),
    };
    match &route.action {
        Action::Redirect(redirect) => {
            let asked = Asked {
                scheme: question.scheme,
                host: request.host,
                port: question.authority.port(),
                path: request.path,
                query: request.query,
            };
            format!("{} to {}", redirect.status, plan.location(number, redirect, &asked))
        }
        Action::Respond(respond) => format!("{} by the gateway itself", respond.status),
        Action::Forward(forward) => {
            let sum: u32 = forward.to.iter().map(|split| split.weight).sum();
            let share = |weight: u32| {
                if forward.to.len() == 1 { String::new() } else { format!(" ({weight} of {sum})") }
            };
            let to: Vec<String> = forward
                .to
                .iter()
                .map(|split| format!("cluster `{}`{}", split.cluster, share(split.weight)))
                .collect();
            let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
            let host = forward.host.as_deref().unwrap_or(question.authority.as_str());
            format!("to {} as {} {sent}{query}, host {host}", to.join(" or "), request.method)
        }
    }
}
