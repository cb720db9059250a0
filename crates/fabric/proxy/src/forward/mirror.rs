//! Copies of requests, whose answers nobody waits for.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::order::Order;
use super::run::Terms;
use super::upload::Upload;
use crate::filter;
use crate::gate::{Asked, Authority, Body, Request, Response};
use crate::model::Action;
use crate::plane::Plane;
use crate::upstream::{Desk, Pool, Wanted};
use crate::wire::{Broken, Channel, Frame};

/// A copy that is sent once the request has ended.
pub(super) struct Mirrored {
    request: Request,
    desk: Arc<Desk>,
    pool: Arc<Pool>,
    plane: Arc<Plane>,
    total: Duration,
}

impl Mirrored {
    /// The copy of a request, as it goes upstream, if its route wants one.
    pub(super) fn of(order: &Order, terms: &Terms<'_>, request: &Request) -> Option<Self> {
        let (route, _) = order.rule()?;
        let Action::Forward(forward) = &route.action else { return None };
        let mirror = forward.mirror.as_ref()?;
        let length = match request.body {
            Body::Empty => Some(0),
            Body::Known(length) => Some(length),
            Body::Chunked | Body::UntilClose | Body::Framed => None,
        };
        let hash = terms.plane.hash().hash(&terms.id.to_be_bytes());
        if request.upgrade.is_some() || !filter::mirrors(mirror, &request.method, length, hash) {
            return None;
        }
        let cluster = order.local.force().plan().mirror(order.route?)?;
        let mut request = Request { expects: false, ..request.clone() };
        if mirror.shadow_host {
            request.authority = shadow(&request.authority)?;
        }
        Some(Self {
            request,
            desk: Arc::clone(order.local.desk(cluster)),
            pool: Arc::clone(terms.pool),
            plane: Arc::clone(terms.plane),
            total: route.timeouts.total,
        })
    }

    /// Sends it on a task of its own, if all of its body has come.
    pub(super) fn send(self, upload: &mut Upload) {
        let Some(body) = upload.take_copy() else { return };
        tokio::spawn(async move {
            let total = self.total;
            // It is late or lost; nobody waits for it.
            let _ = tokio::time::timeout(total, self.carry_out(body)).await;
        });
    }

    async fn carry_out(self, body: Vec<Bytes>) {
        let upstream = self.desk.upstream();
        let Some(_permit) = upstream.gates().requests.enter() else { return };
        let Some(mut place) = self.desk.take(self.plane.now(), &Wanted::default()) else { return };
        let host = &self.request.authority;
        let lease = self.pool.lease(upstream, &place.member, host).await;
        let exchanged = match lease.and_then(|lease| lease.begin(&self.request)) {
            Err(error) if !error.speaks_against_the_endpoint() => return,
            Err(_) => None,
            Ok((mut server, hold)) => {
                let head = self.request.method == Method::HEAD;
                exchange(&mut server, body, head).await.ok().map(|response| (server, hold, response))
            }
        };
        match exchanged {
            None => place.failed(self.plane.now()),
            Some((server, hold, response)) => {
                place.answered(self.plane.now(), false, false);
                if let Channel::One(connection) = server
                    && response.keep_alive
                {
                    let kept_for = response.kept_for;
                    self.pool.give_back(upstream, &place.member, host, connection, hold, kept_for);
                }
            }
        }
    }
}

/// Sends a body and drops that of the answer.
async fn exchange(server: &mut Channel, body: Vec<Bytes>, head: bool) -> Result<Response, Broken> {
    if !body.is_empty() {
        for piece in body {
            poll_fn(|cx| server.poll_room(cx)).await?;
            server.put_data(piece);
        }
        poll_fn(|cx| server.poll_room(cx)).await?;
        server.put_end(HeaderMap::new())?;
    }
    poll_fn(|cx| server.poll_flush(cx)).await?;
    let asked = Asked { head, upgrade: None };
    // Bound: informational responses, within the time of the copy.
    let response = loop {
        let response = poll_fn(|cx| server.poll_response(cx, &asked)).await?;
        if !response.is_informational() {
            break response;
        }
    };
    // Bound: the pieces of a response, within the time of the copy.
    while let Frame::Data(_) = poll_fn(|cx| server.poll_body(cx)).await? {}
    Ok(response)
}

/// `shop.example:80` as `shop.example-shadow:80`.
fn shadow(authority: &Authority) -> Option<Authority> {
    let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
    Authority::read(Bytes::from(format!("{}-shadow{port}", authority.host()))).ok()
}
