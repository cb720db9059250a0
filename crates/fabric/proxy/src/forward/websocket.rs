//! Protocols that a stream of HTTP/2 is switched to (RFC 8441), where the other side speaks HTTP/1.1.
//!
//! On the way a request that switches looks as on HTTP/1.1, whatever its client speaks; an endpoint of HTTP/2 is asked
//! by what `upstream` makes of it.

use aws_lc_rs::digest;
use http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use http::{HeaderMap, HeaderValue, Method};

use super::Failure;
use crate::base64;
use crate::gate::{Body, Request};

/// What an endpoint's consent is checked by.
#[derive(Debug)]
pub(super) struct Handshake {
    /// None when the protocol is another than WebSocket, which has no such thing.
    accept: Option<String>,
}

/// RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Makes a request that switches on HTTP/1.1 of one that opens a stream. The key is of our own: the stream has none.
pub(super) fn translate(request: &mut Request, protocol: HeaderValue, id: u128) -> Handshake {
    request.method = Method::GET;
    request.body = Body::Empty;
    let websocket = is_websocket(&protocol);
    request.upgrade = Some(protocol);
    if !websocket {
        return Handshake { accept: None };
    }
    let key = base64::encode(&id.to_le_bytes());
    let accept = accept(key.as_bytes());
    let fields = &mut request.fields;
    fields.remove(SEC_WEBSOCKET_ACCEPT);
    fields.insert(SEC_WEBSOCKET_KEY, HeaderValue::try_from(key).expect("it is ASCII"));
    fields.entry(SEC_WEBSOCKET_VERSION).or_insert(HeaderValue::from_static("13"));
    Handshake { accept: Some(accept) }
}

/// What a client of HTTP/1.1 is told when an endpoint of HTTP/2 has consented to a WebSocket; none when the request
/// asks for another protocol.
pub(super) fn consent(request: &Request) -> Result<Option<HeaderValue>, Failure> {
    if !request.upgrade.as_ref().is_some_and(is_websocket) {
        return Ok(None);
    }
    let key = request.fields.get(SEC_WEBSOCKET_KEY).ok_or(Failure::NoKey)?;
    Ok(Some(HeaderValue::try_from(accept(key.as_bytes())).expect("it is ASCII")))
}

pub(super) fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket")
}

fn accept(key: &[u8]) -> String {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key);
    context.update(GUID);
    base64::encode(context.finish().as_ref())
}

impl Handshake {
    /// Whether the endpoint has understood what it consents to; the client is told nothing of it.
    pub(super) fn check(&self, fields: &mut HeaderMap) -> Result<(), Failure> {
        let given = fields.remove(SEC_WEBSOCKET_ACCEPT);
        match &self.accept {
            Some(accept) if given.is_none_or(|given| given.as_bytes() != accept.as_bytes()) => {
                Err(Failure::Upgrade)
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consents_as_the_standard_says() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
