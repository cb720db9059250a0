//! HTTP/2 heads, from what the HTTP/2 library has read. It refuses bad names, fields of connections, repeated or
//! unknown pseudo-fields and bodies of another length than said; the rest is here.

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version, request, response};

use super::field::{is_claim, is_of_connection};
use super::length::Said;
use super::read::{read_method, read_status};
use super::{Asked, Authority, Body, Fault, Limits, Request, Response, Target};

/// Checks a request of HTTP/2. `ended`: whether no body follows. `protocol`: that of an extended CONNECT.
///
/// # Errors
/// The first fault that is found.
pub fn stream_request(
    parts: request::Parts,
    protocol: Option<&str>,
    ended: bool,
    limits: &Limits,
) -> Result<Request, Fault> {
    let method = match protocol {
        Some(_) => parts.method,
        None => read_method(parts.method.as_str(), limits)?,
    };
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let target = Target::read(Bytes::copy_from_slice(target.as_bytes()), limits)?;
    if target.is_asterisk() && method != Method::OPTIONS {
        return Err(Fault::TargetForm);
    }
    let mut fields = parts.headers;
    if fields.len() > limits.fields_max {
        return Err(Fault::FieldsMany);
    }
    if bytes_of(&fields) + target.path().len() > limits.head_bytes_max {
        return Err(Fault::HeadLarge);
    }
    let authority = take_authority(parts.uri.authority(), &mut fields)?;
    let swept = sweep(&mut fields, limits)?;
    let protocol = protocol.map(HeaderValue::from_str).transpose().map_err(|_| Fault::Field)?;
    let expects = match fields.remove(header::EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            return Err(Fault::Expectation);
        }
        value => value.is_some(),
    };
    join_cookies(&mut fields)?;
    let body = match swept.length {
        _ if protocol.is_some() => Body::Framed,
        Some(length) => Body::Known(length),
        None if ended => Body::Empty,
        None => Body::Framed,
    };
    Ok(Request {
        method,
        authority,
        target,
        fields,
        version: Version::HTTP_2,
        body,
        keep_alive: true,
        expects: expects && !body.is_empty(),
        trailers: swept.trailers,
        upgrade: None,
        protocol,
        claims: swept.claims,
        dropped: swept.dropped,
    })
}

/// Checks a response of HTTP/2 to what was `asked`. `ended`: whether no body follows.
///
/// # Errors
/// The first fault that is found.
pub fn stream_response(parts: response::Parts, asked: &Asked, ended: bool) -> Result<Response, Fault> {
    let status = read_status(parts.status.as_u16())?;
    if status == http::StatusCode::SWITCHING_PROTOCOLS {
        return Err(Fault::SwitchUnasked);
    }
    let mut fields = parts.headers;
    let limits = Limits { underscores: true, ..Limits::default() };
    let swept = sweep(&mut fields, &limits)?;
    let body = match swept.length {
        _ if ended || asked.head => Body::Empty,
        Some(length) => Body::Known(length),
        None => Body::Framed,
    };
    Ok(Response { status, fields, body, length: swept.length, keep_alive: true, kept_for: None })
}

/// What fields count for (RFC 9113 §6.5.2).
fn bytes_of(fields: &HeaderMap) -> usize {
    const FIELD_BYTES: usize = 32;
    fields.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_BYTES).sum()
}

/// The authority is `:authority`, or `host` where there is none; both may be there and alike (RFC 9113 §8.3.1).
fn take_authority(given: Option<&http::uri::Authority>, fields: &mut HeaderMap) -> Result<Authority, Fault> {
    let mut hosts = fields.get_all(header::HOST).iter();
    let host = hosts.next().cloned();
    if hosts.next().is_some() {
        return Err(Fault::HostRepeated);
    }
    fields.remove(header::HOST);
    match (given, host) {
        (None, None) => Err(Fault::HostMissing),
        (None, Some(host)) => Authority::read(Bytes::copy_from_slice(host.as_bytes())),
        (Some(given), Some(host)) if !given.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) => {
            Err(Fault::HostDiffers)
        }
        (Some(given), _) => Authority::read(Bytes::copy_from_slice(given.as_str().as_bytes())),
    }
}

#[derive(Default)]
struct Swept {
    length: Option<u64>,
    trailers: bool,
    claims: bool,
    dropped: usize,
}

/// Checks all fields, and removes those that frame the body or are of the connection.
fn sweep(fields: &mut HeaderMap, limits: &Limits) -> Result<Swept, Fault> {
    let mut swept = Swept::default();
    let mut said = Said::default();
    let mut lengths = 0;
    let mut away: Vec<HeaderName> = Vec::new();
    for (name, value) in &*fields {
        let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        let value = value.as_bytes();
        if is_blank(value.first()) || is_blank(value.last()) {
            return Err(Fault::FieldBlank);
        }
        match *name {
            header::CONTENT_LENGTH => {
                lengths += 1;
                said.length(value)?;
                away.push(header::CONTENT_LENGTH);
            }
            header::TE => {
                swept.trailers = true;
                away.push(header::TE);
            }
            _ if is_of_connection(name) => away.push(name.clone()),
            _ if !limits.underscores && name.as_str().contains('_') => {
                swept.dropped += 1;
                away.push(name.clone());
            }
            _ => swept.claims |= is_claim(name.as_str().as_bytes()),
        }
    }
    if lengths > 1 {
        return Err(Fault::LengthRepeated);
    }
    for name in away {
        fields.remove(name);
    }
    swept.length = said.known();
    Ok(swept)
}

/// Cookies that came in several fields are one (RFC 9113 §8.2.3).
fn join_cookies(fields: &mut HeaderMap) -> Result<(), Fault> {
    let mut cookies = fields.get_all(header::COOKIE).iter();
    let (Some(first), Some(second)) = (cookies.next(), cookies.next()) else { return Ok(()) };
    let mut joined = BytesMut::from(first.as_bytes());
    for cookie in std::iter::once(second).chain(cookies) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(cookie.as_bytes());
    }
    let joined = HeaderValue::from_maybe_shared(joined.freeze()).map_err(|_| Fault::Field)?;
    fields.insert(header::COOKIE, joined);
    Ok(())
}
