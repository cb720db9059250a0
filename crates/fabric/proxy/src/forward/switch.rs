//! The switch of a connection or stream to another protocol.

use http::StatusCode;
use http::header::{HeaderValue, SEC_WEBSOCKET_ACCEPT};

use super::Failure;
use super::attempts::{Attempts, Try};
use super::run::stream_head;
use super::upload::Upload;
use super::{tunnel, websocket};
use crate::gate::{Request, Response};
use crate::upstream::Lease;
use crate::wire::Channel;

/// What a client of HTTP/1.1 is told when a stream to the endpoint has switched to a WebSocket.
pub(super) struct Consent(Option<HeaderValue>);

/// A switch of protocols that an endpoint has consented to.
pub(super) struct Switch<'a> {
    pub(super) upgrade: &'a HeaderValue,
    /// Whether it is a stream that switches.
    pub(super) on_stream: Option<Consent>,
    pub(super) tried: &'a Try<'a>,
}

/// Makes ready for a switch on a stream to the endpoint, and gives what its consent is to a client of HTTP/1.1. None
/// when there is no stream, or nothing to switch to.
pub(super) fn prepare_switch(
    request: &Request,
    lease: &Lease,
    upload: &mut Upload,
) -> Result<Option<Consent>, Failure> {
    if request.upgrade.is_none() || lease.is_lone() {
        return Ok(None);
    }
    if !request.body.is_empty() || !lease.may_switch() {
        return Err(Failure::NoUpgrade);
    }
    let consent = websocket::consent(request)?;
    // What the client sends is for the protocol that the stream switches to.
    upload.end();
    Ok(Some(Consent(consent)))
}

impl Attempts<'_, '_> {
    /// Tells the client of the switch, and passes bytes on both ways until it ends.
    pub(super) async fn switch(
        &mut self,
        server: &mut Channel,
        response: Response,
        to: Switch<'_>,
    ) -> Result<bool, Failure> {
        let Response { mut fields, .. } = response;
        match (to.on_stream, to.tried.socket) {
            (Some(Consent(accept)), _) => {
                fields.remove(SEC_WEBSOCKET_ACCEPT);
                let one = matches!(self.client, Channel::One(_));
                if let Some(accept) = accept.filter(|_| one) {
                    fields.insert(SEC_WEBSOCKET_ACCEPT, accept);
                }
            }
            (None, Some(handshake)) => handshake.check(&mut fields)?,
            (None, None) => {}
        }
        if let Channel::One(server) = server {
            server.tunnel();
        }
        self.account.status_sent = true;
        match self.client {
            Channel::One(client) => {
                self.account.status = StatusCode::SWITCHING_PROTOCOLS;
                client.put_switch(&fields, to.upgrade.as_bytes());
                client.tunnel();
            }
            Channel::Two(stream) => {
                self.account.status = StatusCode::OK;
                let head = stream_head(StatusCode::OK, fields, None);
                stream.put_response(head, false).map_err(Failure::ClientGone)?;
            }
        }
        let (idle, frames) = (to.tried.route.timeouts.upgrade_idle, websocket::is_websocket(to.upgrade));
        tunnel::run(self.client, server, self.terms.alarm, idle, frames).await?;
        Ok(false)
    }
}
