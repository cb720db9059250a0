//! From a request to what is to be done with it: route, path, filters, side of a split.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use super::order::{Deed, Order, Way};
use super::{Answer, Client, Failure};
use crate::balance::Cookies;
use crate::filter::{self, Cross};
use crate::gate::{Limits, Request, Target};
use crate::hash::Keyed;
use crate::limit::Verdict;
use crate::model::{Action, Balance, Forward, HashKey, LimitKey, Redirect, Scheme, SplitBy};
use crate::plane::{InForce, Limit, Local, Plane};
use crate::route::{self, Match, Passage, Path};

/// Decides what is to be done with a request, and counts it with the limits of its route. `id` is the request's own.
pub(crate) fn decide(
    plane: &Plane,
    local: Arc<Local>,
    client: &Client,
    request: &Request,
    id: u128,
) -> (Order, Deed) {
    let refuse = |local, failure| (Order { local, route: None, verdicts: Vec::new() }, Deed::Refuse(failure));
    if client.is_misdirected(request) {
        return refuse(local, Failure::Misdirected);
    }
    if let Some(text) = plane.challenges().text(request.target.path()) {
        let mut answer = Answer::bare(StatusCode::OK);
        answer.fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        answer.body = text;
        return (Order { local, route: None, verdicts: Vec::new() }, Deed::Answer(answer));
    }
    let force = Arc::clone(local.force());
    let Some(listener) = force.listener(client.door().bound.id) else {
        // It is gone, and so is the time for its last requests.
        return refuse(local, Failure::Cut);
    };
    let path = Path::read(request.target.path());
    let asked = route::Request {
        host: request.authority.host(),
        path: &path,
        query: request.target.query(),
        // A stream that opens a WebSocket is what a GET that switches is on HTTP/1.1.
        method: if request.protocol.is_some() { &Method::GET } else { &request.method },
        headers: &request.fields,
    };
    let plan = force.plan();
    let preflight = plan.preflight(listener, &asked).map(|(route, _)| Match::Route(route));
    let route = match preflight.unwrap_or_else(|| plan.table(listener).find(&asked)) {
        Match::Route(route) => route,
        Match::OtherMethods(methods) => return refuse(local, Failure::NoMethod(methods)),
        Match::Nothing => return refuse(local, Failure::NoRoute),
    };
    let mut decision =
        Decision { plane, force: &force, client, request, path: &path, route, id, verdicts: Vec::new() };
    let deed = decision.deed().unwrap_or_else(Deed::Refuse);
    let verdicts = decision.verdicts;
    (Order { local, route: Some(route), verdicts }, deed)
}

struct Decision<'a> {
    plane: &'a Plane,
    force: &'a InForce,
    client: &'a Client,
    request: &'a Request,
    path: &'a Path<'a>,
    route: usize,
    id: u128,
    verdicts: Vec<Verdict>,
}

impl Decision<'_> {
    fn deed(&mut self) -> Result<Deed, Failure> {
        self.count()?;
        let plan = self.force.plan();
        let route = plan.route(self.route);
        if route.filters.cors.is_some()
            && filter::cross(&self.request.method, &self.request.fields) == Cross::Preflight
        {
            return Ok(Deed::Answer(Answer::bare(StatusCode::NO_CONTENT)));
        }
        let passage = plan.passage(self.route, self.path);
        let path = match passage {
            Passage::Forward(path) => path,
            Passage::Redirect(path) => {
                let query = self.request.target.query().map(|query| format!("?{query}"));
                let location = format!("{path}{}", query.unwrap_or_default());
                return Ok(Deed::Answer(redirect(StatusCode::TEMPORARY_REDIRECT, location)));
            }
            Passage::Refuse(refused) => return Err(Failure::Path(refused)),
        };
        match &route.action {
            Action::Respond(_) => {
                let made = self.force.rule(self.route).answer.clone();
                Ok(Deed::Answer(made.expect("it is made with the route")))
            }
            Action::Redirect(redirect) => Ok(Deed::Answer(self.redirect(redirect))),
            Action::Forward(forward) => {
                let same = path == self.request.target.path();
                let target = if same { None } else { Some(self.target(&path)?) };
                let cluster = self.side(forward).ok_or(Failure::NoEndpoint)?;
                let (key, token) = self.keys(cluster);
                Ok(Deed::Forward(Way { cluster, target, key, token }))
            }
        }
    }

    /// Counts the request with the limits of its route; those by client come first.
    fn count(&mut self) -> Result<(), Failure> {
        let limits = &self.force.rule(self.route).limits;
        if limits.is_empty() {
            return Ok(());
        }
        let now = self.plane.now();
        for limit in limits {
            let verdict = limit.ask(now, self.limit_key(limit));
            self.verdicts.push(verdict);
            if let Verdict::Limited { wait } = verdict {
                return Err(Failure::Limited(wait));
            }
        }
        Ok(())
    }

    fn limit_key(&self, limit: &Limit) -> u64 {
        let hash = self.plane.hash();
        match &limit.model.key {
            LimitKey::Route => 0,
            LimitKey::Client => of_client(hash, self.client.address_of(self.request)),
            LimitKey::Host => {
                hash.hash(self.request.authority.host().trim_end_matches('.').to_ascii_lowercase().as_bytes())
            }
            LimitKey::Header(_) => {
                let value = limit.header.as_ref().and_then(|name| self.request.fields.get(name));
                hash.hash(value.map_or(&b""[..], HeaderValue::as_bytes))
            }
        }
    }

    fn redirect(&self, to: &Redirect) -> Answer {
        let asked = route::Asked {
            scheme: if self.client.secure { Scheme::Https } else { Scheme::Http },
            host: self.request.authority.host(),
            port: self.request.authority.port(),
            path: self.path,
            query: self.request.target.query(),
        };
        let status = StatusCode::from_u16(to.status).unwrap_or(StatusCode::FOUND);
        redirect(status, self.force.plan().location(self.route, to, &asked))
    }

    /// Another path, with the query as it came.
    fn target(&self, path: &str) -> Result<Target, Failure> {
        let query = self.request.target.query();
        let mut text = BytesMut::with_capacity(path.len() + query.map_or(0, |query| query.len() + 1));
        text.put_slice(path.as_bytes());
        if let Some(query) = query {
            text.put_u8(b'?');
            text.put_slice(query.as_bytes());
        }
        let limits = Limits { target_bytes_max: usize::MAX, ..Limits::default() };
        Ok(Target::read(text.freeze(), &limits)?)
    }

    /// The cluster that the request goes to.
    fn side(&self, forward: &Forward) -> Option<usize> {
        let shares = self.force.plan().shares(self.route);
        if let [only] = shares {
            return (only.weight > 0).then_some(only.cluster);
        }
        let hash = self.plane.hash();
        let by = match &forward.split_by {
            SplitBy::Request => None,
            SplitBy::Client => Some(of_client(hash, self.client.address_of(self.request))),
            SplitBy::Header(name) => header_value(&self.request.fields, name).map(|value| hash.hash(value)),
            SplitBy::Cookie(name) => cookie(&self.request.fields, name).map(|value| hash.hash(value)),
        };
        // Who has nothing to be known by is sent by chance.
        filter::side(shares, by.unwrap_or_else(|| hash.hash(&self.id.to_le_bytes())))
    }

    /// What a ring goes by, and what a cookie says of an endpoint.
    fn keys(&self, cluster: usize) -> (Option<u64>, Option<u64>) {
        let upstream = &self.force.upstreams()[cluster];
        let fields = &self.request.fields;
        match &upstream.cluster().balance {
            Balance::P2c | Balance::RoundRobin | Balance::LeastRequest => (None, None),
            Balance::RingHash(ring) => {
                let value = match &ring.key {
                    HashKey::Client => {
                        return (Some(of_client(RING, self.client.address_of(self.request))), None);
                    }
                    HashKey::Header(name) => header_value(fields, name),
                    HashKey::Cookie(name) => cookie(fields, name),
                    HashKey::Path => Some(self.path.normal().as_bytes()),
                };
                (value.map(|value| RING.hash(value)), None)
            }
            Balance::Sticky(_) => {
                let value = upstream.cookies().and_then(|cookies| cookie(fields, cookies.name()));
                (None, value.and_then(Cookies::read))
            }
        }
    }
}

/// The same on all nodes, so that they agree on endpoints.
const RING: Keyed = Keyed::new([0x006b_6579, 0x6f66_7269_6e67]);

/// Of an IPv6 address the network of its site: one client has all the rest.
fn of_client(hash: Keyed, address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => hash.hash(&address.octets()),
        IpAddr::V6(address) => hash.hash(&address.octets()[..8]),
    }
}

fn header_value<'h>(fields: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    fields.get(name).map(HeaderValue::as_bytes)
}

fn cookie<'h>(fields: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let pairs = fields.get_all(header::COOKIE).iter();
    pairs.flat_map(|value| value.as_bytes().split(|byte| *byte == b';')).find_map(|pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        value.strip_prefix(b"=")
    })
}

fn redirect(status: StatusCode, location: String) -> Answer {
    let mut answer = Answer::bare(status);
    if let Ok(location) = HeaderValue::from_maybe_shared(Bytes::from(location)) {
        answer.fields.insert(header::LOCATION, location);
    }
    answer
}
